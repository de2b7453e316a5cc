"""A canonical form of votes or rankings, so that a study and its exported file give the same figures, digit by digit.

The last digits of a sum depend on the order of its terms. Rows keep their order, and an export has the same order.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from annotations.stats.arrays import IntArray
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import TIE, Votes


def in_one_form(data: Votes | Rankings) -> Votes | Rankings:
    """The same answers with methods by name, raters and prompts by first appearance, and each answer written in one
    way.

    The first of a vote's two methods is the one whose name comes first; a ranking's are by rank, then by name.
    """
    by_name = sorted(range(len(data.methods)), key=data.methods.__getitem__)
    place = np.empty(len(by_name), np.int64)
    place[by_name] = np.arange(len(by_name))
    methods = [data.methods[at] for at in by_name]
    rater, rater_names = _by_appearance(data.rater, data.names.get("raters", {}))
    prompt, prompt_names = _by_appearance(data.prompt, data.names.get("prompts", {}))
    names = {"raters": rater_names, "prompts": prompt_names}
    if isinstance(data, Votes):
        first, second = place[data.first], place[data.second]
        is_turned = first > second
        return replace(
            data,
            methods=methods,
            first=np.where(is_turned, second, first),
            second=np.where(is_turned, first, second),
            outcome=np.where(is_turned & (data.outcome != TIE), 1 - data.outcome, data.outcome),
            side=np.where(is_turned, -data.side, data.side),
            rater=rater,
            prompt=prompt,
            names=names,
        )
    is_there = data.item >= 0
    item = np.where(is_there, place[data.item], data.item)
    # Without a method the rank is arbitrary: such places come last.
    rank = np.where(is_there, data.rank, np.iinfo(np.int64).max)
    order = np.lexsort((item, rank), axis=1)

    def ordered(values: IntArray) -> IntArray:
        return np.take_along_axis(values, order, axis=1)

    return replace(
        data,
        methods=methods,
        item=ordered(item),
        rank=ordered(data.rank),
        shown=None if data.shown is None else ordered(data.shown),
        rater=rater,
        prompt=prompt,
        names=names,
    )


def _by_appearance(codes: IntArray | None, names: Mapping[int, str]) -> tuple[IntArray | None, dict[int, str]]:
    """The codes, numbered in order of appearance, and the names by these numbers."""
    if codes is None:
        return None, {}
    found, first, index = np.unique(codes, return_index=True, return_inverse=True)
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    pairs = zip(found.tolist(), number.tolist(), strict=True)
    return number[index], {new: names[old] for old, new in pairs if old in names}
