"""How a running study is doing: its progress (`progress.py`), agreement (`agreement.py`), what is kept (`kept.py`)."""
