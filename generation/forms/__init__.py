"""The forms of the pages about imports and about runs."""

from generation.forms.imports import ImportForm, Suggestions, described

__all__ = ["ImportForm", "Suggestions", "described"]
