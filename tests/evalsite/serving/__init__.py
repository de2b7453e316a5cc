"""`manage.py serve`: its port, its processes, and what they outlive."""
