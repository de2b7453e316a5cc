"""Translations, and the language that a page speaks."""
