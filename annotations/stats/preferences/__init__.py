"""Votes between two methods: which wins, how often, and how certain that is.

Read `votes` first (the data), then `win_rate` (one pair of methods) and `strengths` (all methods on one scale), which
uses the fit in `bradley_terry`. `linked` finds which methods can be compared at all.
"""
