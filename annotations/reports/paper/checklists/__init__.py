"""Checklists filled in from a study: known answers with their evidence, missing ones with how to supply them.

Read `items` first; `grras`, `otani` and `heds` each hold one checklist, `written` makes Markdown of them.
"""
