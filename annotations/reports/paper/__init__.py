"""What leaves the site for a paper: PDF, Word, single figures, methods and references, from one document.

Read `manuscript` first (what is said, whatever the format). `pdf`, `word`, `markdown` and `tex_files` each write one
format; `typesetting` alone knows typst. `reports.outputs` puts all files together.
"""
