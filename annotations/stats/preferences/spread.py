"""The uncertainty of strengths: sandwich variances over prompts, raters and both, and the ranks they leave possible."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf, isnan, nan
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from annotations.stats.arrays import FloatArray
from annotations.stats.distributions import t_above, t_quantile
from annotations.stats.estimate import Estimate, Interval
from annotations.stats.intervals.crossed_clusters import (
    FEWEST,
    Clusters,
    combined,
    combined_freedom,
    crossed,
    too_few,
    with_information,
)
from annotations.stats.intervals.several import holm
from annotations.stats.preferences.newton import invert
from annotations.stats.preferences.win_rate import covered

Ranks = tuple[int | None, int | None]
FEW = 50
"""Up to this many clusters, each is left out in turn (one Newton step); with more, their scores are summed."""
_NO_INFORMATION = 1e-9
"""If less than this share of a direction's information is left without a cluster, what is left is rounding."""


class Sample(Protocol):
    """The observations with a fit of parameters (p,), of which the first `n_methods` are strengths."""

    n_methods: int
    parameters: FloatArray
    information: FloatArray

    def scores(self) -> sparse.csr_array:
        """(n, p): each observation's part of the gradient at the maximum."""

    def information_of(self, mask: NDArray[np.bool_]) -> FloatArray:
        """(p, p): the part of the information that these observations give."""

    def is_joined(self, mask: NDArray[np.bool_]) -> bool:
        """Whether these observations alone could rank all methods."""

    @property
    def n(self) -> int:
        """How many observations there are."""


class Spread:
    """Variances of contrasts of a fit's parameters, over each kind of cluster and over both."""

    def __init__(self, sample: Sample, kinds: list[Clusters]) -> None:
        self.parameters = sample.parameters
        self.covers = covered(kinds)
        self._inverse = invert(sample.information, sample.n_methods)
        if not kinds:
            self._variance = {"votes": self._inverse}
            self._n = {"votes": sample.n}
            return
        scores = sample.scores()
        wanted = [*kinds, crossed(*kinds)] if len(kinds) == 2 else kinds
        self._variance = {kind.name: _sandwich(sample, scores, kind, self._inverse) for kind in wanted}
        self._n = {kind.name: kind.n for kind in kinds}
        if len(kinds) == 2:
            self._n[wanted[-1].name] = min(self._n.values())

    def variance(self, contrasts: FloatArray, covers: str) -> FloatArray:
        """(m,) variances of m contrasts (m, k) or (m, p) of the parameters.

        Where leaving out clusters changes nothing, observations count as independent, as for a win rate.
        """

        def quadratic(matrix: FloatArray) -> FloatArray:
            size = contrasts.shape[1]
            return np.einsum("mi,ij,mj->m", contrasts, matrix[:size, :size], contrasts, optimize=True)

        def of(name: str) -> FloatArray:
            return with_information(quadratic(self._variance[name]), quadratic(self._inverse))

        if " and " not in covers:
            return of(covers)
        first, second = covers.split(" and ")
        return combined(of(first), of(second), of(covers))

    def freedom(self, contrasts: FloatArray, covers: str) -> FloatArray:
        """(m,) degrees of freedom of the variances of m contrasts; infinite where votes are independent."""
        if covers == "votes":
            return np.full(len(contrasts), inf)
        if " and " not in covers:
            return np.full(len(contrasts), self._n[covers] - 1.0)
        first, second = covers.split(" and ")
        both, over_first, over_second = (self.variance(contrasts, name) for name in (covers, first, second))
        return combined_freedom(both, over_first, self._n[first], over_second, self._n[second])

    def why_undefined(self, covers: str) -> str:
        if covers != "votes" and self._n[covers] < FEWEST:
            return too_few(covers, self._n)
        return ""

    def quantile(self, tail: float, contrasts: FloatArray, covers: str) -> FloatArray:
        """(m,) Student's quantiles for m contrasts."""
        return np.asarray(t_quantile(1 - tail, np.minimum(self.freedom(contrasts, covers), 1e9)))

    def interval(self, contrast: FloatArray, covers: str, level: float) -> Interval:
        """contrast (m,): weights of the first m parameters."""
        method = f"sandwich variance, t, clusters: {covers}"
        if reason := self.why_undefined(covers):
            return Interval.undefined(covers, method, reason, level)
        variance = float(self.variance(contrast[None], covers)[0])
        if isnan(variance):
            size = len(contrast)
            undefined = (kind for kind in covers.split(" and ") if np.isnan(self._variance[kind][:size, :size]).any())
            lost = next(undefined, covers)
            ranks_none = np.isnan(self._variance[lost][0, 0])
            reason = f"without one of the {lost} the others do not "
            reason += "rank all methods" if ranks_none else "determine this effect"
            return Interval.undefined(covers, method, reason, level)
        half = float(self.quantile((1 - level) / 2, contrast[None], covers)[0]) * variance**0.5
        value = float(contrast @ self.parameters[: len(contrast)])
        return Interval(value - half, value + half, covers, method, level)

    def p_value(self, contrast: FloatArray, covers: str) -> float:
        """Two-sided p of the contrast being 0; NaN where there is no interval."""
        if self.why_undefined(covers):
            return nan
        variance = float(self.variance(contrast[None], covers)[0])
        value = abs(float(contrast @ self.parameters[: len(contrast)]))
        if not variance > 0:
            return nan
        freedom = min(float(self.freedom(contrast[None], covers)[0]), 1e9)
        return float(min(1.0, 2 * t_above(value / variance**0.5, freedom)))


