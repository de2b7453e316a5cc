"""What is left of a person who was erased: nothing."""
