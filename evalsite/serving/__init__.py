"""The site as running processes: `processes` keeps them up, `web_server` sets up gunicorn, `health` reports on them."""
