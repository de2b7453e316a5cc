"""Writes a study's plan and its researchers' statements (`registering.py`)."""
