"""Votes between two methods: who wins, how often, and how sure that is.

Read `votes` first (the data), then `win_rate` (one pair of methods) and `strengths` (all methods on one scale), which
uses the fit in `bradley_terry`. `linked` says which methods votes can compare at all.
"""
