"""Checklists filled in from a study: what is known with its evidence, what is missing with the cure.

Read `items` first; `grras`, `otani` and `heds` each hold one checklist, `written` makes Markdown of them.
"""
