"""Two methods on the same prompts, and how large the next study must be.

Read `compare` first; it leads to `paired`, `effects`, `over_raters` and `paired_tests`. `means` describes each method
alone, `power` plans a study, `sequential` lets one look early, `multiverse` repeats the analysis under other choices.
"""
