"""Reads about raters: their remaining cards, their exercises, and how they work."""