@dataclass(frozen=True)
class Difference:
    """How much stronger one method is than another: the difference of log-worths, which are log odds.

    p       two-sided, over what the first interval covers; p_holm: by Holm's correction over all pairs
    """

    first: int
    second: int
    log_odds: Estimate
    p: float
    p_holm: float


def differences(spread: Spread, order: Sequence[int], level: float, *, only_first: bool = False) -> list[Difference]:
    """The differences of all pairs, or of the first two methods, the stronger first. order: indices, strongest first.

    Holm's p is NaN with only_first, since it needs the p of all pairs.
    """
    k, covers = len(order), spread.covers[0]
    found, p = [], []
    for first, second in combinations(order[:2] if only_first else order, 2):
        contrast = np.zeros(k)
        contrast[[first, second]] = 1, -1
        value = float(contrast @ spread.parameters[:k])
        intervals = tuple(spread.interval(contrast, each, level) for each in spread.covers)
        found.append((first, second, Estimate("log_odds", value, "difference of log-worths", {}, intervals)))
        p.append(spread.p_value(contrast, covers))
    corrected = [nan] * len(p) if only_first else holm(p)
    return [Difference(*each, *tests) for each, tests in zip(found, zip(p, corrected, strict=True), strict=True)]


def _sandwich(sample: Sample, scores: sparse.csr_array, kind: Clusters, inverse: FloatArray) -> FloatArray:
    """(p, p) covariance over one kind of cluster; NaN where leaving one cluster out leaves a parameter undetermined."""
    n = kind.n
    if n < 2:
        return np.full_like(inverse, nan)
    groups = sparse.csr_array((np.ones(len(kind.code)), (kind.code, np.arange(len(kind.code)))))
    sums = sparse.csr_array(groups @ scores)
    if n > FEW:
        meat = np.asarray((sums.T @ sums).todense())
        return n / (n - 1) * inverse @ meat @ inverse
    shifts, k = [], sample.n_methods
    undetermined = np.zeros(len(inverse), bool)
    for code in np.unique(kind.code):
        own = kind.code == code
        if not sample.is_joined(~own):
            return np.full_like(inverse, nan)
        without, lost = _inverse_without(inverse, sample.information_of(own))
        undetermined |= lost
        shifts.append(without @ np.asarray(sums[[int(code)]].todense()).ravel())
    if undetermined[:k].any():
        return np.full_like(inverse, nan)
    moved = np.array(shifts)
    moved[:, undetermined] = nan
    return (n - 1) / n * moved.T @ moved


def _inverse_without(inverse: FloatArray, own: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
    """(p, p) The inverse of the information without a part of it, and (p,) the parameters that the rest leaves open.

    inverse: of the whole information; own: the part. What the rest leaves open is kept at its estimate.
    """
    values, vectors = np.linalg.eigh(inverse)
    root = vectors * np.sqrt(np.maximum(values, 0))
    left, directions = np.linalg.eigh(np.eye(len(inverse)) - root.T @ own @ root)
    directions = root @ directions
    is_open = left < _NO_INFORMATION
    size = np.abs(directions[:, is_open])
    lost = (size > 1e-6 * size.max(axis=0)).any(axis=1)
    kept = directions[:, ~is_open]
    return (kept / left[~is_open]) @ kept.T, lost


def rank_ranges(spread: Spread, k: int, level: float) -> list[Ranks]:
    """The range of ranks that each of k methods may have, given its differences from all others, at `level` per method.

    A method ranks behind those that are better by more than the Bonferroni-corrected half width of their difference.
    """
    worth, covers = spread.parameters[:k], spread.covers[0]
    if spread.why_undefined(covers):
        return [(None, None)] * k
    found: list[Ranks] = []
    for place in range(k):
        contrasts = -np.eye(k)
        contrasts[:, place] += 1
        difference = worth[place] - worth
        half = spread.quantile((1 - level) / 2 / (k - 1), contrasts, covers)
        width = half * np.sqrt(np.maximum(spread.variance(contrasts, covers), 0))
        width[place] = inf
        if np.isnan(width).any():
            found.append((None, None))
            continue
        found.append((1 + int((difference < -width).sum()), k - int((difference > width).sum())))
    return found
