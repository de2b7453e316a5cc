"""Tests of paired differences: Wilcoxon's signed ranks, the sign-flip permutation test, and Student's t.

All take one difference per prompt, as exact integers where ties matter (`PairedDifferences.numerators`). All p are
two-sided. A sign-flip null distribution over integers is a convolution. So it is counted exactly wherever that is
affordable, ties and zeros included, and drawn at random only beyond that.
"""

from dataclasses import dataclass
from math import gcd, nan, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotations.stats.distributions import normal_above, t_above

Zeros = Literal["drop", "pratt"]
Null = Literal["auto", "exact", "normal"]

_EXACT_RANKS = 50
_EXACT_TIED_RANKS = 13
CONVOLUTION_STEPS = 200_000_000
"""At most this many additions for an exact null distribution: well under a second."""
_CONVOLUTION_TERMS = 20_000
_CELLS = 2_000_000
_INT64_LIMIT = 2**62


@dataclass(frozen=True, slots=True)
class SignedRank:
    """Wilcoxon's signed-rank test. w = min(w_plus, w_minus); NaN with a reason where every difference is zero."""

    w: float
    w_plus: float
    w_minus: float
    z: float
    p: float
    n_nonzero: int
    n_zero: int
    method: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SignFlip:
    """The paired permutation test of the mean difference; `n_permutations` is 0 where it was counted exactly.

    mid_p counts outcomes exactly as extreme as the data half (Lancaster 1961): p never rejects too often, but too
    rarely on a coarse scale; mid_p rejects at its nominal rate on average over the steps of p.
    """

    p: float
    mid_p: float
    n_permutations: int
    method: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PairedT:
    """Student's paired t; NaN with a reason below two prompts or without variation."""

    t: float
    df: int
    p: float
    standard_error: float
    reason: str = ""


def wilcoxon_signed_rank(differences: NDArray[np.generic], *, zeros: Zeros = "drop", null: Null = "auto") -> SignedRank:
    """Wilcoxon (1945) signed ranks of differences (n,), integers or floats; ties get midranks.

    zeros  "drop" leaves zero differences out before ranking (Wilcoxon's own way); "pratt" ranks them and then leaves
           their ranks out (Pratt 1959, with Cureton's 1967 moments).
    null   "exact" counts all sign assignments of these very (mid)ranks; "normal" is the normal approximation with
           the variance corrected for ties and no continuity correction; "auto" is exact up to 50 differences where
           none is tied or zero, up to 13 otherwise, and normal beyond: the rule of scipy.stats.wilcoxon, so that
           figures can be checked against it.
    """
    given = np.asarray(differences)
    n_zero = int(np.count_nonzero(given == 0))
    n_nonzero = len(given) - n_zero
    convention = "zeros dropped (Wilcoxon)" if zeros == "drop" else "zeros ranked, then left out (Pratt)"
    if n_nonzero == 0:
        return SignedRank(nan, nan, nan, nan, nan, 0, n_zero, convention, "no prompt differs")
    ranked = given if zeros == "pratt" else given[given != 0]
    size, which, tied = np.unique(np.abs(ranked), return_inverse=True, return_counts=True)
    doubled = (2 * np.cumsum(tied) - tied + 1)[which]  # twice the midrank is an integer
    w_plus = float(doubled[ranked > 0].sum()) / 2
    w_minus = float(doubled[ranked < 0].sum()) / 2
    m = float(len(ranked))
    left_out = float(n_zero) if zeros == "pratt" else 0.0
    ties = tied[size != 0].astype(float)
    mean = (m * (m + 1) - left_out * (left_out + 1)) / 4
    cubes = m * (m + 1) * (2 * m + 1) - left_out * (left_out + 1) * (2 * left_out + 1)
    z = (w_plus - mean) / sqrt((cubes - float((ties**3 - ties).sum()) / 2) / 24)
    clean = n_zero == 0 and bool((ties == 1).all())
    exact = null == "exact" or (null == "auto" and len(given) <= (_EXACT_RANKS if clean else _EXACT_TIED_RANKS))
    normal = 2 * float(normal_above(abs(z)))
    p = _exact_two_sided(doubled[ranked != 0], ranked[ranked != 0] > 0)[0] if exact else normal
    how = (
        "exact null distribution"
        if exact
        else "normal approximation, variance corrected for ties, no continuity correction"
    )
    return SignedRank(min(w_plus, w_minus), w_plus, w_minus, z, p, n_nonzero, n_zero, f"{convention}; midranks; {how}")


