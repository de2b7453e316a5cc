"""Wording that many messages share."""

from collections.abc import Sequence


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names for a message: "a", "b" and so on, the first `most` of them."""
    if not names:
        return "nothing"
    text = ", ".join(f'"{name[:60]}"' for name in names[:most])
    return text if len(names) <= most else f"{text} and {len(names) - most} more"


def is_or_are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
