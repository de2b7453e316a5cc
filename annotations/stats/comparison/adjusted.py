"""Fair averages: each method's mean as if every rater had rated it on every prompt.

A plain mean is unfair where a method happened to meet severe raters or hard prompts. The additive model
value = method + prompt + rater + rest, fitted by least squares to all ratings, removes both. An adjusted mean is what
it predicts for the method, averaged over all prompts and raters with equal weight. They are the estimated marginal
means of R's `emmeans` (Searle, Speed & Milliken 1980, Am. Stat. 34:216); where all raters rate all images, they are the
plain means. Intervals leave out whole prompts and whole raters (jackknife) and refit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.sparse import csgraph

from annotations.stats.arrays import FloatArray, IntArray, numbered, totals
from annotations.stats.estimate import Estimate, Interval
from annotations.stats.intervals.crossed_clusters import combined, combined_freedom
from annotations.stats.intervals.few import too_few
from annotations.stats.intervals.on_scale import interval_on_scale
from annotations.stats.ratings import BadRatings, Ratings

_METHOD = "least squares: value = method + prompt + rater; averaged over all prompts and raters alike"
_SINGULAR = 1e-11
"""A matrix whose reciprocal condition is below this, once its diagonal is 1, is singular up to rounding."""
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
    """One method. mean: the adjusted one, with intervals over "prompts and raters", "prompts" and "raters", and the
    number of the method's own ratings; raw: the plain mean of these."""

    method: int
    mean: Estimate
    raw: float


@dataclass(frozen=True)
class Adjusted:
    """methods in ascending order of code; severity (n_raters,) of each rater against the mean rater, below 0 severer,
    NaN without ratings; reason: why nothing could be estimated."""

    methods: tuple[AdjustedMean, ...]
    severity: FloatArray
    reason: str = ""


