"""Imports of prompts, images, scores and critiques.

`kinds` lists what is offered, `importers` finds it there, in this app and in others, and `import_runs` is an import as
a job. One module per kind carries it out: `prompts`, `images`, `items`, `scores`, `critiques`.
"""
