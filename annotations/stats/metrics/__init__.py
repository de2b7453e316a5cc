"""Automatic metrics compared with people.

Read `table` first: all metrics of one question. `correlation` and `pairwise` define the figures, `ceiling` says how
well people predict each other, `within_prompts` and `method_level` change what is correlated.
"""
