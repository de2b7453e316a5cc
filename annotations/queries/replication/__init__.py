"""Studies that show the same images, and their answers for a comparison (`panels.py`)."""
