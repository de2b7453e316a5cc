"""Random weights of the real classes, small enough for a CPU and for tests."""
