"""The methods, as data and functions: pure, so that they run in a notebook without Django and without torch."""
