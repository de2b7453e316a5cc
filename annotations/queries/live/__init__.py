"""How a running study is doing: progress by part (`progress.py`), agreement (`agreement.py`), what is kept (`kept.py`)."""
