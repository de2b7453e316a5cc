"""The sources of the methods that a report uses, as BibTeX.

Read `bibliography` first, then `reference` (one entry). The others list the entries by subject.
"""
