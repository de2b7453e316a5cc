"""How people sign in, and how they revoke access that others may have.

`links`, `tokens` and `sessions` are the three ways in other than a password. `access` ends them. `passwords` has the
rules for passwords, and lets a new one end the rest. `views`, `signing_in` and `password_views` are the pages.
"""
