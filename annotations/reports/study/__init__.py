"""The report on a study's ratings.

Read `data` first (what is analysed), then `analysis` (the figures) and `document` (what is stored). `sections`,
`tables` and `latex` render the document.
"""
