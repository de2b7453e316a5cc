"""What comes with rating: consent, exercises, hidden checks and caps. `rating` and `studies` call these."""
