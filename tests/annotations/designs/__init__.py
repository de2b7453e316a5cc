"""Drafts, previews, and the words of a study."""
