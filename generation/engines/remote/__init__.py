"""Engines that another computer runs.

Read `client` first (retries, prices, records), then `chat` and `images`.
"""
