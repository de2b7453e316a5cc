"""Two studies of the same images: do the panels agree, do people answer the same way twice, and is the winner the
same?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np

from annotations.reports.numbers import counted, figure
from annotations.reports.replication.winners import Winners, winners
from annotations.reports.study.data import DimensionData, StudyData
from annotations.reports.votes.agreement import exchanged_answers
from annotations.stats.agreement.alpha import Metric, krippendorff_alpha
from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.comparison.compare import Comparison, compare
from annotations.stats.estimate import Estimate, Interval
from annotations.stats.intervals.pattern_families import with_exchanged
from annotations.stats.raters.cross_replication import cross_replication, normalised
from annotations.stats.raters.table import Repeats
from annotations.stats.raters.within_rater import WithinRaters, within_raters
from annotations.stats.ratings import Ratings

MOST_POINTS = 500
WIDEST_FIRST = ("prompts and raters", "prompts", "raters")
LEAST_RELIABILITY = 0.1
"""The least agreement within a panel to which the agreement between panels is related."""


@dataclass(frozen=True)
class Panel:
    """One question of one study. keys: of `data.units`, equal for units that both studies show."""

    title: str
    data: StudyData
    dimension: DimensionData
    keys: Sequence[str]

    def shared(self) -> list[str]:
        """The keys of the question's units, in its order of units."""
        return [self.keys[unit] for unit in self.dimension.units.tolist()]


@dataclass(frozen=True)
class HeldComparison:
    """Two methods compared in each study, and with the answers of both together (None where scales differ)."""

    baseline: str
    refined: str
    first: Comparison
    second: Comparison
    pooled: Comparison | None

    @property
    def verdict(self) -> str:
        """What the second study says about the first one's answer."""
        for study, found in (("first", self.first), ("second", self.second)):
            if isnan(found.mean_diff.value):
                return f"undecided: in the {study} study no prompt has rated images of both methods"
        before, after = _sign(self.first.mean_diff), _sign(self.second.mean_diff)
        if before == 0:
            return "the first study did not decide" + ("" if after == 0 else "; the second does")
        if after == before:
            return "holds: the same method is ahead in both, each beyond its interval"
        if after == -before:
            return "is reversed: the other method is ahead in the second study"
        same = (self.second.mean_diff.value > 0) == (before > 0)
        return (
            "is not confirmed: the second study points the same way without deciding"
            if same
            else ("is not confirmed: the second study points the other way without deciding")
        )


@dataclass(frozen=True)
class SideBySide:
    """Everything that is shown about two studies.

    n_shared, n_first, n_second   units that both studies rated, that only the first rated, and that only the second
                                  rated
    noun                          what a shared unit is: "image", "pair of images" or "set of images"
    kappa, alphas, normalised     agreement between the panels, within each on the shared units, and their ratio
    no_ratio                      why there is no ratio
    points                        (first mean, second mean) of shared units, at most MOST_POINTS
    correlation, shift            of the units' means; second minus first; NaN where levels have no order
    has_means                     whether the units have means: ratings, and ranks, where 1 is best
    retest                        of people who answered in both studies; None without any
    winners                       of votes and rankings; None for ratings
    """

    n_shared: int
    n_first: int
    n_second: int
    is_same_scale: bool
    kappa: Estimate | None
    alphas: tuple[Estimate, Estimate] | None
    normalised: float
    points: tuple[tuple[float, float], ...]
    correlation: float
    shift: float
    retest: WithinRaters | None
    n_retested: int
    comparisons: tuple[HeldComparison, ...]
    noun: str = "image"
    no_ratio: str = ""
    has_means: bool = True
    winners: Winners | None = None

    @property
    def sentence(self) -> str:
        """The answer: of votes and rankings whether the winner is the same, of ratings how far the panels agree."""
        return self.winners.sentence if self.winners is not None else self.agreement_sentence

    @property
    def agreement_sentence(self) -> str:
        """How far the panels agree."""
        shared = counted(self.n_shared, self.noun, self.noun.replace(" of", "s of", 1) if " " in self.noun else "")
        if self.n_shared < 2:
            return "The two studies share fewer than two rated images: nothing can be compared."
        if self.kappa is None:
            return f"{shared} in both studies; the scales differ, so only the order is compared."
        if isnan(self.kappa.value):
            return f"Agreement between the panels cannot be estimated: {self.kappa.reason}."
        interval = self.kappa.intervals[0] if self.kappa.intervals else None
        within = f" (95% interval {_range(interval)})" if interval and interval.is_defined else ""
        said = f"Agreement between the panels is {figure(self.kappa.value, digits=2)}{within} on {shared}"
        if isnan(self.normalised):
            return f"{said}. It is not compared with the agreement within each panel: {self.no_ratio}."
        times = figure(self.normalised, digits=2)
        return f"{said}, {times} times what agreement within each panel would lead you to expect."


