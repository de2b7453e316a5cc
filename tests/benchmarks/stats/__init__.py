"""How long the statistics take: `python -m tests.benchmarks.stats` measures all of them."""
