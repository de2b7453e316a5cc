"""Does a conclusion survive other defensible choices: which raters, which aggregation, which subset of units?

The software excludes nobody. An exclusion rule is one universe among others, and its result is shown next to the result
without it (Steegen, Tuerlinckx, Gelman & Vanpaemel 2016, Perspect. Psychol. Sci. 11:702).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import isnan
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.stats.arrays import FloatArray
from annotations.stats.estimate import Estimate
from annotations.stats.raters.dawid_skene import dawid_skene, majority_vote
from annotations.stats.raters.sums import mean_by
from annotations.stats.raters.table import RaterRow
from annotations.stats.ratings import BadRatings, Ratings

_Mask = NDArray[np.bool_]

Aggregation = Literal["mean", "median", "majority", "dawid_skene"]
AGGREGATIONS: tuple[Aggregation, ...] = ("mean", "median", "majority", "dawid_skene")
_AGGREGATED = {
    "mean": "the mean rating",
    "median": "the median rating",
    "majority": "the majority answer",
    "dawid_skene": "the Dawid–Skene answer",
}
NOBODY, ALL_UNITS = "nobody excluded", "all units"


@dataclass(frozen=True, slots=True)
class Universe:
    """One combination of choices, and what the statistic says in it."""

    exclusion: str
    aggregation: Aggregation
    subset: str
    n_excluded: int
    """Raters with ratings whom the rule leaves out."""
    n_ratings: int
    n_units: int
    """Units that have a score."""
    estimate: Estimate
    sign: int | None
    """−1, 0 or 1: the value against the null value; None where undefined."""
    significant: bool | None
    """Whether the interval excludes the null value; None without an interval."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What one option of one choice does to the conclusion, over all universes that use it."""

    axis: str
    """"exclusion", "aggregation" or "subset"."""
    option: str
    n_universes: int
    n_defined: int
    n_same_sign: int
    n_same_significance: int
    """Of those with the same sign: whether the interval excludes the null value as in the reference."""


@dataclass(frozen=True, slots=True)
class Multiverse:
    """Every universe, the reference first. A universe in which the statistic is undefined supports nothing."""

    reference: Universe
    universes: tuple[Universe, ...]
    choices: tuple[Choice, ...]
    null: float

    @property
    def n_defined(self) -> int:
        return sum(universe.sign is not None for universe in self.universes)

    @property
    def n_same_sign(self) -> int:
        return sum(_same_sign(universe, self.reference) for universe in self.universes)

    @property
    def n_same_conclusion(self) -> int:
        """Same sign and same significance as the reference."""
        return sum(_same_conclusion(universe, self.reference) for universe in self.universes)

    @property
    def survives(self) -> bool | None:
        """Whether every universe gives the conclusion of the reference; None where the reference has none."""
        if self.reference.sign is None:
            return None
        return self.n_same_conclusion == len(self.universes)

    @property
    def words(self) -> str:
        if self.reference.sign is None:
            return f"No conclusion to test: {self.reference.estimate.reason}."
        total = len(self.universes)
        n_sign, n_undefined = self.n_same_sign, total - self.n_defined
        gives = "gives" if n_sign == 1 else "give"
        text = f"Of {total} {'analysis' if total == 1 else 'analyses'}, {n_sign} {gives} the same sign"
        text += f" and {self.n_same_conclusion} also the same significance"
        if n_undefined:
            text += f"; {n_undefined} {'is' if n_undefined == 1 else 'are'} undefined"
        broken = [choice for choice in self.choices if choice.n_same_significance < choice.n_universes]
        worst = sorted(broken, key=lambda choice: choice.n_same_significance / choice.n_universes)[:3]
        if worst:
            parts = (f"{_in_words(each)} ({each.n_same_significance} of {each.n_universes})" for each in worst)
            text += ". Support is weakest with " + ", ".join(parts)
        return text + "."


def _in_words(choice: Choice) -> str:
    if choice.axis == "aggregation":
        return _AGGREGATED[choice.option]
    if choice.option in (NOBODY, ALL_UNITS):
        return choice.option
    return f"the {'rule' if choice.axis == 'exclusion' else 'subset'} “{choice.option}”"


def multiverse(
    ratings: Ratings,
    conclude: Callable[[FloatArray], Estimate],
    *,
    exclusions: Mapping[str, ArrayLike] | None = None,
    aggregations: Sequence[Aggregation] = AGGREGATIONS,
    subsets: Mapping[str, ArrayLike] | None = None,
    null: float = 0.0,
    covers: str | None = None,
) -> Multiverse:
    """Run `conclude` in every universe exclusions × aggregations × subsets.

    conclude    (n_units,) scores, NaN for a unit without one → Estimate. A random step inside it should take a
                generator seeded again at each call, so that universes differ only by their choices
    exclusions  name → (n_raters,) True for a rater left out; "nobody excluded" is always there and comes first
    subsets     name → (n_units,) True for a unit kept; "all units" is always there and comes first
    covers      which interval decides significance; the estimate's first where omitted
    The reference is nobody excluded, the first aggregation, all units. Each pair of exclusion and aggregation is
    scored once. Raises BadRatings for masks of the wrong length.
    """
    rules, parts = {NOBODY: np.zeros(ratings.n_raters, bool)}, {ALL_UNITS: np.ones(ratings.n_units, bool)}
    rules |= {name: np.asarray(mask, bool) for name, mask in (exclusions or {}).items()}
    parts |= {name: np.asarray(mask, bool) for name, mask in (subsets or {}).items()}
    for masks, length, kind in ((rules, ratings.n_raters, "exclusion"), (parts, ratings.n_units, "subset")):
        for name, mask in masks.items():
            if mask.shape != (length,):
                raise BadRatings(f"{kind} {name!r} has shape {mask.shape}; it must be ({length},)")
    universes = []
    active = np.bincount(ratings.rater, minlength=ratings.n_raters) > 0
    for (rule, excluded), aggregation in product(rules.items(), aggregations):
        kept = ratings.without_raters(excluded)
        scores = unit_scores(kept, aggregation)
        for part, mask in parts.items():
            chosen = np.where(mask, scores, np.nan)
            estimate = conclude(chosen)
            sign = None if isnan(estimate.value) else int(np.sign(estimate.value - null))
            universes.append(
                Universe(
                    rule,
                    aggregation,
                    part,
                    int((excluded & active).sum()),
                    int(mask[kept.unit].sum()),
                    int((~np.isnan(chosen)).sum()),
                    estimate,
                    sign,
                    _significant(estimate, null, covers),
                )
            )
    return Multiverse(universes[0], tuple(universes), _choices(universes), null)


