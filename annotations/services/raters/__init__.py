"""Raters' rights over their data, automatic retention, and rules that exclude raters."""
