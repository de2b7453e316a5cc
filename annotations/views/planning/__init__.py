"""Pages about a study's plan: its registration (`registration.py`), and facts that only its researchers know."""
