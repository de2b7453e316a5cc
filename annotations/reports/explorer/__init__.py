"""Looking at single units: what stands out about each (`units.py`), and a selection as a figure (`grid.py`)."""
