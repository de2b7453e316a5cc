"""The researcher's pages of a study, from its design to its deletion. Start with `overview`."""
