"""Figures for every unit of a question: what raters say about it, how far they disagree, and how far metrics differ
from them."""

from dataclasses import dataclass

import numpy as np

from annotations.reports.study.data import ORDERS, DimensionData, StudyData
from annotations.reports.study.disputed import pair_distance
from annotations.stats.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class UnitFigures:
    """One entry per unit of the question, in its order of units (`DimensionData.units`).

    mean      mean rating; for a ranking, the mean rank, ties at the mean of their ranks; for best and worst, the mean
              of 1, 2 (neither) and 3; NaN where levels have no order
    better    orders units from worst to best: the mean, or its negative for rankings and for best and worst; NaN as for
              `mean`
    distance  mean distance of two raters' ratings, 0–1; NaN with fewer than two
    counts    (n_units, n_levels) how often each level was given
    scores    by metric; NaN where missing
    gaps      by metric, place of its score minus place of raters' judgement, both as shares of the units that have
              both, −1 … 1: positive where the metric rates an image higher than raters do
    """

    mean: FloatArray
    better: FloatArray
    distance: FloatArray
    counts: IntArray
    scores: dict[str, FloatArray]
    gaps: dict[str, FloatArray]


def unit_figures(data: StudyData, dimension: DimensionData) -> UnitFigures:
    """The figures of each unit that has a rating, from a report's ratings and scores."""
    ratings = dimension.ratings
    cells = ratings.unit * np.int64(ratings.n_levels) + ratings.level
    counts = np.bincount(cells, minlength=ratings.n_units * ratings.n_levels).reshape(ratings.n_units, ratings.n_levels)
    has_order = dimension.is_ordinal or dimension.kind in ORDERS
    mean = dimension.unit_means() if has_order else np.full(ratings.n_units, np.nan)
    better = -mean if dimension.kind in ORDERS else mean
    scores = {name: row[dimension.units] for name, row in zip(data.metrics, data.scores, strict=True)}
    return UnitFigures(
        mean=mean,
        better=better,
        distance=pair_distance(ratings, is_ordinal=has_order, place=dimension.ranks),
        counts=counts,
        scores=scores,
        gaps={name: gap(score, better) for name, score in scores.items()},
    )


def gap(score: FloatArray, better: FloatArray) -> FloatArray:
    """(n,) place of each score minus place of each judgement among the units that have both; NaN for the others.

    Places are mid-ranks as shares (rank − ½) / n, so that ties share one and both run over the same range. The two need
    no common scale, so a metric's different range does not count as a gap.
    """
    found = np.full(len(score), np.nan)
    has_both = np.isfinite(score) & np.isfinite(better)
    found[has_both] = places(score[has_both]) - places(better[has_both])
    return found


def places(values: FloatArray) -> FloatArray:
    """(n,) the mid-rank of each value as a share, (rank − ½) / n: 0 … 1 without its ends. No NaN among the values."""
    _distinct, code, times = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(times) - times / 2
    return np.asarray(middle[code] / max(len(values), 1))


def changes(better: FloatArray, image: IntArray, parent: IntArray) -> FloatArray:
    """(n,) judgement of an image minus that of the image it was made from; NaN where either has no judgement.

    image, parent  (n,) keys; parent 0 for an image that was not made from another. An image that several units show
    counts with its mean over them.
    """
    keys, code = np.unique(image, return_inverse=True)
    known = np.isfinite(better) & (image > 0)
    n = np.bincount(code[known], minlength=len(keys))
    total = np.bincount(code[known], better[known], minlength=len(keys))
    mean = np.where(n > 0, total / np.maximum(n, 1), np.nan)
    found = np.full(len(image), np.nan)
    at = np.minimum(np.searchsorted(keys, parent), max(len(keys) - 1, 0))
    has_parent = (parent > 0) & (keys[at] == parent) if len(keys) else np.zeros(len(image), bool)
    found[has_parent] = better[has_parent] - mean[at[has_parent]]
    return found


def margin(counts: IntArray, refined: IntArray) -> FloatArray:
    """(n,) votes for the refined image of a pair minus votes for the other, as a share of both; NaN without votes.

    counts   (n, n_levels) of which the first two columns are votes for the first and the second image
    refined  (n,) which of the two is the refined one: 0, 1, or −1 where neither was made from the other
    """
    decided = counts[:, :2].sum(axis=1)
    ahead = counts[:, 1] - counts[:, 0]
    share = np.where(decided > 0, ahead / np.maximum(decided, 1), np.nan)
    return np.where(refined == 1, share, np.where(refined == 0, -share, np.nan))
