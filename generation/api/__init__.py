"""The API about imports and runs; the addresses are in `generation.urls`."""
