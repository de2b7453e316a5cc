"""Dawid–Skene: the true level of each unit and each rater's error rates, estimated from labels only, by EM."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.estimate import STATS_VERSION
from annotations.stats.raters.label_patterns import label_patterns
from annotations.stats.ratings import BadRatings, Ratings

_TINY = 1e-300
"""Replaces a probability of 0 inside a logarithm, so that no −inf meets another."""
_MAX_ITERATIONS = 2000
_TOLERANCE = 1e-9
_SETTLED = 1e-5
"""EM may stop when no posterior probability is expected to move by more than this in all further steps."""


@dataclass(frozen=True, eq=False)
class Majority:
    """The level with the most labels of each unit."""

    level: IntArray
    """(n_units,); −1 without labels and −1 where several levels share first place."""
    tied: NDArray[np.bool_]
    """(n_units,) several levels share first place."""


@dataclass(frozen=True, eq=False)
class DawidSkene:
    """A fitted Dawid–Skene model. Undefined parts are −1 or NaN; `reason` says why where there is no fit at all."""

    level: IntArray
    """(n_units,) most probable level (the lower one at equal probability); −1 for a unit without labels."""
    posterior: FloatArray
    """(n_units, n_levels) probability of each level; NaN for a unit without labels."""
    prevalence: FloatArray
    """(n_levels,) share of units at each true level."""
    confusion: FloatArray
    """(n_raters, n_levels, n_levels) P(label | rater, true level), rows the true level; NaN for raters without labels.
    Raters in `pooled` share one matrix."""
    accuracy: FloatArray
    """(n_raters,) chance that a label is right, Σ prevalence[k] · confusion[·, k, k]; NaN without labels."""
    pooled: NDArray[np.bool_]
    """(n_raters,) whether the rater has too few labels for separate error rates."""
    majority: Majority
    log_likelihood: float
    """Natural logarithm of the labels' likelihood, with independent units and true levels summed out."""
    objective: float
    """What EM climbs: the log-likelihood plus the log prior of the smoothing (equal to it without smoothing)."""
    trace: FloatArray
    """(n_iterations + 1,) the objective after each step; never falls."""
    converged: bool
    n: Mapping[str, int]
    method: str
    reason: str = ""
    version: str = STATS_VERSION

    @property
    def n_iterations(self) -> int:
        return len(self.trace) - 1


def dawid_skene(
    ratings: Ratings,
    *,
    smoothing: float = 0.1,
    min_labels: int = 10,
    max_iterations: int = _MAX_ITERATIONS,
    tolerance: float = _TOLERANCE,
) -> DawidSkene:
    """`dawid_skene_labels` on the ratings of one dimension; the levels of the scale are taken as unordered
    categories."""
    return dawid_skene_labels(
        ratings.unit,
        ratings.rater,
        ratings.level,
        n_units=ratings.n_units,
        n_raters=ratings.n_raters,
        n_levels=len(ratings.values),
        smoothing=smoothing,
        min_labels=min_labels,
        max_iterations=max_iterations,
        tolerance=tolerance,
    )


