"""What programs send row by row: prompts, images and scores in one call each, all of it saved or nothing.

`images`, `tables` (prompts and scores) and `stores` (addresses that images may be fetched from). The rules of what a
row may be, and what is the same row again, are those of the imports.
"""
