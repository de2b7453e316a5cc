"""A run of the generator: planned, claimed step by step by workers, controlled by its owner, and ended."""
