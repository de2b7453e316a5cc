"""Reads of a study's plan: the current one, the registered one, and how they differ (`present.py`)."""
