"""Files in other programs' formats, from plain rows: read `regions` first, which is the shortest.

They know neither Django nor a study; `annotations.services.formats` fills them.
"""
