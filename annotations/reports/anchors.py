"""Unique plain-ASCII anchors in a report or a paper, made from names that people gave."""

import re
import unicodedata
from collections.abc import Sequence

_OTHER = re.compile(r"[^a-z0-9]+")


def slug(name: str, default: str) -> str:
    """Lower-case letters, digits and single hyphens; the default if no character of the name can be kept."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _OTHER.sub("-", plain).strip("-")[:60].strip("-") or default


def anchors(names: Sequence[str], default: str = "question") -> dict[str, str]:
    """A slug for each name; names whose slugs would be equal are numbered."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        plain = anchor = slug(name, default)
        number = 1
        while anchor in taken:
            number += 1
            anchor = f"{plain}-{number}"
        taken.add(anchor)
        found[name] = anchor
    return found
