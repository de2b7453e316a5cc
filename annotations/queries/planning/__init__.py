"""Reads of a study's plan: the present one, the registered one, and how they differ (`present.py`)."""