def sign_flip_test(
    numerators: NDArray[np.int64],
    *,
    n_permutations: int = 10_000,
    rng: np.random.Generator,
    most_steps: int = CONVOLUTION_STEPS,
) -> SignFlip:
    """The paired permutation test: under the null hypothesis the sign of every difference could equally well be
    flipped.

    numerators (n,) int: exact differences; the statistic is the absolute mean (Fisher 1935; the t statistic orders the
    sign assignments identically). Counted exactly in up to `most_steps` additions; otherwise
    p = (c + 1) / (k + 1) over k random assignments, of which c are at least as extreme (Phipson and Smyth 2010), so
    that p is never 0.
    """
    nonzero = np.asarray(numerators, dtype=np.int64)
    nonzero = nonzero[nonzero != 0]
    if len(numerators) == 0:
        return SignFlip(nan, nan, 0, "paired permutation test (signs flipped)", "no prompt has ratings of both methods")
    if len(nonzero) == 0:
        return SignFlip(1.0, 0.5, 0, "paired permutation test, exact", "no prompt differs")
    size = np.abs(nonzero)
    size //= int(np.gcd.reduce(size))
    positive = nonzero > 0
    lesser = min(_total(size[positive]), _total(size[~positive]))
    if len(size) <= _CONVOLUTION_TERMS and len(size) * (lesser + 1) <= most_steps:
        p, mid_p = _exact_two_sided(size, positive)
        method = f"paired permutation test of the mean, all 2^{len(size)} sign assignments counted exactly"
        return SignFlip(p, mid_p, 0, method)
    observed: float = abs(_total(size[positive]) - _total(size[~positive]))
    values, multiplicity = np.unique(size, return_counts=True)
    # 2·x − m of the m differences of one size keep a plus: integers, so that equal sums are equal; beyond 64 bits,
    # floats with room for their noise.
    steps: NDArray[np.int64] | NDArray[np.float64] = values
    slack = 1.0
    if _total(size) > _INT64_LIMIT:
        steps, observed, slack = values.astype(float), observed * (1 - 1e-12), 1 + 2e-12
    extreme = beyond = 0
    rows = max(1, _CELLS // len(values))
    for start in range(0, n_permutations, rows):
        positives = rng.binomial(multiplicity, 0.5, size=(min(rows, n_permutations - start), len(values)))
        sums = np.abs((2 * positives - multiplicity) @ steps)
        extreme += int(np.count_nonzero(sums >= observed))
        beyond += int(np.count_nonzero(sums > observed * slack))
    method = f"paired permutation test of the mean, {n_permutations} random sign assignments, p = (c + 1) / (k + 1)"
    p, mid_p = ((count + 1) / (n_permutations + 1) for count in (extreme, (extreme + beyond - 1) / 2))
    return SignFlip(p, mid_p, n_permutations, method)


def paired_t_test(differences: NDArray[np.float64]) -> PairedT:
    """Student's t of the mean of differences (n,) against 0, n − 1 degrees of freedom."""
    n = len(differences)
    if n < 2:
        return PairedT(nan, max(n - 1, 0), nan, nan, "needs two prompts that both methods have")
    if (differences == differences[0]).all():
        return PairedT(nan, n - 1, nan, nan, "all differences are equal")
    error = float(np.std(differences, ddof=1)) / sqrt(n)
    t = float(np.mean(differences)) / error
    return PairedT(t, n - 1, 2 * float(t_above(abs(t), n - 1)), error)


def _exact_two_sided(size: NDArray[np.int64], positive: NDArray[np.bool_]) -> tuple[float, float]:
    """P(|Σ ± size| ≥ what was observed) over all equally likely signs, and the same with equality counted half.

    size (n,) positive integers. The smaller of the two one-signed sums decides, and only sums up to it are counted:
    p = 2 · P(sum ≤ lesser), at most 1. All terms are positive, so that tiny p keep their relative accuracy.
    """
    size = size // gcd(*np.unique(size).tolist())
    lesser = min(_total(size[positive]), _total(size[~positive]))
    mass = np.zeros(lesser + 1)
    mass[0] = 1.0
    for value in np.sort(size)[::-1].tolist():
        moved = mass[:-value] if value <= lesser else mass[:0]
        mass[value:] += moved.copy()
        mass *= 0.5
    tiny = float(np.finfo(float).tiny)
    p = min(1.0, max(2 * float(mass.sum()), tiny))
    # Where both sums are equal, the two tails are one and the same outcome.
    equal = float(mass[-1]) * (1 if 2 * lesser == _total(size) else 2)
    return p, max(p - equal / 2, tiny)


def _total(size: NDArray[np.int64]) -> int:
    return int(size.sum(dtype=object)) if len(size) else 0
