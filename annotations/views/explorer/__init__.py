"""Pages of the explorer: the wall (`wall.py`), one image (`unit.py`), a selection (`selection.py`)."""
