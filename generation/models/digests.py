"""The identity of a row by its content, so that importing the same thing twice changes nothing."""

import hashlib
import json
from json.encoder import encode_basestring
from typing import Any

_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def digest(*parts: Any) -> str:
    """SHA-256, in hex, of the parts as canonical JSON: equal parts, equal digest, in every process and release."""
    return hashlib.sha256(f"[{','.join(map(_written, parts))}]".encode()).hexdigest()


def _written(part: Any) -> str:
    """The part as canonical JSON; most are texts, and an encoder of its own for each takes ten times as long."""
    if type(part) is str:
        return encode_basestring(part)
    if type(part) is int:
        return str(part)
    return "null" if part is None else _CANONICAL.encode(part)
