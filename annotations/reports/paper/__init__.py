"""Files for a paper: PDF, Word, single figures, methods and references, from one document.

Read `manuscript` first (the content, for every format). `pdf`, `word`, `markdown` and `tex_files` each write one
format; only `typesetting` uses Typst. `reports.outputs` puts all files together.
"""
