"""Rules that collect further ratings where they are needed. Read `consensus` first, then `close_pairs`."""
