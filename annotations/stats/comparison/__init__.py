"""Two methods on the same prompts, and how large the next study must be.

Read `compare` first; it leads to `paired`, `effects`, `over_raters` and `paired_tests`. `means` describes each method
on its own, `power` plans a study, `sequential` allows early looks, and `multiverse` repeats the analysis under other
choices.
"""
