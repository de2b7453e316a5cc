"""The page of a running study (`page.py`)."""
