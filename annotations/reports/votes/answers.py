"""A study's answers as votes or rankings of methods, from the codes of its rows."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.stats.preferences.rankings import NOBODY, Rankings
from annotations.stats.preferences.votes import LOSES, TIE, WINS, Codes, Facet, Votes

Names = Mapping[str, Mapping[int, str]]
LEFT, RIGHT = 0, 1
"""Answers about sides. A tie of kind i is the answer 2 + i."""


def votes_of_answers(
    methods: Sequence[str],
    *,
    left: Codes,
    right: Codes,
    answer: Codes,
    tie_kinds: Sequence[str] = (),
    rater: Codes | None = None,
    prompt: Codes | None = None,
    facets: Mapping[str, Facet] | None = None,
    names: Names = MappingProxyType({}),
) -> Votes:
    """Votes as raters saw the two images; those that cannot be votes between methods are left out.

    left, right   (n,) the method (an index into `methods`) of the image on either side; negative if it has none
    answer        (n,) 0 for the left image, 1 for the right one, 2 + i for a tie of kind `tie_kinds[i]`; negative
                  for "unable to answer"
    rater, prompt (n,) codes, negative where unknown (such a vote counts as a separate rater or prompt); None: all
    unknown
    facets        categories of the n answers, by name
    names         of "raters" and "prompts", by code
    Answers without methods, between two images of one method, and negative answers are left out.
    """
    left, right, answer = (np.asarray(values, np.int64) for values in (left, right, answer))
    kept = (left >= 0) & (right >= 0) & (left != right) & (answer >= 0)
    given = answer[kept]
    outcome = np.where(given == LEFT, WINS, np.where(given == RIGHT, LOSES, TIE))
    return Votes(
        methods,
        left[kept],
        right[kept],
        outcome,
        _alone(rater, kept),
        _alone(prompt, kept),
        np.ones(int(kept.sum()), np.int64),
        tie_kind=np.where(given >= 2, given - 2, -1) if tie_kinds else None,
        tie_kinds=tie_kinds,
        facets={name: facet.only(kept) for name, facet in (facets or {}).items()},
        names=_of_known(names, raters=_only(rater, kept), prompts=_only(prompt, kept)),
    )


def rankings_of_answers(
    methods: Sequence[str],
    *,
    group: Codes,
    method: Codes,
    rank: Codes,
    shown: Codes | None = None,
    rater: Codes | None = None,
    prompt: Codes | None = None,
    is_best_worst: bool = False,
    facets: Mapping[str, Facet] | None = None,
    names: Names = MappingProxyType({}),
) -> Rankings:
    """Rankings from one row per ranked image.

    group         (n,) which ranking the row is part of: one card as one rater answered it
    method, rank  (n,) the image's method (negative: none, the row is left out), and its rank, 1 the best
    shown         (n,) its place on the screen, 0 first
    rater, prompt, facets   (n,) codes, negative where unknown; of a ranking's first row
    names         of "raters" and "prompts", by code
    A ranking that has a method twice, or fewer than two methods, says nothing about methods and is left out; so is a
    best–worst ranking (ranks 1, 2 and 3) without its best or its worst.
    """
    columns = {"group": group, "method": method, "rank": rank, "shown": shown, "rater": rater, "prompt": prompt}
    rows = np.lexsort((np.asarray(rank), np.asarray(group)))
    rows = rows[np.asarray(method)[rows] >= 0]
    of: dict[str, Any] = {name: None if codes is None else np.asarray(codes)[rows] for name, codes in columns.items()}
    _, first, index, size = np.unique(of["group"], return_index=True, return_inverse=True, return_counts=True)
    place = np.arange(len(rows)) - first[index]
    shape = len(size), int(size.max(initial=2))
    item, order, screen = np.full(shape, NOBODY, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    item[index, place], order[index, place] = of["method"], of["rank"]
    if shown is not None:
        screen[index, place] = of["shown"]
    kept = (size >= 2) & ~_has_twice(item)
    if is_best_worst:
        there = item >= 0
        kept &= ((order == 1) & there).sum(axis=1) == 1
        kept &= ((order == 3) & there).sum(axis=1) == 1
    raters, prompts = (None if of[name] is None else of[name][first] for name in ("rater", "prompt"))
    return Rankings(
        methods,
        item[kept],
        order[kept],
        rater=_alone(raters, kept),
        prompt=_alone(prompts, kept),
        shown=screen[kept] if shown is not None else None,
        is_best_worst=is_best_worst,
        facets={name: Facet(facet.names, facet.code[rows][first][kept]) for name, facet in (facets or {}).items()},
        names=_of_known(names, raters=_only(raters, kept), prompts=_only(prompts, kept)),
    )


def _has_twice(item: Codes) -> NDArray[np.bool_]:
    ordered = np.sort(np.where(item >= 0, item, -1 - np.arange(item.shape[1])), axis=1)
    return np.asarray((np.diff(ordered, axis=1) == 0).any(axis=1))


def _only(codes: Codes | None, kept: NDArray[np.bool_]) -> Codes:
    return np.zeros(0, np.int64) if codes is None else np.asarray(codes, np.int64)[kept]


def _of_known(names: Names, **codes: Codes) -> dict[str, dict[int, str]]:
    """The names of the codes that occur; an unknown rater or prompt gets a code that may be another one's."""
    return {
        kind: {code: names[kind][code] for code in np.unique(of_kind).tolist() if code in names.get(kind, {})}
        for kind, of_kind in codes.items()
    }


def _alone(codes: Codes | None, kept: NDArray[np.bool_]) -> Codes | None:
    """The codes that are kept, each unknown one on its own; None if all are unknown."""
    if codes is None:
        return None
    found = _only(codes, kept)
    if not (found >= 0).any():
        return None
    unknown = found < 0
    found = found.copy()
    found[unknown] = found.max() + 1 + np.arange(int(unknown.sum()))
    return found
