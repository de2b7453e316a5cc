"""Two studies of the same images side by side (`side_by_side.py`)."""