def side_by_side(
    first: Panel,
    second: Panel,
    *,
    comparisons: Sequence[tuple[str, str]],
    same_people: Mapping[str, str],
    seed: int = 0,
    n_resamples: int = 1000,
) -> SideBySide:
    """Compare two questions of two studies.

    comparisons  (baseline, refined) methods of both studies
    same_people  raters' names in the first study → in the second
    """
    keys, a, b = np.intersect1d(
        np.array(first.shared(), object), np.array(second.shared(), object), return_indices=True
    )
    one, other = first.dimension, second.dimension
    is_same = one.ratings.values.tolist() == other.ratings.values.tolist() and one.kind == other.kind
    x, y = _counts(one.ratings), _counts(other.ratings)
    kappa, alphas, ratio, no_ratio = None, None, nan, ""
    if is_same:
        distance: Metric = _distance(one)
        prompt = first.data.prompt[one.units][a]
        exchanged = exchanged_answers(one.votes)
        clusters = prompt if len(prompt) and (prompt >= 0).all() else None
        if exchanged and clusters is None:
            clusters = np.arange(len(a))
        kappa = cross_replication(
            _twice(x[a], exchanged),
            _twice(y[b], exchanged),
            values=one.ratings.values,
            distance=distance,  # type: ignore[arg-type]  # never the ratio metric
            cluster=np.tile(clusters, 2) if exchanged and clusters is not None else clusters,
            rng=np.random.default_rng([seed, 1]),
            n_resamples=n_resamples,
        )
        alphas = (_alpha(one, a, distance), _alpha(other, b, distance))
        no_ratio = _no_ratio(kappa, alphas)
        ratio = nan if no_ratio else normalised(kappa.value, alphas[0].value, alphas[1].value)
    means = np.column_stack([_means(one)[a], _means(other)[b]])
    means = means[np.isfinite(means).all(axis=1)]
    spread = np.unique(np.linspace(0, max(len(means) - 1, 0), min(len(means), MOST_POINTS)).round().astype(int))
    repeats = _repeats(one, other, a, b, same_people) if is_same else None
    retest = within_raters(repeats, one.ratings.values, is_ordinal=one.is_ordinal) if repeats is not None else None
    return SideBySide(
        n_shared=len(keys),
        n_first=len(one.units) - len(keys),
        n_second=len(other.units) - len(keys),
        is_same_scale=is_same,
        kappa=kappa,
        alphas=alphas,
        normalised=ratio,
        points=tuple((float(left), float(right)) for left, right in means[spread].tolist()),
        correlation=_rank_correlation(means),
        shift=float((means[:, 1] - means[:, 0]).mean()) if len(means) and is_same and one.is_ordinal else nan,
        retest=retest,
        n_retested=len(np.unique(repeats.rater)) if repeats is not None else 0,
        comparisons=tuple(_held(first, second, pair, is_same, seed, n_resamples) for pair in comparisons)
        if one.is_ordinal and other.is_ordinal
        else (),
        noun=_noun(keys[0] if len(keys) else ""),
        no_ratio=no_ratio,
        has_means=_has_means(one) and _has_means(other),
        winners=winners(one.preferences, other.preferences)
        if one.preferences is not None and other.preferences is not None
        else None,
    )


def _no_ratio(kappa: Estimate, alphas: tuple[Estimate, Estimate]) -> str:
    """Why agreement between panels is not divided by that within them; empty if it is.

    A ratio to a reliability near 0 says nothing: a small change of the reliability changes it without bounds.
    """
    if isnan(kappa.value):
        return kappa.reason
    for which, alpha in zip(("first", "second"), alphas, strict=True):
        about = f"agreement within the {which} study"
        if isnan(alpha.value):
            return f"{about} cannot be estimated: {alpha.reason}"
        if alpha.value < LEAST_RELIABILITY:
            return f"{about} is {figure(alpha.value, digits=2)}, too close to 0 to divide by"
        interval = next((each for each in alpha.intervals if each.is_defined), None)
        if interval is not None and interval.low <= 0:
            return f"{about} is {figure(alpha.value, digits=2)}, and its 95% interval ({_range(interval)}) reaches 0"
    return ""


def _range(interval: Interval) -> str:
    between = " to " if interval.low < 0 else "–"
    return between.join(figure(end, digits=2) for end in (interval.low, interval.high))


def _noun(key: str) -> str:
    return {0: "image", 1: "pair of images"}.get(key.count("|"), "set of images")


def _has_means(dimension: DimensionData) -> bool:
    return dimension.is_ordinal or dimension.kind == "ranking"


def _held(
    first: Panel, second: Panel, pair: tuple[str, str], is_same: bool, seed: int, n_resamples: int
) -> HeldComparison:
    def compared(ratings: Ratings, prompt: IntArray, method: IntArray, names: Sequence[str]) -> Comparison:
        return compare(
            ratings,
            prompt=prompt,
            method=method,
            baseline=names.index(pair[0]),
            refined=names.index(pair[1]),
            rng=np.random.default_rng([seed, 2]),
            n_resamples=n_resamples,
        )

    found = [
        compared(
            panel.dimension.ratings,
            panel.data.prompt[panel.dimension.units],
            panel.data.method[panel.dimension.units],
            list(panel.data.methods),
        )
        for panel in (first, second)
    ]
    pooled = compared(*_pooled(first, second)) if is_same else None
    return HeldComparison(pair[0], pair[1], found[0], found[1], pooled)


