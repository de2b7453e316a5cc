"""The state of a running study: progress (`progress.py`), agreement (`agreement.py`), cached figures (`kept.py`)."""
