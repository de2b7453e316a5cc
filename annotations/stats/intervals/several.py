"""Several comparisons at once: Holm's correction, and letters shared by what they do not distinguish."""

from collections.abc import Iterable, Sequence
from string import ascii_letters

import numpy as np

from annotations.stats.arrays import FloatArray


def holm(p: Sequence[float]) -> FloatArray:
    """(n,) Holm's adjusted p-values (1979, Scand. J. Stat. 6:65): that of rank i times n − i + 1, made ascending.

    NaN stays NaN and does not count.
    """
    given = np.asarray(p, float)
    found = np.full(len(given), np.nan)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    scaled = given[order] * (len(order) - np.arange(len(order)))
    found[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return found


def compact_letters(n: int, different: Iterable[tuple[int, int]]) -> list[str]:
    """For n things in order, best first, the letters of a compact letter display: two share one unless they differ.

    different: pairs of indices that a test distinguishes. Empty strings where it would take more than 52 letters.
    Insert and absorb: Piepho (2004), J. Comput. Graph. Stat. 13:456.
    """
    groups: list[frozenset[int]] = [frozenset(range(n))]
    for one, other in different:
        split = [group for group in groups if one in group and other in group]
        groups = [group for group in groups if group not in split]
        for part in [group - {out} for group in split for out in (one, other)]:
            if not any(part <= group for group in groups):
                groups = [*(group for group in groups if not group <= part), part]
    ordered = sorted(sorted(group) for group in groups if group)
    if len(ordered) > len(ascii_letters):
        return [""] * n
    lettered = list(zip(ascii_letters, ordered, strict=False))
    return ["".join(letter for letter, group in lettered if at in group) for at in range(n)]
