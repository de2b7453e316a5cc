"""Which listed errors may be the same: suggestions for a person, based on their places and words. Pure functions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import hypot

THRESHOLD = 0.5
_ABOUT, _PLACE, _TEXT, _KIND = 0.35, 0.35, 0.3, 0.1
_NEAR = 0.1
"""Two points closer than a tenth of the image's side may mark one thing, which has about that size."""
_EMPTY_WORDS = frozenset(
    ("a", "an", "the", "is", "are", "was", "of", "in", "on", "at", "to", "it", "its", "and", "or", "not", "no", "that")
)


@dataclass(frozen=True)
class Mention:
    """One mention of an error, by a claim or on a list. `box` (x, y, width, height) in shares of the image, a point has
    width and height 0; None where nothing was marked. `list_name`: whose list it is on."""

    text: str
    kind: str = ""
    about: str = ""
    box: tuple[float, float, float, float] | None = None
    list_name: str = ""


def likeness(a: Mention, b: Mention) -> float:
    """How likely two mentions name one error, 0 to 1: relation, place, words and kind, weighted over those that both
    give.

    Words always count; relation, place and kind only where both mentions have them, so a missing mark is evidence
    neither for nor against. Different relations, and places far apart, are evidence against.
    """
    parts = [(_TEXT, text_likeness(a.text, b.text))]
    if a.about and b.about:
        parts.append((_ABOUT, float(a.about == b.about)))
    if a.box is not None and b.box is not None:
        parts.append((_PLACE, place_likeness(a.box, b.box)))
    if a.kind and b.kind:
        parts.append((_KIND, float(a.kind == b.kind)))
    return sum(weight * value for weight, value in parts) / sum(weight for weight, _ in parts)


def place_likeness(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Two boxes: intersection over union, doubled and cut at 1, as people draw loosely. A point and a box: 1 inside.

    Two points, or a point next to a box: falls from 1 to 0 at a tenth of the side.
    """
    if a[2] * a[3] > 0 and b[2] * b[3] > 0:
        wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
        high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
        shared = max(0.0, wide) * max(0.0, high)
        return min(1.0, 2 * shared / (a[2] * a[3] + b[2] * b[3] - shared))
    apart_x = max(0.0, max(a[0], b[0]) - min(a[0] + a[2], b[0] + b[2]))
    apart_y = max(0.0, max(a[1], b[1]) - min(a[1] + a[3], b[1] + b[3]))
    return max(0.0, 1 - hypot(apart_x, apart_y) / _NEAR)


def text_likeness(a: str, b: str) -> float:
    """The better of shared words (Jaccard, without small words) and of matching letters (difflib's ratio, squared)."""
    words_a, words_b = _words(a), _words(b)
    shared = len(words_a & words_b) / len(words_a | words_b) if words_a | words_b else 0.0
    letters = SequenceMatcher(None, a.casefold(), b.casefold()).ratio()
    return max(shared, letters**2)


def suggest_groups(mentions: Sequence[Mention], *, threshold: float = THRESHOLD) -> list[int]:
    """A group number from 0 for each mention, by average linkage: the most alike groups are joined first.

    Two mentions on one list are never joined: nobody lists an error twice. Groups are numbered by their first mention.
    """
    groups = [[i] for i in range(len(mentions))]
    alike = {
        (i, j): likeness(mentions[i], mentions[j]) for i in range(len(mentions)) for j in range(i + 1, len(mentions))
    }
    while True:
        best, pair = threshold, None
        for i, first in enumerate(groups):
            for j in range(i + 1, len(groups)):
                if _share_a_list(mentions, first, groups[j]):
                    continue
                links = [alike[min(m, n), max(m, n)] for m in first for n in groups[j]]
                mean = sum(links) / len(links)
                if mean >= best and (pair is None or mean > best):
                    best, pair = mean, (i, j)
        if pair is None:
            break
        groups[pair[0]] += groups.pop(pair[1])
    number = {i: place for place, group in enumerate(sorted(groups, key=min)) for i in group}
    return [number[i] for i in range(len(mentions))]


def _share_a_list(mentions: Sequence[Mention], first: Sequence[int], second: Sequence[int]) -> bool:
    lists = {mentions[i].list_name for i in first} - {""}
    return any(mentions[i].list_name in lists for i in second)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold())) - _EMPTY_WORDS
