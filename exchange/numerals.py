"""Numbers in the digits and signs of any script, as the same number in ASCII."""

import unicodedata

from exchange.identity import INVISIBLE
from exchange.signs import sign_at

_MINUSES = "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"
"""Characters that mean minus before a number: hyphens, figure and en dashes, minus signs, full-width forms."""
_SIGNS = {
    **dict.fromkeys(map(ord, _MINUSES), "-"),
    **dict.fromkeys(map(ord, "\ufe62\uff0b"), "+"),
    **dict.fromkeys(map(ord, "\ufe52\uff0e\u066b"), "."),
    **dict.fromkeys(map(ord, "\ufe50\uff0c"), ","),
    **dict.fromkeys(map(ord, "\uff25"), "E"),
    **dict.fromkeys(map(ord, "\uff45"), "e"),
}
_DROPPED = dict.fromkeys(map(ord, INVISIBLE))


def in_ascii(text: str) -> str:
    """The text with every decimal digit, sign and decimal point of another script as its ASCII form.

    So "−3", "３" and "٣٫٥" become "-3", "3" and "3.5". Invisible characters are left out. Everything else stays, and so
    do digits of which those next to them belong to another script ("1٢"): such a number is more likely a fault.
    """
    if text.isascii():
        return text
    kept = text.translate(_DROPPED)
    if _mixes_scripts(kept):
        return kept
    return "".join(_SIGNS.get(ord(letter), _digit(letter)) for letter in kept)


def odd_sign(text: str) -> str:
    """The first character that is not ASCII, with its place, for the message on a number that cannot be read; or ""."""
    place = next((i for i, letter in enumerate(text) if not letter.isascii()), None)
    return "" if place is None else sign_at(text, place)


def _digit(letter: str) -> str:
    value = -1 if letter.isascii() else unicodedata.decimal(letter, -1)
    return letter if value < 0 else str(value)


def _mixes_scripts(text: str) -> bool:
    zeros = {ord(letter) - unicodedata.decimal(letter, 0) for letter in text if letter.isdecimal()}
    return len(zeros) > 1
