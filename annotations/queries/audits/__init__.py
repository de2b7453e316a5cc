"""Reads of an audit: its work (`work`), how far it is (`overview`), its figures (`critic`, `ledger`), its exports."""
