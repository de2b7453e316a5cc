"""A JSON array too long to hold in memory, written element by element."""

import json
from collections.abc import Iterable, Iterator

from exchange.tables.row import JsonValue


def array_chunks(elements: Iterable[dict[str, JsonValue]]) -> Iterator[str]:
    """The array as text, one element per line and chunk; "[]" for none."""
    lead = "[\n"
    for element in elements:
        yield lead + json.dumps(element, ensure_ascii=False)
        lead = ",\n"
    yield "[]\n" if lead == "[\n" else "\n]\n"
