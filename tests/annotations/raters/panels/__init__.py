"""People of a panel whose visit is over, and those who come again."""
