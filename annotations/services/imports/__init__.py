"""Imports of ratings. Start with `ratings`; `kinds` is what the page of imports finds."""
