"""How a running study is doing: progress by part (`progress.py`), agreement as it grows (`agreement.py`)."""
