"""Ratings as survey and labelling programs write them, turned into one shape: an answer per row.

Start with `reading`: it opens a file, recognises the program that wrote it and returns its answers. `shape` describes
a recognised file. `mapping` holds what the user says about the columns. `columns` knows tables with a column per
rater, question or image; each of the other modules knows the exports of some programs.
"""
