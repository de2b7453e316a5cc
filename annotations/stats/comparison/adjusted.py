"""Fair averages: each method's mean as if every rater had rated it on every prompt.

A plain mean is unfair where a method happened to meet severe raters or hard prompts. The additive model
value = method + prompt + rater + rest, fitted by least squares to all ratings, takes both off; an adjusted mean is what
it predicts for the method, averaged over all prompts and raters with equal weight. They are the estimated marginal
means of R's `emmeans` (Searle, Speed & Milliken 1980, Am. Stat. 34:216); where all raters rate all images, they are the
plain means. Intervals leave out whole prompts and whole raters (jackknife) and refit.
"""

from dataclasses import dataclass
from functools import cached_property
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.sparse import csgraph

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.estimate import Estimate, Interval
from annotations.stats.intervals.crossed_clusters import combined, combined_freedom
from annotations.stats.intervals.few import too_few
from annotations.stats.intervals.on_scale import interval_on_scale
from annotations.stats.ratings import BadRatings, Ratings

_METHOD = "least squares: value = method + prompt + rater; averaged over all prompts and raters alike"
_HOW = "delete-one jackknife of the fit, Student's t"
_BLOCKS = 100
"""More prompts or raters than this are left out in this many blocks,"""
_FEW_BLOCKS = 30
"""and in this many where there are more ratings than"""
_MANY_RATINGS = 100_000
MOST_TOGETHER = 2_000
"""Methods and raters: their matrix is dense."""


@dataclass(frozen=True)
class AdjustedMean:
    """One method. mean: the adjusted one, with intervals over "prompts and raters", "prompts" and "raters";
    raw: the plain mean of the ratings used."""

    method: int
    mean: Estimate
    raw: float


@dataclass(frozen=True)
class Adjusted:
    """methods in ascending order of code; severity (n_raters,) of each rater against the mean rater, below 0 severer,
    NaN without ratings; reason: why there are none."""

    methods: tuple[AdjustedMean, ...]
    severity: FloatArray
    reason: str = ""


def adjusted_means(
    ratings: Ratings, *, prompt: NDArray[np.integer], method: NDArray[np.integer], level: float = 0.95
) -> Adjusted:
    """prompt, method (n_units,) int codes per unit; a negative one leaves the unit out.

    Undefined with the reason where methods, prompts and raters fall into groups that share no ratings: then a
    method's level cannot be separated from its raters' severity. Intervals need three prompts (raters), whose jackknife
    leaves the rest connected. Raises BadRatings for codes that do not fit.
    """
    prompt, method = np.asarray(prompt), np.asarray(method)
    if prompt.shape != (ratings.n_units,) or method.shape != (ratings.n_units,):
        raise BadRatings(f"prompt and method need one code for each of the {ratings.n_units} units")
    used = ((prompt >= 0) & (method >= 0))[ratings.unit]
    severity = np.full(ratings.n_raters, nan)
    if not used.any():
        return Adjusted((), severity, "no rating has a prompt and a method")
    unit = ratings.unit[used]
    names, m = np.unique(method[unit], return_inverse=True)
    prompts, p = np.unique(prompt[unit], return_inverse=True)
    raters, r = np.unique(ratings.rater[used], return_inverse=True)
    if len(names) + len(raters) > MOST_TOGETHER:
        return Adjusted((), severity, f"{len(raters)} raters are too many to be adjusted for together")
    value = ratings.values[ratings.level[used]]
    of_prompt, of_method, of_rater = (each.astype(np.int64) for each in (p, m, r))
    sums = _Sums(len(names), len(raters), len(prompts), of_prompt, of_method, of_rater, value)
    if not sums.is_connected(np.ones(len(prompts), bool), np.ones(len(raters), bool)):
        return Adjusted((), severity, "methods, prompts and raters fall into groups that share no ratings")
    means, of_raters = sums.fit(np.ones(len(prompts)), np.ones(len(raters)))
    severity[raters] = of_raters - of_raters.mean()
    n = {"ratings": len(value), "prompts": len(prompts), "raters": len(raters)}
    within = (float(ratings.values[0]), float(ratings.values[-1]))
    intervals = _intervals(sums, means, n, within, level)
    raw = np.bincount(m, value) / np.bincount(m)
    return Adjusted(
        tuple(
            AdjustedMean(int(names[k]), Estimate("adjusted_mean", float(means[k]), _METHOD, n, intervals[k]), raw[k])
            for k in range(len(names))
        ),
        severity,
    )


