"""What the explorer writes: columns with each report (`columns.py`), and new studies of a selection (`studies.py`)."""
