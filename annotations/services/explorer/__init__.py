"""The explorer's writes: columns with each report (`columns.py`), and new studies of a selection (`studies.py`)."""
