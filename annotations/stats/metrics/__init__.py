"""Automatic metrics compared with people.

Read `table` first: all metrics of one question. `correlation` and `pairwise` define the figures, `ceiling` measures how
well raters predict each other, and `within_prompts` and `method_level` change what is correlated.
"""
