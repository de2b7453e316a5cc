"""Rules that spend ratings where they are needed: first read `consensus`, then `close_pairs`."""
