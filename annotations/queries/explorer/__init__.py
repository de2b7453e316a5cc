"""Reads of the explorer: what a report freezes (`frozen.py`), a wall of it (`wall.py`), a page (`cards.py`)."""
