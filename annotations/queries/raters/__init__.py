"""Reads about raters: what they may still do, their exercises, and how they work. `plan` comes first."""
