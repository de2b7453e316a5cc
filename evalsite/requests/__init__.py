"""What is known and held of requests: `bodies` before Django, `limits` and `guessing` against abuse, `log`."""