def adjusted_means(
    ratings: Ratings, *, prompt: NDArray[np.integer], method: NDArray[np.integer], level: float = 0.95
) -> Adjusted:
    """prompt, method (n_units,) int codes per unit; a negative one leaves the unit out.

    Undefined with the reason where methods, prompts and raters fall into groups that share no ratings, or where every
    rater rated only one method: then a method's level cannot be separated from its raters' severity. Intervals need
    three prompts (raters), whose jackknife leaves the rest separable. Raises BadRatings for codes that do not fit.
    """
    prompt, method = np.asarray(prompt), np.asarray(method)
    if prompt.shape != (ratings.n_units,) or method.shape != (ratings.n_units,):
        raise BadRatings(f"prompt and method need one code for each of the {ratings.n_units} units")
    used = ((prompt >= 0) & (method >= 0))[ratings.unit]
    severity = np.full(ratings.n_raters, nan)
    if not used.any():
        return Adjusted((), severity, "no rating has a prompt and a method")
    unit = ratings.unit[used]
    (names, m), (prompts, p), (raters, r) = map(numbered, (method[unit], prompt[unit], ratings.rater[used]))
    if len(names) + len(raters) > MOST_TOGETHER:
        return Adjusted((), severity, f"{len(raters)} raters are too many to be adjusted for together")
    value = ratings.values[ratings.level[used]]
    sums = _Sums(len(names), len(raters), len(prompts), p, m, r, value)
    if not sums.is_connected():
        return Adjusted((), severity, "methods, prompts and raters fall into groups that share no ratings")
    means, of_raters = sums.whole.fit()
    if np.isnan(means).any():
        hidden = "how severe their raters are" if sums.methods_share_prompts() else "how hard their prompts are"
        return Adjusted((), severity, f"what methods add cannot be separated from {hidden}")
    severity[raters] = of_raters - of_raters.mean()
    n = {"ratings": len(value), "prompts": len(prompts), "raters": len(raters)}
    within = (float(ratings.values[0]), float(ratings.values[-1]))
    intervals = _intervals(sums, means, n, within, level)
    of_method = np.bincount(m)
    raw = np.bincount(m, value) / of_method
    found = []
    for k, name in enumerate(names.tolist()):
        own = {**n, "ratings": int(of_method[k])}
        found.append(AdjustedMean(name, Estimate("adjusted_mean", float(means[k]), _METHOD, own, intervals[k]), raw[k]))
    return Adjusted(tuple(found), severity)


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
        """For the table of prompts × (methods, raters): both cells of each rating, the cells' columns, and row starts.

        The same whichever ratings are left out.
        """
        size = self.k + self.n_raters
        keys = np.concatenate((self.prompt * size + self.method, self.prompt * size + self.k + self.rater))
        present, place = numbered(keys)
        rows, columns = divmod(present, size)
        return place, columns, np.searchsorted(rows, np.arange(self.n_prompts + 1))

    def n_blocks(self, size: int) -> int:
        """The number of blocks in which this many prompts or raters are left out."""
        return min(size, _BLOCKS if len(self.value) <= _MANY_RATINGS else _FEW_BLOCKS)

    def is_connected(self) -> bool:
        """Whether least squares can separate all methods, raters and prompts."""
        n = self.k + self.n_raters + self.n_prompts
        p = self.k + self.n_raters + self.prompt
        rows = np.concatenate((self.method, self.k + self.rater))
        graph = sparse.coo_array((np.ones(len(rows)), (rows, np.concatenate((p, p)))), shape=(n, n))
        return bool(csgraph.connected_components(graph, directed=False)[0] == 1)

    def methods_share_prompts(self) -> bool:
        """Whether all methods are linked by prompts that several of them share."""
        rows, columns = self.method, self.k + self.prompt
        size = self.k + self.n_prompts
        graph = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size))
        return bool(csgraph.connected_components(graph, directed=False)[0] == 1)

    @cached_property
    def whole(self) -> "_Equations":
        """Those of all ratings."""
        return self._equations(self._whole, np.ones(len(self.prompt), bool))

    def without_prompts(self) -> Iterator["_Equations"]:
        """Those without each block of prompts, which is a difference of sums."""
        n_blocks = self.n_blocks(self.n_prompts)
        block = np.arange(self.n_prompts) % n_blocks
        of_rating = block[self.prompt]
        for out in range(n_blocks):
            part = self._whole.of(np.flatnonzero(block == out))
            yield self.whole.plus(self._equations(part, of_rating == out), -1)

    def without_raters(self) -> Iterator["_Equations"]:
        """Those without each block of raters: the equations of the prompts that they rated are built again."""
        n_blocks = self.n_blocks(self.n_raters)
        of_rating = (np.arange(self.n_raters) % n_blocks)[self.rater]
        for out in range(n_blocks):
            gone = of_rating == out
            is_theirs = np.zeros(self.n_prompts, bool)
            is_theirs[self.prompt[gone]] = True
            of_theirs, prompts = is_theirs[self.prompt], np.flatnonzero(is_theirs)
            before = self._equations(self._whole.of(prompts), of_theirs)
            after = self._equations(self._without(gone).of(prompts), of_theirs & ~gone)
            yield self.whole.plus(before, -1).plus(after, 1)

    @cached_property
    def _whole(self) -> "_Table":
        place, columns, starts = self._cells
        return _Table(
            np.bincount(place, minlength=len(columns)).astype(float),
            columns,
            starts,
            np.bincount(self.prompt, minlength=self.n_prompts).astype(float),
            totals(self.prompt, self.value, self.n_prompts),
        )

    def _without(self, gone: NDArray[np.bool_]) -> "_Table":
        """The table without these ratings (n,)."""
        whole, place = self._whole, self._cells[0]
        prompt = self.prompt[gone]
        lost = np.concatenate((place[: len(gone)][gone], place[len(gone) :][gone]))
        return _Table(
            whole.entries - np.bincount(lost, minlength=len(whole.entries)),
            whole.columns,
            whole.starts,
            whole.n - np.bincount(prompt, minlength=self.n_prompts),
            whole.total - np.bincount(prompt, self.value[gone], minlength=self.n_prompts),
        )

    def _equations(self, table: "_Table", kept: NDArray[np.bool_]) -> "_Equations":
        """Of these prompts, whose ratings are those kept (n,)."""
        method, rater, value = self.method[kept], self.rater[kept], self.value[kept]
        inverse = np.divide(1.0, table.n, out=np.zeros_like(table.n), where=table.n > 0)
        matrix = table.matrix(self.k + self.n_raters)
        both = np.bincount(method * self.n_raters + rater, minlength=self.k * self.n_raters)
        sums = np.bincount(method, value, minlength=self.k), np.bincount(rater, value, minlength=self.n_raters)
        return _Equations(
            both.reshape(self.k, self.n_raters).astype(float),
            (matrix.T @ (matrix * inverse[:, None])).toarray(),
            np.concatenate(sums) - np.asarray(matrix.T @ (inverse * table.total)),
            float(inverse @ table.total),
            np.asarray(matrix.T @ inverse),
            int(np.count_nonzero(table.n)),
        )


