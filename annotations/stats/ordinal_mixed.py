"""A cumulative link model of ordered ratings: a method's effect, with random effects of raters, prompts and images.

logit P(rating ≤ j) = threshold_j − (effect · refined + rater + prompt + image): raters who are strict, prompts that are
hard and images that came out well by luck each have their own normal deviation, and the distances between the levels of
the scale are estimated, not assumed. Sources: McCullagh (1980) for the model, Hedeker and Gibbons (1994) for random
effects in it, Christensen's R package `ordinal` (clm, clmm) as the reference that our figures are pinned to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, nan

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special

from annotations.stats.arrow import Design, TooLarge
from annotations.stats.climb import central, climb, information
from annotations.stats.cumulative_link import Link
from annotations.stats.distributions import normal_quantile
from annotations.stats.estimate import STATS_VERSION, Interval
from annotations.stats.laplace import Mixed, NoMode, Plain

Floats = NDArray[np.float64]

_BOUNDARY = 0.02
"""A standard deviation of random effects below this (the link's own is 1.8 or 1) is taken for zero."""
_FLAT = 1e-4
"""Largest Newton decrement, in units of log-likelihood, that counts as converged."""
_UNBOUNDED = 30.0
"""A standard error beyond this, in the link's units, is a likelihood that stays flat on the way to infinity."""
_WILD = 10.0
"""A standard deviation of random effects beyond this, in the link's units: answers hardly vary within the groups, and
Laplace's approximation, which needs answers on both sides, runs away with the variance."""
_FEW_GROUPS = 6


@dataclass(frozen=True)
class OrdinalFit:
    """A fitted cumulative link model; NaN and a reason where it could not be fitted well.

    coefficients, standard_errors, intervals   by name of the fixed effect; positive: higher ratings
    thresholds   (n_used − 1,) cut points between the levels in use, ascending
    deviations   standard deviation of the random effects of each factor; 0 where it was estimated to be zero
    log_likelihood   marginal, by `method`
    n            "ratings", and the groups of each factor
    notes        what to mind: factors left out, levels nobody used, few groups
    """

    coefficients: Mapping[str, float]
    standard_errors: Mapping[str, float]
    intervals: Mapping[str, Interval]
    thresholds: Floats
    deviations: Mapping[str, float]
    log_likelihood: float
    method: str
    n: Mapping[str, int]
    notes: tuple[str, ...] = ()
    reason: str = ""
    version: str = field(default=STATS_VERSION)

    @property
    def is_fitted(self) -> bool:
        return not self.reason


def fit_ordinal(
    level: NDArray[np.int64],
    fixed: Mapping[str, NDArray[np.generic]],
    *,
    groups: Mapping[str, NDArray[np.int64]],
    link: Link = "logit",
    n_nodes: int = 10,
    confidence: float = 0.95,
) -> OrdinalFit:
    """Maximum marginal likelihood of a cumulative link model with random intercepts.

    level   (n,) int, ordered codes; levels that do not occur are joined out (their cut points cannot be known)
    fixed   name → (n,) values of a fixed effect, at least one
    groups  name → (n,) int codes of a random factor; crossed or nested as the codes say
    n_nodes of adaptive Gauss–Hermite quadrature where there is one factor; 1 and several factors: Laplace
    Wald intervals from the observed information. Malformed arguments raise ValueError; data that cannot carry the
    model give a reason: no variation, separation, a fit that did not converge, or groups that cross too widely.
    """
    answers, names = np.asarray(level), list(fixed)
    matrix = np.column_stack([np.asarray(fixed[name], dtype=float) for name in names]) if names else None
    if matrix is None or len(matrix) != len(answers) or any(len(codes) != len(answers) for codes in groups.values()):
        raise ValueError("level, every fixed effect (at least one) and every group need the same length")
    if link not in ("logit", "probit") or n_nodes < 1:
        raise ValueError("link must be 'logit' or 'probit', and n_nodes at least 1")
    used, dense_level = np.unique(answers, return_inverse=True)
    notes: list[str] = []
    factors: dict[str, NDArray[np.int64]] = {}
    n = {"ratings": len(answers)}
    for name, codes in groups.items():
        distinct, dense = np.unique(codes, return_inverse=True)
        n[name] = len(distinct)
        if len(distinct) < 2:
            notes.append(f"{name}: one group, no random effect")
        elif len(distinct) == len(answers):
            notes.append(f"{name}: one rating a group, which cannot be told from the ratings' own spread; left out")
        elif same := [other for other, kept in factors.items() if _same_groups(kept, dense)]:
            notes.append(f"{name}: the same groups as {same[0]}, left out")
        else:
            factors[name] = dense
            if len(distinct) < _FEW_GROUPS:
                notes.append(f"{name}: {len(distinct)} groups say little about how groups vary")
    reason = _why_not(dense_level, matrix, names, len(used))
    if reason:
        return _unfitted(names, "cumulative link model", n, notes, reason)
    return _fit(dense_level, matrix, names, factors, n, notes, link, n_nodes, confidence)


def _same_groups(one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Whether two lists of codes 0, 1, 2… divide the ratings in the same way."""
    n, m = int(one.max()) + 1, int(other.max()) + 1
    return n == m and len(np.unique(one * np.int64(m) + other)) == n


def _why_not(level: NDArray[np.int64], fixed: Floats, names: list[str], n_used: int) -> str:
    if n_used < 2:
        return "fewer than two levels of the scale are in use"
    if np.linalg.matrix_rank(np.column_stack((np.ones(len(fixed)), fixed))) <= fixed.shape[1]:
        return "the fixed effects cannot be told apart from each other or from a constant"
    for name, values in zip(names, fixed.T, strict=True):
        distinct = np.unique(values)
        if len(distinct) != 2:
            continue
        low, high = level[values == distinct[0]], level[values == distinct[1]]
        if low.max() <= high.min() or high.max() <= low.min():
            return f"separation: the ratings of both sides of {name} do not overlap, so the effect has no bound"
    return ""


def _fit(
    level: NDArray[np.int64],
    fixed: Floats,
    names: list[str],
    factors: dict[str, NDArray[np.int64]],
    n: dict[str, int],
    notes: list[str],
    link: Link,
    n_nodes: int,
    confidence: float,
) -> OrdinalFit:
    """Fit, dropping one factor at a time whose variance is estimated as zero."""
    kept = dict(sorted(factors.items(), key=lambda factor: -int(factor[1].max())))
    while True:
        quadrature = n_nodes if len(kept) == 1 else 1
        how = "" if not kept else "Laplace" if quadrature == 1 else f"{quadrature}-node adaptive Gauss–Hermite"
        method = f"cumulative {link} model" + (f", random {', '.join(kept)}, {how}" if kept else "")
        try:
            parameters, value, observed, decrement = _maximise(level, fixed, list(kept.values()), link, quadrature)
        except (NoMode, TooLarge, linalg.LinAlgError) as error:
            return _unfitted(names, method, n, notes, str(error))
        deviations = np.abs(parameters[len(parameters) - len(kept) :])
        if len(kept) and deviations.min() < _BOUNDARY:
            gone = list(kept)[int(deviations.argmin())]
            del kept[gone]
            notes = [*notes, f"{gone}: variance estimated as zero, left out"]
            continue
        break
    cuts = int(level.max())
    try:
        covariance = linalg.cho_solve(linalg.cho_factor(observed), np.eye(len(observed)))
    except linalg.LinAlgError:
        return _unfitted(names, method, n, notes, "not converged: the likelihood has no peak where the search ended")
    if not decrement < _FLAT:
        return _unfitted(names, method, n, notes, "not converged: the likelihood still rises where the search ended")
    errors = np.sqrt(np.diag(covariance))[cuts : cuts + len(names)]
    estimates = parameters[cuts : cuts + len(names)]
    if errors.max() > _UNBOUNDED:
        return _unfitted(names, method, n, notes, "separation: an effect has no bound in these ratings")
    if len(kept) and deviations.max() > _WILD:
        wild = list(kept)[int(deviations.argmax())]
        return _unfitted(names, method, n, notes, f"the variance of {wild} has no bound in these ratings")
    half = float(normal_quantile((1 + confidence) / 2)) * errors
    covers = " and ".join(factors) if factors else "ratings"
    return OrdinalFit(
        coefficients=dict(zip(names, estimates.tolist(), strict=True)),
        standard_errors=dict(zip(names, errors.tolist(), strict=True)),
        intervals={
            name: Interval(float(b - h), float(b + h), covers, f"Wald, {method}", confidence)
            for name, b, h in zip(names, estimates, half, strict=True)
        },
        thresholds=parameters[:cuts],
        deviations=dict.fromkeys(factors, 0.0) | dict(zip(kept, deviations.tolist(), strict=True)),
        log_likelihood=value,
        method=method,
        n=n,
        notes=tuple(notes),
    )


def _maximise(
    level: NDArray[np.int64], fixed: Floats, codes: list[NDArray[np.int64]], link: Link, n_nodes: int
) -> tuple[Floats, float, Floats, float]:
    """The maximum, its log-likelihood, the observed information and the Newton decrement there."""
    n_levels, p = int(level.max()) + 1, fixed.shape[1]
    plain = Plain(level, fixed, n_levels, link)
    shares = np.cumsum(np.bincount(level))[:-1] / len(level)
    cuts = special.logit(shares) if link == "logit" else normal_quantile(shares)
    start = np.concatenate((cuts, np.zeros(p)))
    found = climb(plain.log_likelihood, start, information(plain.log_likelihood, start), n_levels - 1)
    around = information(plain.log_likelihood, found)
    if not codes:
        value, gradient = plain.log_likelihood(found)
        return found, value, around, _decrement(gradient, around)
    sizes = [int(code.max()) + 1 for code in codes]
    mixed = Mixed(plain, Design(codes, sizes), np.zeros(sum(sizes)))
    # Random effects stretch the predictor's scale; the information of the plain model starts the search well.
    start = np.concatenate((1.2 * found, np.full(len(codes), 0.7)))
    guess = linalg.block_diag(around, np.diag(np.array(sizes, dtype=float)))
    found = climb(mixed.log_marginal, start, guess, n_levels - 1)

    def by_quadrature(at: Floats) -> tuple[float, Floats]:
        value = mixed.log_marginal_quadrature(at, n_nodes)
        return value, central(lambda x: mixed.log_marginal_quadrature(x, n_nodes), at)

    marginal = mixed.log_marginal if n_nodes == 1 else by_quadrature
    # From the Laplace maximum to the last digits, or on to that of the quadrature.
    found = climb(marginal, found, information(mixed.log_marginal, found), n_levels - 1)
    value, gradient = marginal(found)
    around = information(marginal, found)
    return found, value, around, _decrement(gradient, around)


def _decrement(gradient: Floats, around: Floats) -> float:
    """How much a Newton step would still gain; infinite where there is no peak."""
    try:
        return float(gradient @ linalg.solve(around, gradient, assume_a="pos")) / 2
    except linalg.LinAlgError:
        return inf


def _unfitted(names: list[str], method: str, n: dict[str, int], notes: list[str], reason: str) -> OrdinalFit:
    return OrdinalFit(
        coefficients=dict.fromkeys(names, nan),
        standard_errors=dict.fromkeys(names, nan),
        intervals={name: Interval.undefined("ratings", method, reason) for name in names},
        thresholds=np.zeros(0),
        deviations={},
        log_likelihood=nan,
        method=method,
        n=n,
        notes=tuple(notes),
        reason=reason,
    )
