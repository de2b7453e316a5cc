"""Tables in files that are not text: Parquet and workbooks. `rows` recognises them by their first bytes."""
