"""Ratings as survey and labelling programs write them, turned into one shape: an answer per row.

Start with `reading`, the door: it looks into a file, recognises who wrote it and hands out its answers. `shape` is what
a recognised file is to it. `mapping` is what the user says of the columns. `columns` knows tables with a column per
rater, question or image; each of the other modules knows the exports of some programs.
"""
