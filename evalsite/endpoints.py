"""Addresses of model servers, as one variable names them, and the variables that hold their keys."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

KEY_PREFIX = "EVALSITE_KEY_"
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ENTRY = re.compile(r"(?P<name>[^=/]*=)?(?P<scheme>[a-z]+://)(?P<account>.*@)?(?P<place>[^?#]*)(?P<rest>[?#].*)?")


def parse_endpoints(entries: Sequence[str]) -> dict[str, str]:
    """Addresses by name from entries `name=URL`.

    Raises ValueError for a name that is taken or is not of lower-case letters, digits and single dashes, and for an
    address that is not http or https, or that holds an account, a query or a fragment: a key may hide there.
    """
    urls: dict[str, str] = {}
    for entry in entries:
        name, _, url = (part.strip() for part in entry.partition("="))
        parts = urlsplit(url)
        if not NAME.fullmatch(name) or name in urls:
            raise ValueError(name)
        if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[@?#\s]", url):
            raise ValueError(name)
        _ = parts.port  # raises ValueError for what is not a port
        urls[name] = url
    return urls


def key_variable(name: str) -> str:
    """The variable that holds an endpoint's key. Names have no underscore, so two names never share a variable."""
    return KEY_PREFIX + name.upper().replace("-", "_")


def without_keys(value: str) -> str:
    """The same list, safe for a log: anything that is not clearly a name or an address is masked."""
    return ",".join(_entry_without_keys(entry.strip()) for entry in value.split(","))


def _entry_without_keys(entry: str) -> str:
    if match := ENTRY.fullmatch(entry):
        name, scheme, account, place, rest = match.group("name", "scheme", "account", "place", "rest")
        return f"{name or ''}{scheme}{'…@' if account else ''}{place}{rest[0] + '…' if rest else ''}"
    name, equals, _ = entry.partition("=")
    return f"{name}=…" if equals and "/" not in name else "…" if entry else ""
