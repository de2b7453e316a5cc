"""The page of two studies side by side (`page.py`)."""
