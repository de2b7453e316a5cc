"""Answers that are no single level: counted for the report, and one row for each part of them in files."""
