"""Statistics of human ratings, on plain NumPy arrays: no Django, usable from a notebook."""
