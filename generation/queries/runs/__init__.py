"""Reads about runs: for their pages (`overview`, `grid`), for a new one (`plans`), and for the workers (`steps`)."""