def dawid_skene_labels(
    unit: ArrayLike,
    rater: ArrayLike,
    level: ArrayLike,
    *,
    n_units: int,
    n_raters: int,
    n_levels: int,
    smoothing: float = 0.1,
    min_labels: int = 10,
    max_iterations: int = _MAX_ITERATIONS,
    tolerance: float = _TOLERANCE,
) -> DawidSkene:
    """Maximum a posteriori fit by EM from the labels' own proportions.

    unit, rater, level (n,) int codes; a rater may label a unit more than once (each label counts).
    smoothing   ≥ 0 labels added to every cell of every rater's table, a Dirichlet(1 + smoothing) prior; 0 is maximum
                likelihood, and then a rater with few labels gets error rates of 0 and 1
    min_labels  raters with fewer labels share one table of error rates; no labels are thrown away
    tolerance   EM stops when a step raises the objective by less than tolerance · (1 + |objective|) and the posteriors
                have settled to 1e-5: an objective that is nearly flat can hide posteriors that still move
    Given the true level, labels are taken as independent; scale order is not used. EM finds a local maximum.
    No fit, with the reason, without labels or where no unit has two labels (then any error rates fit equally well).
    Raises BadRatings for codes out of bounds. Source: Dawid & Skene (1979), Applied Statistics 28:20, eqs 2.3–2.5.
    """
    units, raters, levels = (np.asarray(each, np.int64) for each in (unit, rater, level))
    _check(units, raters, levels, n_units, n_raters, n_levels, smoothing)
    labels_of = np.bincount(raters, minlength=n_raters)
    pooled = (labels_of > 0) & (labels_of < min_labels)
    n = MappingProxyType(
        {
            "units": int(np.count_nonzero(np.bincount(units, minlength=n_units))),
            "units_without_labels": int(n_units - np.count_nonzero(np.bincount(units, minlength=n_units))),
            "labels": len(units),
            "raters": int((labels_of > 0).sum()),
            "raters_pooled": int(pooled.sum()),
        }
    )
    method = (
        f"Dawid–Skene by EM from label proportions, {smoothing:g} label added to each cell, "
        f"raters with fewer than {min_labels} labels share one table"
    )
    vote = majority_vote(units, levels, n_units=n_units, n_levels=n_levels)
    reason = "no labels" if len(units) == 0 else ""
    if not reason and np.bincount(units).max() < 2:
        reason = "no unit has two labels, so error rates cannot be separated from true levels"
    if reason:
        empty = np.full((n_raters, n_levels, n_levels), np.nan)
        return DawidSkene(
            np.full(n_units, -1, np.int64),
            np.full((n_units, n_levels), np.nan),
            np.full(n_levels, np.nan),
            empty,
            empty[:, 0, 0],
            pooled,
            vote,
            np.nan,
            np.nan,
            np.zeros(1) * np.nan,
            False,
            n,
            method,
            reason,
        )
    # Raters with labels of their own get consecutive slots; all pooled ones share the slot after them.
    slot = np.cumsum((labels_of >= max(min_labels, 1)), dtype=np.int64) - 1
    n_slots = int(slot[-1]) + 1 + int(pooled.any())
    slot[pooled] = n_slots - 1
    patterns = label_patterns(units, slot[raters], levels, n_units=n_units, n_raters=n_slots, n_levels=n_levels)
    fit = _Fit(patterns.table, patterns.multiplicity, n_levels, smoothing)
    converged = fit.climb(max_iterations, tolerance)
    seen = patterns.of_unit >= 0
    posterior = fit.posterior[patterns.of_unit]
    posterior[~seen] = np.nan
    best = fit.posterior.argmax(axis=1)[patterns.of_unit]
    confusion = fit.confusion[slot]
    confusion[labels_of == 0] = np.nan
    return DawidSkene(
        np.where(seen, best, -1),
        posterior,
        fit.prevalence,
        confusion,
        np.einsum("k,rkk->r", fit.prevalence, confusion),
        pooled,
        vote,
        fit.log_likelihood,
        fit.trace[-1],
        np.array(fit.trace),
        converged,
        n,
        method,
    )


def majority_vote(unit: IntArray, level: IntArray, *, n_units: int, n_levels: int) -> Majority:
    """The most frequent level of each unit, every label one vote; without building units × levels."""
    ordered = np.sort(unit * np.int64(n_levels) + level)
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    owner, voted = np.divmod(ordered[first], np.int64(n_levels))
    votes = np.diff(first, append=len(ordered))
    most = np.zeros(n_units, np.int64)
    np.maximum.at(most, owner, votes)
    top = votes == most[owner]
    tied = np.bincount(owner[top], minlength=n_units) > 1
    result = np.full(n_units, -1, np.int64)
    result[owner[top]] = voted[top]
    result[tied] = -1
    return Majority(result, tied)


