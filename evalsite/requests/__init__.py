"""The handling of requests: `bodies` before Django, `limits` and `guessing` against abuse, `languages`, `log`."""
