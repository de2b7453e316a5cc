"""Which tests need which database, and how a database is emptied between them (a Django app, for its one command)."""
