"""The names of a chart's rows, shortened to the available room so that no two rows read the same."""

import re
from collections.abc import Callable, Iterator, Sequence
from unicodedata import bidirectional, combining, east_asian_width

BETWEEN = " − "
"""Between the two names of a pair."""
_LEAST = 6
"""Letters that a name always keeps."""
_CUT = "…"
_ROUNDS = 4
"""How often common beginnings are cut off; after each round fewer names still read alike."""
_RIGHT_TO_LEFT = frozenset({"R", "AL"})
_EMOJI = re.compile("[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_JOINING = re.compile("[\u200d\u20e3\ufe0e\ufe0f]")
"""Characters that join emoji into one or choose their style."""
_EMOJI_RUN = re.compile(f"{_EMOJI.pattern}(?:{_EMOJI.pattern}|{_JOINING.pattern})*")
_STAND_IN = 7
"""Letters of an emoji's stand-in, such as [1F680]."""
_END_OF_NAME = "\u200f\u200e"
"""Marks without a width: a percent sign before them belongs to the name, a minus sign after them does not."""


def letters(words: str) -> float:
    """About how many Latin letters are as wide as these words.

    Chinese, Japanese and Korean characters count as two, combining marks and joiners of emoji as none, and emoji as
    many as their stand-ins have. If the text contains Arabic or Hebrew, all of it is set in a wider face.
    """
    n = sum(map(_letters_of, words))
    return 1.2 * n if any(bidirectional(sign) in _RIGHT_TO_LEFT for sign in words) else n


def _letters_of(sign: str) -> int:
    if combining(sign) or _JOINING.match(sign):
        return 0
    return _STAND_IN if _EMOJI.match(sign) else 2 if east_asian_width(sign) in "WF" else 1


def without_emoji(words: str) -> str:
    """The words with each emoji replaced by its code point, for files whose fonts have no emoji: 🚀 becomes [1F680].

    Two names that differ by an emoji, or by its colour, stay different.
    """

    def stand_in(run: re.Match[str]) -> str:
        return "".join(f"[{ord(sign):04X}]" for sign in run[0] if _EMOJI.match(sign))

    return _EMOJI_RUN.sub(stand_in, words)


def in_order(words: str) -> str:
    """The label with marks after each name in Arabic or Hebrew, so that the text after a name is shown to its right.

    Without them, the digits and the minus sign after such a name would be reordered with it.
    """
    parts = words.split(BETWEEN)
    return BETWEEN.join(
        f"{part}{_END_OF_NAME}" if any(bidirectional(sign) in _RIGHT_TO_LEFT for sign in part) else part
        for part in parts
    )


def shortened(labels: Sequence[str], room: float) -> list[str]:
    """The labels, those that are too long for the room cut so that different ones stay different.

    room: in letters. A label is cut at its end. If several would then read alike, they are cut in the middle; if they
    still do, their common beginning is cut off. The two names of a pair are cut separately.
    """
    room = max(room, _LEAST)
    long = [label for label in dict.fromkeys(labels) if letters(label) > room]
    found = {label: label for label in labels}
    pairs = {label: label.split(BETWEEN) for label in long if label.count(BETWEEN) == 1}
    if pairs:
        half = (room - len(BETWEEN)) / 2
        names = list(dict.fromkeys(name for pair in pairs.values() for name in pair))
        short = dict(zip(names, _apart(names, max(half, _LEAST)), strict=True))
        found |= {label: BETWEEN.join(short[name] for name in pair) for label, pair in pairs.items()}
    single = [label for label in long if label not in pairs]
    taken = [label for label in found if label not in single]
    found |= dict(zip(single, _apart([*taken, *single], room)[len(taken) :], strict=True))
    return [found[label] for label in labels]


def _apart(names: Sequence[str], room: float) -> list[str]:
    """Different names, each within the room."""
    found = {name: name if letters(name) <= room else _head(name, room - 1) + _CUT for name in names}
    for cut in (_in_the_middle, *[_after_what_is_common] * _ROUNDS):
        for alike in list(_groups(found)):
            long = [name for name in alike if letters(name) > room]
            found |= cut(long, room)
    return [found[name] for name in names]


def _groups(found: dict[str, str]) -> Iterator[list[str]]:
    """The names that read alike, by what they read."""
    by_words: dict[str, list[str]] = {}
    for name, words in found.items():
        by_words.setdefault(words, []).append(name)
    return (names for names in by_words.values() if len(names) > 1)


def _in_the_middle(names: Sequence[str], room: float) -> dict[str, str]:
    half = (room - 1) / 2
    return {name: _head(name, half) + _CUT + _tail(name, half) for name in names}


def _after_what_is_common(names: Sequence[str], room: float) -> dict[str, str]:
    first, last = min(names), max(names)
    start = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    found = {}
    for name in names:
        spare = int(max(room - 1 - letters(name[start:]), 0))
        rest = name[max(start - spare, 0) :]
        found[name] = _CUT + (rest if letters(rest) <= room - 1 else _head(rest, room - 2) + _CUT)
    return found


def _head(name: str, room: float) -> str:
    return _most(name, room, lambda n: name[:n])


def _tail(name: str, room: float) -> str:
    return _most(name, room, lambda n: name[len(name) - n :])


def _most(name: str, room: float, part: Callable[[int], str]) -> str:
    """The longest part that fits the room."""
    return next(part(n) for n in range(len(name), -1, -1) if letters(part(n)) <= room)
