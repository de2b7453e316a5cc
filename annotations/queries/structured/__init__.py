"""Answers that are not a single level: counted for the report, and one row for each part of them in files."""
