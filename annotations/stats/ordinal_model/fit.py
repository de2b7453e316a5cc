"""A cumulative link model of ordered ratings: a method's effect, with random effects of raters, prompts and images.

logit P(rating ≤ j) = threshold_j − (effect · refined + rater + prompt + image): raters who are strict, prompts that are
hard and images that came out well by luck each have their own normal deviation, and the distances between the levels of
the scale are estimated, not assumed. Sources: McCullagh (1980) for the model, Hedeker and Gibbons (1994) for random
effects in it, Christensen's R package `ordinal` (clm, clmm) as the reference that our figures are pinned to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from annotations.stats.arrays import FloatArray
from annotations.stats.distributions import normal_quantile
from annotations.stats.estimate import STATS_VERSION, Interval
from annotations.stats.ordinal_model.cumulative_link import Link
from annotations.stats.ordinal_model.laplace import Working
from annotations.stats.ordinal_model.many import settle_many
from annotations.stats.ordinal_model.random_intercepts import DENSE_LIMIT, dense_codes
from annotations.stats.ordinal_model.search import FLAT, WILD, Options

_UNBOUNDED = 30.0
"""A standard error beyond this, in the link's units, is a likelihood that stays flat on the way to infinity."""
_FEW_GROUPS = 6
MOST_CLASSES = 20
"""If more levels than this are in use, they are joined: a cut point for each would cost more time than it is worth (20
classes keep 99.8% of what all levels say about an effect, (1 − 1/k²) of it for k equal classes of a logistic
answer)."""
LARGE = 12_000
"""With more ratings than this the search starts at the fit of a part, and second derivatives are forward
differences."""
PART = 6_000


@dataclass(frozen=True)
class OrdinalFit:
    """A fitted cumulative link model; NaN and a reason where it could not be fitted well.

    coefficients, standard_errors, intervals   by name of the fixed effect; positive: higher ratings
    thresholds   (n_used − 1,) cut points between the levels in use, ascending
    deviations   standard deviation of the random effects of each factor; 0 where it was estimated to be zero
    log_likelihood   marginal, by `method`
    n            "ratings", and the groups of each factor
    notes        caveats: factors left out, levels that nobody used, few groups
    """

    coefficients: Mapping[str, float]
    standard_errors: Mapping[str, float]
    intervals: Mapping[str, Interval]
    thresholds: FloatArray
    deviations: Mapping[str, float]
    log_likelihood: float
    method: str
    n: Mapping[str, int]
    notes: tuple[str, ...] = ()
    reason: str = ""
    version: str = field(default=STATS_VERSION)
    covariance: FloatArray = field(default_factory=lambda: np.zeros((0, 0)), compare=False)
    """(n_fixed, n_fixed) of the fixed effects, in their order."""
    working: Working | None = field(default=None, compare=False, repr=False)
    effects: Mapping[str, FloatArray] = field(default_factory=dict, compare=False, repr=False)
    """(n_groups,) of each factor whose deviation is above 0, at their mode."""

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
    most_classes: int = MOST_CLASSES,
    large: int = LARGE,
    part: int = PART,
    dense_limit: int = DENSE_LIMIT,
    sides: Mapping[str, tuple[str, str]] | None = None,
) -> OrdinalFit:
    """Maximum marginal likelihood of a cumulative link model with random intercepts.

    level   (n,) int, ordered codes; levels that do not occur are joined with their neighbours (their cut points cannot
            be estimated)
    fixed   name → (n,) values of a fixed effect, at least one
    groups  name → (n,) int codes of a random factor; crossed or nested as the codes say
    n_nodes of adaptive Gauss–Hermite quadrature where there is one factor; 1 and several factors: Laplace
    most_classes  more levels in use than this are joined to at most this many classes of about equally many ratings,
            the same if the scale is reversed, and a note says so. An effect means the same with any joining of levels
            (McCullagh 1980).
    dense_limit  of groups that cross too widely to be eliminated; with more the fit is refused
    sides  name → what the ratings of the lower and of the higher value of a fixed effect are called, if it has two
    large, part  from more than `large` ratings on the search starts at the fit of a tenth of them, at least of `part`
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
    if len(used) > most_classes:
        dense_level = _joined(dense_level, most_classes)
        n_classes = int(dense_level.max()) + 1
        notes.append(f"{len(used)} levels in use were joined to {n_classes} classes of about equally many ratings")
        used = used[:n_classes]
    factors: dict[str, NDArray[np.int64]] = {}
    n = {"ratings": len(answers)}
    for name, codes in groups.items():
        dense = dense_codes(np.asarray(codes))
        n[name] = n_groups = int(dense.max(initial=-1)) + 1
        if n_groups < 2:
            notes.append(f"{name}: one group, no random effect")
        elif n_groups == len(answers):
            notes.append(
                f"{name}: one rating per group, which cannot be separated from the ratings' own spread; left out"
            )
        elif same := [other for other, kept in factors.items() if _same_groups(kept, dense)]:
            notes.append(f"{name}: the same groups as {same[0]}, left out")
        else:
            factors[name] = dense
            if n_groups < _FEW_GROUPS:
                notes.append(f"{name}: {n_groups} groups say little about how groups vary")
    reason = _why_not(dense_level, matrix, names, len(used), sides or {})
    if reason:
        return _unfitted(names, "cumulative link model", n, notes, reason)
    options = Options(link, n_nodes, large, part, dense_limit)
    return _fit(dense_level, matrix, names, factors, n, notes, options, confidence)


def _joined(level: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """(n,) classes 0, 1, 2… of neighbouring levels, at most `most` of them, with about equally many ratings each.

    A level belongs to the class in which its middle rank lies. So that a reversed scale has the same classes, one on
    the border of two belongs to the outer one; where one is exactly in the middle, the number of classes is odd.
    """
    counts = np.bincount(level)
    twice_the_rank, n = 2 * np.cumsum(counts) - counts, len(level)
    if most % 2 == 0 and n in twice_the_rank:
        most -= 1
    classes, beyond = np.divmod(twice_the_rank * most, 2 * n)
    classes -= (beyond == 0) & (twice_the_rank < n)
    return np.unique(classes[level], return_inverse=True)[1].astype(np.int64)


def _same_groups(one: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Whether two lists of codes 0, 1, 2… divide the ratings in the same way."""
    n, m = int(one.max()) + 1, int(other.max()) + 1
    return n == m and len(np.unique(one * np.int64(m) + other)) == n


