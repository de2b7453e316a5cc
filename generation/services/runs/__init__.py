"""A run of the generator: planned, claimed step by step by workers, steered by its owner, and ended."""
