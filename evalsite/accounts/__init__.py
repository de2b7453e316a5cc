"""How people come in, and how they end what lets others in.

`links`, `tokens` and `sessions` are the three ways in besides a password, `access` ends them, and `passwords` says
what a password must be and that a new one ends the rest. `views`, `signing_in` and `password_views` are the pages.
"""
