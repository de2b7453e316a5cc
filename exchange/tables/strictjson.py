"""JSON values, read more strictly than `json.loads` does.

In addition to wrong syntax (RFC 8259), it refuses repeated keys, NaN and Infinity, numbers beyond a float, NUL and
half surrogate pairs in texts (no database takes them).
"""

import json
import re
from collections import Counter
from math import isfinite
from typing import NamedTuple

from exchange.rejects import shown
from exchange.tables.row import JsonValue

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_MAX_DIGITS = 400


class Fault(NamedTuple):
    """What is wrong inside a JSON value."""

    field: str
    value: object
    problem: str
    cure: str


class StrictDecoder:
    """A JSON decoder that continues after a fault, so that the end of the faulty object is known; faults are kept."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=self._constant,
            parse_float=self._float,
            parse_int=self._int,
        )

    def decode(self, text: str, start: int) -> tuple[JsonValue, int]:
        """(value, end) of the JSON value at `start`; `faults` holds what is wrong with it.

        Raises json.JSONDecodeError for wrong syntax and RecursionError for too deep nesting.
        """
        self.faults.clear()
        value, end = self._decoder.raw_decode(text, start)
        if text.find("\\u", start, end) >= 0 and not _is_storable(value):
            self.faults.append(
                Fault("", text[start:end], "a text holds a NUL or half a surrogate pair", "remove the \\u escape")
            )
        return value, end

    def _object(self, pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        result = dict(pairs)
        if len(result) != len(pairs):
            # Counted in one pass: an object may have a million keys, of which only the last occurs twice.
            twice = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
            self.faults.append(Fault(twice, twice, f'the key "{shown(twice)}" occurs twice', "keep one of them"))
        return result

    def _constant(self, word: str) -> float:
        self.faults.append(Fault("", word, f"{word} is not a JSON value", "write null for a missing number"))
        return 0.0

    def _float(self, digits: str) -> float:
        value = float(digits)
        if not isfinite(value):
            self.faults.append(Fault("", digits, "the number is too large", "write it as text or correct it"))
        return value

    def _int(self, digits: str) -> int:
        if len(digits) > _MAX_DIGITS:
            self.faults.append(Fault("", digits, "the number is too long", "write it as text or correct it"))
            return 0
        return int(digits)


def _is_storable(value: JsonValue) -> bool:
    if isinstance(value, str):
        return not _UNSTORABLE.search(value)
    if isinstance(value, list):
        return all(_is_storable(part) for part in value)
    if isinstance(value, dict):
        return all(_is_storable(key) and _is_storable(part) for key, part in value.items())
    return True
