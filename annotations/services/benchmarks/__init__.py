"""Continuing studies: methods that join later (`joining`), and automatic ends (`ends`)."""
