"""Tables from outside, recognised by content: CSV, TSV, JSON lines, JSON arrays, Parquet and workbooks.

Start with `rows`: `read_rows` opens a file of any of these formats and gives a `Row` for each good row. `coded` reads
whole columns as integer codes, for files with too many rows for that. `headers` matches the names of columns;
`values` and `cells` check one value.
"""