def _why_not(
    level: NDArray[np.int64], fixed: FloatArray, names: list[str], n_used: int, sides: Mapping[str, tuple[str, str]]
) -> str:
    if n_used < 2:
        return "fewer than two levels of the scale are in use"
    if np.linalg.matrix_rank(np.column_stack((np.ones(len(fixed)), fixed))) <= fixed.shape[1]:
        return "the fixed effects cannot be separated from each other or from a constant"
    for name, values in zip(names, fixed.T, strict=True):
        distinct = np.unique(values)
        if len(distinct) != 2:
            continue
        low, high = level[values == distinct[0]], level[values == distinct[1]]
        of_low, of_high = sides.get(name, (f"{name} = {distinct[0]:g}", f"{name} = {distinct[1]:g}"))
        for lower, upper, is_so in (
            (of_low, of_high, low.max() <= high.min()),
            (of_high, of_low, high.max() <= low.min()),
        ):
            if is_so:
                return f"separation: no rating of {lower} is above any rating of {upper}, so the effect has no bound"
    return ""


def _fit(
    level: NDArray[np.int64],
    fixed: FloatArray,
    names: list[str],
    factors: dict[str, NDArray[np.int64]],
    n: dict[str, int],
    notes: list[str],
    options: Options,
    confidence: float,
) -> OrdinalFit:
    """Fits the model, and notes what happened to each factor."""
    peak = settle_many(level, fixed, factors, options)
    kept, gone = peak.kept, peak.gone
    notes = [*notes, *(f"{name}: variance estimated as zero, left out" for name in gone)]
    quadrature = options.n_nodes if len(kept) == 1 else 1
    how = "" if not kept else "Laplace" if quadrature == 1 else f"{quadrature}-node adaptive Gauss–Hermite"
    method = f"cumulative {options.link} model" + (f", random {', '.join(kept)}, {how}" if kept else "")
    if peak.reason:
        return _unfitted(names, method, n, notes, peak.reason)
    parameters, observed, deviations = peak.parameters, peak.information, peak.deviations
    cuts = int(level.max())
    if len(kept) and deviations.max() > WILD:
        wild = list(kept)[int(deviations.argmax())]
        return _unfitted(names, method, n, notes, f"the variance of {wild} has no bound in these ratings")
    try:
        covariance = linalg.cho_solve(linalg.cho_factor(observed), np.eye(len(observed)))
    except linalg.LinAlgError:
        return _unfitted(names, method, n, notes, "not converged: the likelihood has no peak where the search ended")
    if not peak.decrement < FLAT:
        return _unfitted(names, method, n, notes, "not converged: the likelihood still rises where the search ended")
    own = slice(cuts, cuts + len(names))
    errors = np.sqrt(np.diag(covariance))[own]
    estimates = parameters[cuts : cuts + len(names)]
    if errors.max() > _UNBOUNDED:
        return _unfitted(names, method, n, notes, "separation: an effect has no bound in these ratings")
    half = float(normal_quantile((1 + confidence) / 2)) * errors
    # A factor that was left out has no effect, so the interval does not cover it.
    covers = " and ".join(kept) if kept else "ratings"
    return OrdinalFit(
        coefficients=dict(zip(names, estimates.tolist(), strict=True)),
        standard_errors=dict(zip(names, errors.tolist(), strict=True)),
        intervals={
            name: Interval(float(b - h), float(b + h), covers, f"Wald, {method}", confidence)
            for name, b, h in zip(names, estimates, half, strict=True)
        },
        thresholds=parameters[:cuts],
        deviations=dict.fromkeys(factors, 0.0) | dict(zip(kept, deviations.tolist(), strict=True)),
        log_likelihood=peak.value,
        method=method,
        n=n,
        notes=tuple(notes),
        covariance=covariance[own, own],
        working=peak.working,
        effects=dict(zip(kept, peak.working.effects, strict=True)),
    )


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