@dataclass(frozen=True)
class _Table:
    """Prompts × (methods, raters), sparse, row by row: entries and columns, row starts; ratings and total of each."""

    entries: FloatArray
    columns: IntArray
    starts: IntArray
    n: FloatArray
    total: FloatArray

    def matrix(self, size: int) -> sparse.csr_array:
        return sparse.csr_array((self.entries, self.columns, self.starts), shape=(len(self.n), size))

    def of(self, prompts: IntArray) -> "_Table":
        """The rows of these prompts."""
        lengths = np.diff(self.starts)[prompts]
        starts = np.concatenate(([0], np.cumsum(lengths)))
        at = np.repeat(self.starts[prompts] - starts[:-1], lengths) + np.arange(starts[-1])
        return _Table(self.entries[at], self.columns[at], starts, self.n[prompts], self.total[prompts])


@dataclass(frozen=True)
class _Equations:
    """Least squares with the prompts eliminated: sums over prompts, so that those of parts add up.

    both (k, n_raters) how many ratings; shared (size, size) Σ t tᵀ/n over the rows t of the table of prompts, of which
    each has n ratings; right (size,) what methods' and raters' effects are to give; level, and level_of (size,), say
    the sum of the prompts' own means, less what effects take from it; n_prompts with ratings.
    """

    both: FloatArray
    shared: FloatArray
    right: FloatArray
    level: float
    level_of: FloatArray
    n_prompts: int

    def plus(self, other: "_Equations", sign: int) -> "_Equations":
        """With those of other prompts, or without those of some of these."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return _Equations(*(one + sign * its for one, its in pairs))

    def fit(self) -> tuple[FloatArray, FloatArray]:
        """Adjusted means (k,) and effects of raters (n_raters,), 0 of those without ratings.

        NaN where the equations have no single solution, as where those left fall into groups that share no prompt.
        """
        k, n_raters = self.both.shape
        size, raters = k + n_raters, self.both.sum(axis=0) > 0
        kept = np.concatenate((np.ones(k, bool), raters))
        # Any two of them share a prompt, or are joined by others that do. What remains of a difference is far below
        # 1/n.
        together = self.shared[np.ix_(kept, kept)] > 0.5 / max(self.both.sum(), 1)
        if csgraph.connected_components(together, directed=False)[0] > 1:
            return np.full(k, nan), np.full(n_raters, nan)
        matrix = np.diag(np.concatenate((self.both.sum(axis=1), self.both.sum(axis=0)))) - self.shared
        matrix[:k, k:] += self.both
        matrix[k:, :k] += self.both.T
        # Constants: effects of raters sum to 0, and those of methods too; left-out raters are 0.
        of_methods = np.where(np.arange(size) < k, 1.0, 0.0)
        constants = np.outer(of_methods, of_methods) + np.outer(1 - of_methods, 1 - of_methods)
        matrix += self.both.sum() / size * constants
        effects = np.zeros(size)
        solved = _solved(matrix[np.ix_(kept, kept)], self.right[kept])
        if solved is None:
            return np.full(k, nan), np.full(n_raters, nan)
        effects[kept] = solved
        # Each prompt's level is what remains of its ratings once methods and raters are subtracted.
        level = (self.level - float(self.level_of @ effects)) / self.n_prompts
        return effects[:k] + level + float(effects[k:][raters].mean()), effects[k:]


def _solved(matrix: FloatArray, right: FloatArray) -> FloatArray | None:
    """The solution (n,) of positive definite equations; None where there are several, since rounding would pick one.

    That is so where each rater rated only one method: although prompts join them, severity and method cannot be
    separated.
    """
    scale = 1 / np.sqrt(np.maximum(np.diag(matrix), 1e-300))
    scaled = matrix * np.outer(scale, scale)
    lower, failed = linalg.lapack.dpotrf(scaled, lower=True)
    if failed or linalg.lapack.dpocon(lower, np.abs(scaled).sum(axis=0).max(), uplo="L")[0] < _SINGULAR:
        return None
    return np.asarray(scale * linalg.lapack.dpotrs(lower, scale * right, lower=True)[0])


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
    # The ratings themselves are in both variances; their common part is not subtracted, which errs on the safe side by
    # the variance of the ratings' noise.
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
    """(k,) the variance of the adjusted means when each of this kind is left out; NaN where the rest is no longer
    connected."""
    parts = sums.without_prompts() if kind == "prompts" else sums.without_raters()
    replicates = np.array([part.fit()[0] for part in parts])
    b = len(replicates)
    spread = replicates - replicates.mean(axis=0)
    return np.asarray((b - 1) / b * (spread**2).sum(axis=0))
