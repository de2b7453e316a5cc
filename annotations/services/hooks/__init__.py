"""Sends a study's events to addresses that its researchers name.

Read `events` first (what is sent when), then `deliveries` (how it gets there), `addresses` and `signatures`.
"""