def unit_scores(ratings: Ratings, aggregation: Aggregation) -> FloatArray:
    """(n_units,) one score per unit on the scale's values; NaN for a unit without ratings.

    mean, median (mean of the middle two at even counts); majority: the value given most, NaN where several share
    first place; dawid_skene: expected value Σ P(level) · value under the fitted posterior, NaN where there is no fit.
    """
    if aggregation == "mean":
        return mean_by(ratings.unit, ratings.values[ratings.level], ratings.n_units)
    if aggregation == "median":
        return _medians(ratings)
    if aggregation == "majority":
        vote = majority_vote(ratings.unit, ratings.level, n_units=ratings.n_units, n_levels=len(ratings.values))
        return np.where(vote.level >= 0, ratings.values[vote.level], np.nan)
    if aggregation == "dawid_skene":
        return dawid_skene(ratings).posterior @ ratings.values
    raise ValueError(f"{aggregation!r} is not an aggregation; there are {', '.join(AGGREGATIONS)}")


def _medians(ratings: Ratings) -> FloatArray:
    """Sorts whole numbers (unit and level in one), which is many times faster than sorting values within units."""
    n_levels = len(ratings.values)
    ordered = np.sort(ratings.unit * np.int64(n_levels) + ratings.level)
    count = np.bincount(ratings.unit, minlength=ratings.n_units)
    start, rated = np.cumsum(count) - count, count > 0
    result = np.full(ratings.n_units, np.nan)
    low = ratings.values[ordered[(start + (count - 1) // 2)[rated]] % n_levels]
    high = ratings.values[ordered[(start + count // 2)[rated]] % n_levels]
    result[rated] = (low + high) / 2
    return result


def exclusion_rules(
    rows: Sequence[RaterRow],
    *,
    min_ratings: int = 10,
    gold_below: float = 0.7,
    correlation_below: float = 0.2,
    fast_above: float = 0.3,
    consistency_below: float = 0.6,
    run_p_below: float = 0.001,
    suspicion_above: float = 1.0,
) -> dict[str, _Mask]:
    """Common rules as masks over the rows of a rater table, named with their thresholds; for `multiverse`.

    A rater for whom a rule's figure is undefined is not excluded by it. Rules that no rater has data for are left out.
    """

    def column(name: str) -> FloatArray:
        return np.array([getattr(row, name).value for row in rows])

    figures: dict[str, tuple[FloatArray, Callable[[FloatArray], _Mask]]] = {
        f"fewer than {min_ratings} ratings": (
            np.array([row.n for row in rows], dtype=float),
            lambda n: (n > 0) & (n < min_ratings),
        ),
        f"gold passed below {gold_below:g}": (column("gold_pass_rate"), lambda x: x < gold_below),
        f"correlation with the others below {correlation_below:g}": (
            column("rank_correlation"),
            lambda x: x < correlation_below,
        ),
        f"share of fast ratings above {fast_above:g}": (column("fast_share"), lambda x: x > fast_above),
        f"self-consistency below {consistency_below:g}": (
            column("self_consistency"),
            lambda x: x < consistency_below,
        ),
        f"a run of one level with p below {run_p_below:g}": (
            np.array([row.run_p_value for row in rows]),
            lambda p: p < run_p_below,
        ),
        f"suspicion above {suspicion_above:g}": (
            np.array([row.suspicion.score for row in rows]),
            lambda x: x > suspicion_above,
        ),
    }
    # Comparisons with NaN are False: an undefined figure excludes nobody.
    return {name: rule(values) for name, (values, rule) in figures.items() if not np.all(np.isnan(values))}


def _significant(estimate: Estimate, null: float, covers: str | None) -> bool | None:
    interval = next(iter(estimate.intervals), None) if covers is None else estimate.interval(covers)
    if interval is None or not interval.is_defined:
        return None
    return not interval.low <= null <= interval.high


def _same_sign(universe: Universe, reference: Universe) -> bool:
    return universe.sign is not None and universe.sign == reference.sign


def _same_conclusion(universe: Universe, reference: Universe) -> bool:
    return _same_sign(universe, reference) and universe.significant == reference.significant


def _choices(universes: Sequence[Universe]) -> tuple[Choice, ...]:
    reference = universes[0]
    choices = []
    for axis in ("exclusion", "aggregation", "subset"):
        for option in dict.fromkeys(getattr(universe, axis) for universe in universes):
            taken = [universe for universe in universes if getattr(universe, axis) == option]
            choices.append(
                Choice(
                    axis,
                    option,
                    len(taken),
                    sum(universe.sign is not None for universe in taken),
                    sum(_same_sign(universe, reference) for universe in taken),
                    sum(_same_conclusion(universe, reference) for universe in taken),
                )
            )
    return tuple(choices)
