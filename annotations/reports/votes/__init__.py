"""The report on votes between methods, from a file.

Read `files` first (what is read), then `analysis` and `tables`.
"""
