"""Simulations of whether intervals cover what they claim: `python -m tests.benchmarks.coverage` runs them all."""
