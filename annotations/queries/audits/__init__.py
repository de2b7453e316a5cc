"""Reads of an audit: its work (`work`), its progress (`overview`), its figures (`critic`, `ledger`), and its
exports."""
