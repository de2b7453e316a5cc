"""Cells that a spreadsheet would run as a formula: made harmless on the way out, and restored on demand.

Source: OWASP, "CSV Injection": a cell that begins with =, +, -, @, tab, carriage return or line feed (or the full-width
form of one of the signs) may be evaluated when the file is opened. An apostrophe in front makes it text.
"""

import re

_STARTERS = "=+\\-@\t\r\n＝＋－＠"
MAY_BE_RISKY = frozenset("'=+-@\t\r\n＝＋－＠")
"""The signs with which every text that `neutralise` changes begins."""
_RISKY = re.compile(f"'*[{_STARTERS}]")
_MADE_HARMLESS = re.compile(f"'('*[{_STARTERS}])")
_MADE_HARMLESS_BYTES = re.compile(b"'(?:[=+\\-@\t\r\n]|" + "|".join("＝＋－＠").encode() + b")")

UNDO_NOTE = (
    "Text cells that begin with =, +, -, @, a tab or a line break carry one apostrophe (') in front, so that no "
    "spreadsheet runs them. To undo: where a cell begins with one or more apostrophes followed by one of these "
    "characters, remove the first apostrophe. Numbers are never changed."
)


def neutralise(text: str) -> str:
    """The text with one apostrophe in front if a spreadsheet might run it; any other text unchanged.

    Texts that already look neutralised get one more, so that `restore` is exact for every text.
    """
    return f"'{text}" if _RISKY.match(text) else text


def may_be_harmless(data: bytes) -> bool:
    """Whether UTF-8 text may hold a cell that `neutralise` has changed."""
    return b"'" in data and _MADE_HARMLESS_BYTES.search(data) is not None


def restore(text: str) -> str:
    """The text that `neutralise` was given."""
    return text[1:] if _MADE_HARMLESS.match(text) else text
