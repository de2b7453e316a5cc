"""Paid raters of a panel: arriving, going back with a code, returning the place, and payment. Read `visits` first."""
