"""Recognises ratings that are really rankings."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from annotations.reports.study.data import StudyData
from annotations.reports.votes.item_names import ENDING

_ENOUGH_GROUPS = 5


def ranking_hints(data: StudyData, file: str) -> list[str]:
    """One sentence for each question whose “ratings” are rankings: each rater gives each level once for every
    prompt."""
    said = []
    for dimension in data.dimensions:
        ratings = dimension.ratings
        counts = np.bincount(ratings.level, minlength=ratings.n_levels)
        # A rater who ranks gives no level more often than the one before it.
        if not dimension.is_ordinal or len(ratings) < _ENOUGH_GROUPS or (np.diff(counts) > 0).any():
            continue
        names = [data.units[unit] for unit in dimension.units]
        prompt = data.prompt[dimension.units]
        by_name = None if (prompt >= 0).all() else _by_name(names)
        groups: dict[tuple[int, object], list[float]] = defaultdict(list)
        for unit, rater, level in zip(
            ratings.unit.tolist(), ratings.rater.tolist(), ratings.level.tolist(), strict=True
        ):
            where: object = by_name[unit] if by_name else int(prompt[unit])
            groups[rater, where].append(float(ratings.values[level]))
        enough = len(groups) >= _ENOUGH_GROUPS and all(len(given) > 1 for given in groups.values())
        if enough and all(sorted(given) == [at + 1.0 for at in range(len(given))] for given in groups.values()):
            most = max(len(given) for given in groups.values())
            said.append(
                f"{file}: of {dimension.name} every rater gives each of 1 to {most} once for every prompt. These are "
                f"rankings, not ratings: use --rankings {file} instead of --ratings"
            )
    return said


def _by_name(names: Sequence[str]) -> list[str] | None:
    """The prompt in each item's name, at the last underscore; None if the names do not have that form."""
    parts = [ENDING.sub("", name).rpartition("_")[0] for name in names]
    return parts if all(parts) else None