@dataclass(frozen=True)
class _Sums:
    """The ratings, (n,) each, and the normal equations of any of their prompts and raters."""

    k: int
    n_raters: int
    n_prompts: int
    prompt: IntArray
    method: IntArray
    rater: IntArray
    value: FloatArray

    @cached_property
    def _cells(self) -> tuple[IntArray, IntArray, IntArray]:
        """Of the table of prompts × (methods, raters): where each rating is, twice, the cells' columns, and row starts.

        The same for any weights, and sorting them takes longest.
        """
        size = self.k + self.n_raters
        keys = np.concatenate((self.prompt * size + self.method, self.prompt * size + self.k + self.rater))
        distinct, place = np.unique(keys, return_inverse=True)
        rows, columns = divmod(distinct, size)
        return place, columns, np.searchsorted(rows, np.arange(self.n_prompts + 1))

    def n_blocks(self, size: int) -> int:
        """In how many parts this many prompts or raters are left out."""
        return min(size, _BLOCKS if len(self.value) <= _MANY_RATINGS else _FEW_BLOCKS)

    def is_connected(self, prompts: NDArray[np.bool_], raters: NDArray[np.bool_]) -> bool:
        """Whether least squares can separate all methods, kept raters and kept prompts."""
        kept = prompts[self.prompt] & raters[self.rater]
        n = self.k + self.n_raters + self.n_prompts
        p = self.k + self.n_raters + self.prompt[kept]
        rows = np.concatenate((self.method[kept], self.k + self.rater[kept]))
        graph = sparse.coo_array((np.ones(len(rows)), (rows, np.concatenate((p, p)))), shape=(n, n))
        groups = csgraph.connected_components(graph, directed=False)[1]
        wanted = np.concatenate((np.ones(self.k, bool), raters, prompts))
        return len(np.unique(groups[wanted])) == 1

    def fit(self, prompts: FloatArray, raters: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Adjusted means (k,) and raters' effects (n_raters,), with weights of 0 or 1 for prompts and raters.

        NaN where the equations have no single solution, as where those kept fall into groups that share no prompt.
        """
        weight = prompts[self.prompt] * raters[self.rater]
        size, columns = self.k + self.n_raters, (self.method, self.k + self.rater)
        place, of_cell, starts = self._cells
        entries = np.bincount(place, np.tile(weight, 2), minlength=len(of_cell))
        table = sparse.csr_array((entries, of_cell, starts), shape=(self.n_prompts, size))
        n_of_prompt = np.bincount(self.prompt, weight, minlength=self.n_prompts)
        total = np.bincount(self.prompt, weight * self.value, minlength=self.n_prompts)
        inverse = np.divide(1.0, n_of_prompt, out=np.zeros_like(n_of_prompt), where=n_of_prompt > 0)
        shared = (table.T @ (table * inverse[:, None])).toarray()
        kept = np.concatenate((np.ones(self.k), raters)) > 0
        # Two of them share a prompt, or are joined by others that do.
        if csgraph.connected_components(shared[np.ix_(kept, kept)] > 0, directed=False)[0] > 1:
            return np.full(self.k, nan), np.full(self.n_raters, nan)
        matrix = np.zeros((size, size))
        crossed = self.method * self.n_raters + self.rater
        both = np.bincount(crossed, weight, minlength=self.k * self.n_raters).reshape(self.k, self.n_raters)
        matrix[: self.k, self.k :], matrix[self.k :, : self.k] = both, both.T
        matrix += np.diag(np.concatenate((both.sum(axis=1), both.sum(axis=0))))
        matrix -= shared
        right = np.zeros(size)
        for one in columns:
            right += np.bincount(one, weight * self.value, minlength=size)
        right -= np.asarray(table.T @ (inverse * total))
        # Constants: effects of raters sum to 0, and those of methods too; left-out raters are 0.
        of_methods = np.where(np.arange(size) < self.k, 1.0, 0.0)
        matrix += np.outer(of_methods, of_methods) + np.outer(1 - of_methods, 1 - of_methods)
        effects = np.zeros(size)
        try:
            solved = linalg.solve(matrix[np.ix_(kept, kept)], right[kept], assume_a="sym")
        except linalg.LinAlgError:
            return np.full(self.k, nan), np.full(self.n_raters, nan)
        effects[kept] = solved
        # Each prompt's level is what its ratings leave once methods and raters are taken off.
        level = inverse * (total - table @ effects)
        grand = float(level[prompts > 0].mean()) + float(effects[self.k :][raters > 0].mean())
        return effects[: self.k] + grand, effects[self.k :]


def _intervals(
    sums: _Sums, means: FloatArray, n: dict[str, int], within: tuple[float, float], level: float
) -> list[tuple[Interval, ...]]:
    """For each method the intervals over both, over prompts and over raters."""
    variances, freedom, reasons = {}, {}, {}
    for kind, size in (("prompts", sums.n_prompts), ("raters", sums.n_raters)):
        reasons[kind] = too_few(size, kind)
        variances[kind] = np.full(sums.k, nan) if reasons[kind] else _jackknife(sums, kind)
        freedom[kind] = np.full(sums.k, float(sums.n_blocks(size) - 1))
        if not reasons[kind] and np.isnan(variances[kind]).any():
            reasons[kind] = f"without one of the {kind} the rest falls apart"
    both = "prompts and raters"
    reasons[both] = reasons["prompts"] or reasons["raters"]
    # The ratings themselves are in both variances; what they contain in common is not taken off, which is on the safe
    # side by the variance of the ratings' noise.
    variances[both] = combined(variances["prompts"], variances["raters"], np.zeros(sums.k))
    n_blocks = {kind: sums.n_blocks(n[kind]) for kind in ("prompts", "raters")}
    freedom[both] = combined_freedom(
        variances[both], variances["prompts"], n_blocks["prompts"], variances["raters"], n_blocks["raters"]
    )
    found = []
    for k in range(sums.k):
        of_method = []
        for covers in (both, "prompts", "raters"):
            if reasons[covers]:
                of_method.append(Interval.undefined(covers, _HOW, reasons[covers], level))
                continue
            of_method.append(
                interval_on_scale(
                    float(means[k]),
                    sqrt(float(variances[covers][k])),
                    float(freedom[covers][k]),
                    covers=covers,
                    method=_HOW,
                    scale="plain",
                    level=level,
                    within=within,
                )
            )
        found.append(tuple(of_method))
    return found


def _jackknife(sums: _Sums, kind: str) -> FloatArray:
    """(k,) the variance of the adjusted means when each of this kind is left out; NaN where the rest falls apart."""
    size = sums.n_prompts if kind == "prompts" else sums.n_raters
    block = np.arange(size) % sums.n_blocks(size)
    replicates = []
    for out in range(int(block.max()) + 1):
        kept = block != out
        ones = np.ones(sums.n_raters if kind == "prompts" else sums.n_prompts, bool)
        pair = (kept, ones) if kind == "prompts" else (ones, kept)
        prompts, raters = _with_ratings(sums, *pair)
        replicates.append(sums.fit(prompts.astype(float), raters.astype(float))[0])
    b = len(replicates)
    spread = np.asarray(replicates) - np.mean(replicates, axis=0)
    return np.asarray((b - 1) / b * (spread**2).sum(axis=0))


def _with_ratings(
    sums: _Sums, prompts: NDArray[np.bool_], raters: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Those of them that still have a rating."""
    kept = prompts[sums.prompt] & raters[sums.rater]
    return (
        prompts & (np.bincount(sums.prompt[kept], minlength=sums.n_prompts) > 0),
        raters & (np.bincount(sums.rater[kept], minlength=sums.n_raters) > 0),
    )
