"""Each rater's quality signals compared with the other raters', each with its n; it gives no verdict."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.estimate import Estimate
from annotations.stats.raters import signals, sums
from annotations.stats.raters.categories import add_category_agreement
from annotations.stats.raters.signals import Columns
from annotations.stats.raters.suspicion import Suspicion, suspicions
from annotations.stats.ratings import BadRatings, Ratings


@dataclass(frozen=True, eq=False)
class Repeats:
    """Units shown to a rater a second time, (n_repeats,) each: the rater and the levels given first and second."""

    rater: IntArray
    first: IntArray
    second: IntArray


@dataclass(frozen=True, slots=True)
class RaterRow:
    """One rater. "The others" are all other ratings of the same units; a unit that nobody else rated says nothing."""

    rater: int
    n: int
    n_shared: int
    """Ratings of units that somebody else rated too."""
    gold_pass_rate: Estimate
    agreement: Estimate
    """Kappa of the rater against the others' answers: quadratic-weighted (differences in severity lower it), or
    unweighted where levels have no order."""
    rank_correlation: Estimate
    """Spearman of the rater's answers with the mean of the others: blind to severity and spread."""
    mean_absolute_deviation: Estimate
    """From the mean of the others, in scale points."""
    severity: Estimate
    """Mean signed deviation from the mean of the others, in scale points: below 0, the rater rates lower; above 0,
    higher."""
    spread: Estimate
    """Standard deviation of the rater's answers over that of the others' answers to the same units; 1 is alike."""
    modal_share: Estimate
    """Share of the level that the rater gives most."""
    modal_share_of_others: float
    """The same share in the others' answers to these units, each unit weighing once."""
    longest_run: Estimate
    """Longest run of one level in the order of rating."""
    typical_run: float
    """Median longest run if the rater answered as the others do, unit by unit in random order."""
    run_p_value: float
    """Chance of a run at least as long under that model."""
    median_seconds: Estimate
    fast_share: Estimate
    """Share of ratings faster than the threshold named in its method."""
    self_consistency: Estimate
    """Share of hidden repeats answered with the same level."""
    self_deviation: Estimate
    """Mean absolute difference between both answers to a repeat, in scale points."""
    suspicion: Suspicion


def rater_table(
    ratings: Ratings,
    *,
    seconds: ArrayLike | None = None,
    order: ArrayLike | None = None,
    gold: ArrayLike | None = None,
    gold_tolerance: int = 0,
    repeats: Repeats | None = None,
    fast_below_seconds: float | None = None,
    is_ordinal: bool = True,
    level: float = 0.95,
) -> tuple[RaterRow, ...]:
    """One row per rater, 0 … n_raters − 1, raters without ratings included.

    seconds  (n_ratings,) time taken, NaN where unknown        order  (n_ratings,) sequence number within the rater
    gold     (n_units,) the right level, −1 where there is none; passed within `gold_tolerance` levels
    fast_below_seconds  threshold of `fast_share`; a third of the median of all known times where omitted
    is_ordinal  False for levels without an order: `agreement` is then unweighted, gold must be met exactly, and
                figures that need an order or a distance are undefined
    Nobody is excluded, and every figure compares a rater with *all* others, careless ones included.
    Nothing is random; figures that lack their data are undefined with the reason.
    Raises BadRatings for arrays of the wrong length, times below 0 and gold levels off the scale.
    """
    n_ratings, n_raters = len(ratings), ratings.n_raters
    time = _per_rating(seconds, n_ratings, "seconds")
    place = _per_rating(order, n_ratings, "order")
    if time is not None and np.any(time < 0):
        raise BadRatings("a time is below 0 seconds; mark unknown times as NaN")
    twice = repeats or Repeats(*(np.zeros(0, np.int64),) * 3)
    per_rater = np.bincount(ratings.rater, minlength=n_raters)
    peers = sums.peers_of(ratings)
    others = sums.levels_of_others(peers, ratings)
    columns = Columns(level)
    signals.add_gold(columns, ratings, gold, gold_tolerance if is_ordinal else 0)
    if is_ordinal:
        signals.add_agreement(columns, peers, n_raters)
        signals.add_deviation(columns, peers, n_raters)
    else:
        add_category_agreement(columns, ratings, peers, others)
    of_others = signals.add_modal(columns, ratings, per_rater, others)
    typical, run_p = signals.add_runs(columns, ratings, place, per_rater, others)
    signals.add_speed(columns, ratings, time, fast_below_seconds)
    signals.add_repeats(columns, ratings, twice.rater, twice.first, twice.second, is_ordinal=is_ordinal)
    scores = suspicions(columns.measures, n_raters=n_raters)
    n_shared = np.bincount(peers.rater, minlength=n_raters)
    return tuple(
        RaterRow(
            rater=rater,
            n=int(per_rater[rater]),
            n_shared=int(n_shared[rater]),
            modal_share_of_others=float(of_others[rater]),
            typical_run=float(typical[rater]),
            run_p_value=float(run_p[rater]),
            suspicion=scores[rater],
            **{name: column[rater] for name, column in columns.by_name.items()},
        )
        for rater in range(n_raters)
    )


def _per_rating(values: ArrayLike | None, n_ratings: int, name: str) -> FloatArray | None:
    if values is None:
        return None
    array = np.asarray(values, dtype=float)
    if array.shape != (n_ratings,):
        raise BadRatings(f"{name} has shape {array.shape}; give one entry for each of {n_ratings} ratings")
    return array
