"""Single characters in messages: their code point, Unicode name and place, for those that look the same to a reader."""

import unicodedata

MOST_BEFORE = 20
"""How many characters before a sign a message repeats."""


def sign_name(letter: str) -> str:
    """A character by its code point and name: "U+00A0 NO-BREAK SPACE"."""
    return f"U+{ord(letter):04X} {unicodedata.name(letter, 'CONTROL CHARACTER')}"


def sign_at(text: str, place: int) -> str:
    """The character at this place, counted from 0, and what it follows: "U+00A0 NO-BREAK SPACE after "cat"."""
    return f"{sign_name(text[place])} {_where(text, place)}"


def difference(one: str, other: str) -> str:
    """How the second text first differs from the first: the sign that it adds, lacks, or has instead of another.

    "" for equal texts.
    """
    if one == other:
        return ""
    shortest = min(len(one), len(other))
    start = next((i for i in range(shortest) if one[i] != other[i]), shortest)
    tail = next((i for i in range(shortest - start) if one[-1 - i] != other[-1 - i]), shortest - start)
    lost, found = one[start : len(one) - tail], other[start : len(other) - tail]
    where = _where(other, start)
    if not lost:
        return f"with {sign_name(found[0])} {where}"
    if not found:
        return f"without {sign_name(lost[0])} {where}"
    return f"with {sign_name(found[0])} {where}, not {sign_name(lost[0])}"


def _where(text: str, place: int) -> str:
    if place == 0:
        return "at the start"
    before = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text[:place])
    return f'after "{"…" if len(before) > MOST_BEFORE else ""}{before[-MOST_BEFORE:]}"'
