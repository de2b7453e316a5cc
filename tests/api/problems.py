"""What a refusal of the API says, for tests to look at."""

from typing import Any


def by_field(problem: dict[str, Any]) -> dict[str, list[str]]:
    """Field → what is wrong with it, of a problem as RFC 9457 describes it."""
    found: dict[str, list[str]] = {}
    for error in problem["errors"]:
        found.setdefault(error["field"], []).append(error["detail"])
    return found