def _pooled(first: Panel, second: Panel) -> tuple[Ratings, IntArray, IntArray, list[str]]:
    """Both studies' answers as those of one: units by key, raters separate by study, prompts and methods by name."""
    panels = (first, second)
    units = {key: code for code, key in enumerate(sorted({key for panel in panels for key in panel.shared()}))}
    prompts = {text: code for code, text in enumerate(sorted({*first.data.prompts, *second.data.prompts}))}
    methods = sorted({*first.data.methods, *second.data.methods})
    prompt, method = np.full(len(units), -1, np.int64), np.full(len(units), -1, np.int64)
    unit, rater, level = [], [], []
    n_raters = 0
    for panel in panels:
        own = np.array([units[key] for key in panel.shared()], np.int64)
        for names, codes, target in (
            (panel.data.prompts, panel.data.prompt, prompt),
            (panel.data.methods, panel.data.method, method),
        ):
            place = np.array([*(prompts[n] if target is prompt else methods.index(n) for n in names), -1], np.int64)
            target[own] = place[codes[panel.dimension.units]]
        ratings = panel.dimension.ratings
        unit.append(own[ratings.unit])
        rater.append(ratings.rater + n_raters)
        level.append(ratings.level)
        n_raters += ratings.n_raters
    pooled = Ratings(
        np.concatenate(unit),
        np.concatenate(rater),
        np.concatenate(level),
        first.dimension.ratings.values,
        len(units),
        n_raters,
    )
    return pooled, prompt, method, methods


def _counts(ratings: Ratings) -> IntArray:
    cells = ratings.unit * np.int64(ratings.n_levels) + ratings.level
    return np.bincount(cells, minlength=ratings.n_units * ratings.n_levels).reshape(ratings.n_units, ratings.n_levels)


def _means(dimension: DimensionData) -> FloatArray:
    return dimension.unit_means() if _has_means(dimension) else np.full(dimension.ratings.n_units, nan)


def _distance(dimension: DimensionData) -> Metric:
    if dimension.kind == "interval":
        return "interval"
    return "ordinal" if dimension.is_ordinal else "nominal"


def _alpha(dimension: DimensionData, shared: IntArray, metric: Metric) -> Estimate:
    of_shared = dimension.ratings.only_units(shared)
    return krippendorff_alpha(of_shared, metric, covers=("units",), exchanged=exchanged_answers(dimension.votes))


def _twice(counts: IntArray, exchanged: tuple[int, int] | None) -> IntArray:
    """All units, and all again with two answers exchanged that mean something else in each unit."""
    return counts if exchanged is None else np.vstack([counts, with_exchanged(counts, exchanged)])


def _repeats(
    one: DimensionData, other: DimensionData, a: IntArray, b: IntArray, same_people: Mapping[str, str]
) -> Repeats | None:
    """Answers that the same person gave to the same unit in both studies; None if there are none."""
    place = np.full(other.ratings.n_units, -1, np.int64)
    place[b] = a
    people = {name: code for code, name in enumerate(other.raters)}
    twin = np.array([people.get(same_people.get(name, ""), -1) for name in one.raters], np.int64)
    back = np.full(len(other.raters), -1, np.int64)
    back[twin[twin >= 0]] = np.flatnonzero(twin >= 0)
    n = np.int64(one.ratings.n_units)
    first_cell = one.ratings.rater * n + one.ratings.unit
    is_known = (back[other.ratings.rater] >= 0) & (place[other.ratings.unit] >= 0)
    second_cell = back[other.ratings.rater[is_known]] * n + place[other.ratings.unit[is_known]]
    cells, i, j = np.intersect1d(first_cell, second_cell, return_indices=True)
    if not len(cells):
        return None
    return Repeats(cells // n, one.ratings.level[i], other.ratings.level[is_known][j])


def _rank_correlation(means: FloatArray) -> float:
    if len(means) < 3:
        return nan
    ranks = [np.unique(column, return_inverse=True, return_counts=True) for column in means.T]
    middle = [(np.cumsum(times) - times / 2)[code] for _values, code, times in ranks]
    if any(np.ptp(column) == 0 for column in middle):
        return nan
    return float(np.corrcoef(middle[0], middle[1])[0, 1])


def _sign(estimate: Estimate) -> int:
    """1 or −1 if the widest available interval excludes 0; 0 otherwise."""
    for covers in WIDEST_FIRST:
        interval = estimate.interval(covers)
        if interval is not None and interval.is_defined:
            return 1 if interval.low > 0 else -1 if interval.high < 0 else 0
    return 0
