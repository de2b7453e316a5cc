"""What the site's background processes share: the default broker, and the clock of periodic work."""
