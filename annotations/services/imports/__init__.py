"""Imports of ratings. Start with `ratings`; `kinds` lists the imports for the page."""
