"""Files in other programs' formats, from plain rows: read `regions` first, which is the shortest.

These modules know neither Django nor studies; `annotations.services.formats` gives them the rows.
"""
