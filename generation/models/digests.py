"""The identity of a row by its content, so that importing the same thing twice changes nothing."""

import hashlib
import json
from typing import Any

_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def digest(*parts: Any) -> str:
    """SHA-256, in hex, of the parts as canonical JSON: equal parts, equal digest, in every process and release."""
    return hashlib.sha256(_CANONICAL.encode(parts).encode()).hexdigest()
