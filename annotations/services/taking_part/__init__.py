"""What accompanies rating: consent, exercises, hidden checks and caps. `rating` and `studies` call these."""
