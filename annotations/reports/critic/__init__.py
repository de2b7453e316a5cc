"""The report on a critic's audit.

Read `data` first, then `analysis` and `document`; `sections` and its neighbours render the document.
"""