class _Fit:
    """The state of EM over label patterns: posterior (n_patterns, K), prevalence (K,), confusion (slots, K, K)."""

    def __init__(self, table: csr_array, multiplicity: FloatArray, n_levels: int, smoothing: float) -> None:
        self.table, self.transposed = table, table.T.tocsr()
        self.weight, self.n_levels, self.smoothing = multiplicity, n_levels, smoothing
        # The labels' proportions per pattern: a 0/1 matrix adds up the columns of equal level.
        shares = table @ np.tile(np.eye(n_levels), (table.shape[1] // n_levels, 1))
        self.posterior = shares / shares.sum(axis=1, keepdims=True)
        self.trace: list[float] = []

    def climb(self, max_iterations: int, tolerance: float) -> bool:
        """Alternate both steps until the objective no longer rises and the posteriors have settled; return whether they
        have.

        EM converges linearly: with steps that shrink by a rate r, the steps to come add up to the last one times
        r/(1 − r) (Aitken 1926).
        """
        self._maximise()
        self.trace.append(self._expect())
        last_step = np.inf
        for _ in range(max_iterations):
            before = self.posterior
            self._maximise()
            self.trace.append(self._expect())
            step = float(np.abs(self.posterior - before).max())
            rate = step / last_step if last_step > 0 else 0.0
            last_step = step
            settled = step == 0 or (rate < 1 and step * max(1.0, rate / (1 - rate)) < _SETTLED)
            if settled and self.trace[-1] - self.trace[-2] < tolerance * (1 + abs(self.trace[-1])):
                return True
        return False

    def _maximise(self) -> None:
        weighted = self.posterior * self.weight[:, None]
        total = weighted.sum(axis=0)
        self.prevalence = total / total.sum()
        # (slots·K labels, K true) → (slots, true, label)
        counts = (self.transposed @ weighted).reshape(-1, self.n_levels, self.n_levels).swapaxes(1, 2)
        counts = counts + self.smoothing
        row = counts.sum(axis=2, keepdims=True)
        # Without smoothing, nothing is known about a true level that a rater never met, so its rates are equal.
        self.confusion = np.divide(counts, row, out=np.full_like(counts, 1 / self.n_levels), where=row > 0)

    def _expect(self) -> float:
        log_rates = np.log(np.maximum(self.confusion, _TINY))
        joint = self.table @ np.ascontiguousarray(log_rates.swapaxes(1, 2)).reshape(-1, self.n_levels)
        joint += np.log(np.maximum(self.prevalence, _TINY))
        # Column by column: a reduction over a handful of columns is far slower as one call.
        top = joint[:, 0].copy()
        for column in range(1, self.n_levels):
            np.maximum(top, joint[:, column], out=top)
        joint -= top[:, None]
        np.exp(joint, out=joint)
        mass = joint[:, 0].copy()
        for column in range(1, self.n_levels):
            mass += joint[:, column]
        joint /= mass[:, None]
        self.posterior = joint
        # A sum, not a dot product: BLAS would start threads for it, which cost more than the product.
        self.log_likelihood = float((self.weight * (top + np.log(mass))).sum())
        prior = self.smoothing * float(log_rates.sum()) if self.smoothing else 0.0
        return self.log_likelihood + prior


def _check(
    unit: IntArray, rater: IntArray, level: IntArray, n_units: int, n_raters: int, n_levels: int, smoothing: float
) -> None:
    if not len(unit) == len(rater) == len(level):
        raise BadRatings("unit, rater and level differ in length; give one entry of each per label")
    if n_levels < 1 or not smoothing >= 0:
        raise BadRatings("there must be at least one level, and smoothing must be at least 0")
    for name, codes, bound in (("unit", unit, n_units), ("rater", rater, n_raters), ("level", level, n_levels)):
        if len(codes) and (codes.min() < 0 or codes.max() >= bound):
            raise BadRatings(f"a {name} code lies outside 0…{bound - 1}")
