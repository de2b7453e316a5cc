"""Paid raters of a panel: arriving, going back with a code, returning, and what they are paid. `visits` first."""
