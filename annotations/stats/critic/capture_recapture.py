"""How many errors nobody listed: capture–recapture over the lists of a critic and of auditors.

Every list (the critic's, each auditor's) is one capture occasion, and every distinct error is one animal. The overlap
of the lists shows how much all of them missed. Assumptions, none of which the software can check: the set of errors is
fixed (all lists cover the same images); an error on two lists was matched as one; lists were made independently (an
auditor who read the critic's claims first finds the same errors, and the number of unseen ones is then underestimated).
Errors may differ in how easily they are seen: Chao's estimators are then lower bounds.
"""

from dataclasses import dataclass
from math import exp, log, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from annotations.stats.estimate import Estimate, Interval


@dataclass(frozen=True, slots=True)
class Unseen:
    """What nobody listed: `total` errors exist, `unseen` of them on no list, with intervals over errors."""

    total: Estimate
    unseen: Estimate
    n_observed: int
    n_once: int
    n_twice: int


def chao1(captures: ArrayLike, *, level: float = 0.95) -> Unseen:
    """Chao1, bias-corrected: S + f₁(f₁ − 1) / (2(f₂ + 1)), for counts of mentions without a fixed number of lists.

    captures (n_errors,) int: how often each distinct error was mentioned; zeros are ignored.
    Undefined without any mention. Source: Chao (1984), Scand. J. Stat. 11:265; bias-corrected form Chao (2005),
    Encyclopedia of Statistical Sciences 12:7907; log-normal interval Chao (1987), Biometrics 43:783.
    """
    return _chao("chao1", "Chao1, bias-corrected", _seen(captures), 1.0, level)


def chao2(captures: ArrayLike, *, n_lists: int, level: float = 0.95) -> Unseen:
    """Chao2, bias-corrected: S + (m − 1)/m · Q₁(Q₁ − 1) / (2(Q₂ + 1)), for m lists that name an error at most once.

    captures (n_errors,) int: how many of the m lists contain each distinct error, 0 ≤ captures ≤ m; zeros ignored.
    Undefined with fewer than two lists or with no error listed. Lists that differ in how much they find make it too
    large; `chao_unlike` and `chapman` allow for that.
    Source: Chao (1987), Biometrics 43:783; bias-corrected form Chao (2005).
    """
    seen = _seen(captures)
    if len(seen) and seen.max() > n_lists:
        raise ValueError(f"an error is on {seen.max()} lists, but there are {n_lists}")
    method = f"Chao2, bias-corrected, {n_lists} lists"
    if n_lists < 2:
        reason = "capture–recapture needs at least two lists"
        return _undefined("chao2", method, seen, reason)
    return _chao("chao2", method, seen, (n_lists - 1) / n_lists, level)


def chapman(n_first: int, n_second: int, n_both: int, *, level: float = 0.95) -> Unseen:
    """Two lists: (n₁ + 1)(n₂ + 1)/(m + 1) − 1, Chapman's nearly unbiased form of Lincoln–Petersen n₁n₂/m.

    n_first, n_second: errors on each list; n_both: on both. The lists may differ in how much they find, but must be
    independent of each other, and errors equally easy to see *for at least one list*; where hard errors are hard for
    both, the total is underestimated. Interval: log-normal on the unseen part with Seber's variance.
    Undefined when both lists are empty. Source: Chapman (1951); Seber (1982), Estimation of Animal Abundance, p. 60;
    interval as Chao (1987).
    """
    if min(n_first, n_second, n_both) < 0 or n_both > min(n_first, n_second):
        raise ValueError("counts must be at least 0, and an error on both lists is on each of them")
    observed = n_first + n_second - n_both
    once, method = observed - n_both, "Chapman's form of Lincoln–Petersen, two lists"
    counts = {"errors": observed, "first": n_first, "second": n_second, "both": n_both}
    if observed == 0:
        return _result("chapman", method, counts, nan, None, "no error on any list", once, n_both)
    total = (n_first + 1) * (n_second + 1) / (n_both + 1) - 1
    spread = (n_first + 1) * (n_second + 1) * (n_first - n_both) * (n_second - n_both)
    variance = spread / ((n_both + 1) ** 2 * (n_both + 2))
    interval = _log_normal(observed, total - observed, variance, level)
    return _result("chapman", method, counts, total, interval, "", once, n_both)


def chao_unlike(captures: ArrayLike, by_first: ArrayLike, *, n_lists: int, level: float = 0.95) -> Unseen:
    """One list unlike the others: S + (2 z r + r(r − 1)(m − 2)/(m − 1)) / (2(Q₂ + 1)).

    captures (n_errors,) int: how many of the m lists contain each error; by_first (n_errors,) bool: whether the first
    list (the critic's) is one of them. z errors are only on the first list, r only on one other list, and Q₂ on two.
    The first list may find more or less than the others, which are taken to be alike: `chao2` counts too many errors
    where lists differ in strength. Chao's (1989, Biometrics 45:427) form for lists of unequal strength,
    S + (Q₁² − Σ Zᵢ²) / (2(Q₂ + 1)) with Zᵢ the errors on list i alone, where the others' Zᵢ are only known by their
    sum; r(r − 1) in place of r² removes the bias of the square. With two lists it *is* `chapman`.
    Undefined where `chao2` is.
    """
    given, first = np.asarray(captures), np.asarray(by_first, bool)
    seen = _seen(given)
    if len(seen) and seen.max() > n_lists:
        raise ValueError(f"an error is on {seen.max()} lists, but there are {n_lists}")
    statistic, method = "chao_unlike", f"Chao, first list unlike the {n_lists - 1} others, bias-corrected"
    if n_lists < 2:
        return _undefined(statistic, method, seen, "capture–recapture needs at least two lists")
    if len(seen) == 0:
        return _undefined(statistic, method, seen, "no error on any list")
    alone, other = int(((given == 1) & first).sum()), int(((given == 1) & ~first).sum())
    twice, share = int((given == 2).sum()), (n_lists - 2) / (n_lists - 1)
    pairs = 2 * alone * other + share * other * (other - 1)
    unseen = pairs / (2 * (twice + 1))
    # Delta method with Poisson counts, as in Chao (1987).
    by_other = (2 * alone + share * (2 * other - 1)) / (2 * (twice + 1))
    variance = (
        unseen
        + alone * (other / (twice + 1)) ** 2
        + other * by_other**2
        + twice * (pairs / (2 * (twice + 1) ** 2)) ** 2
    )
    interval = _log_normal(len(seen), unseen, variance, level) if unseen > 0 else _poisson(seen, level)
    counts = {"errors": len(seen), "captures": int(seen.sum())}
    return _result(statistic, method, counts, len(seen) + unseen, interval, "", alone + other, twice)


def unseen_counts(
    alone: NDArray[np.float64], other: NDArray[np.float64], twice: NDArray[np.float64], n_lists: float
) -> NDArray[np.float64]:
    """The number of unseen errors of `chao_unlike`, elementwise on its counts z, r and Q₂: for resamples."""
    pairs = 2 * alone * other + (n_lists - 2) / (n_lists - 1) * other * np.maximum(other - 1, 0)
    return pairs / (2 * (twice + 1))


def _seen(captures: ArrayLike) -> NDArray[np.int64]:
    given = np.asarray(captures)
    if given.size and (not np.all(given == np.floor(given)) or given.min() < 0):
        raise ValueError("captures must be whole numbers of at least 0")
    return given[given > 0].astype(np.int64)


def _chao(statistic: str, method: str, seen: NDArray[np.int64], factor: float, level: float) -> Unseen:
    if len(seen) == 0:
        return _undefined(statistic, method, seen, "no error on any list")
    observed, once, twice = len(seen), int((seen == 1).sum()), int((seen == 2).sum())
    unseen = factor * once * (once - 1) / (2 * (twice + 1))
    # Chao (1987) by the delta method, for the bias-corrected form.
    variance = (
        unseen
        + factor**2 * once * (2 * once - 1) ** 2 / (4 * (twice + 1) ** 2)
        + factor**2 * once**2 * twice * (once - 1) ** 2 / (4 * (twice + 1) ** 4)
    )
    interval = _log_normal(observed, unseen, variance, level) if unseen > 0 else _poisson(seen, level)
    counts = {"errors": observed, "captures": int(seen.sum())}
    return _result(statistic, method, counts, observed + unseen, interval, "", once, twice)


def _log_normal(observed: int, unseen: float, variance: float, level: float) -> Interval:
    method = "log-normal on the unseen part (Chao 1987)"
    if unseen <= 0:
        reason = "the lists agree wholly; an estimate of none unseen has no standard error"
        return Interval.undefined("errors", method, reason, level)
    factor = exp(float(ndtri(0.5 + level / 2)) * sqrt(log(1 + variance / unseen**2)))
    return Interval(observed + unseen / factor, observed + unseen * factor, "errors", method, level)


def _poisson(seen: NDArray[np.int64], level: float) -> Interval:
    """Where no unseen error is estimated: each seen error might have been missed with probability exp(−captures)."""
    miss = np.exp(-seen.astype(float))
    share, spread = float(miss.mean()), float(np.sqrt((miss - miss**2).sum()))
    z = float(ndtri(0.5 + level / 2))
    centre, half = len(seen) / (1 - share), z * spread / (1 - share)
    method = "Poisson chance of missing each seen error, since none is estimated unseen"
    return Interval(max(float(len(seen)), centre - half), centre + half, "errors", method, level)


def _undefined(statistic: str, method: str, seen: NDArray[np.int64], reason: str) -> Unseen:
    counts = {"errors": len(seen), "captures": int(seen.sum())}
    once, twice = int((seen == 1).sum()), int((seen == 2).sum())
    return _result(statistic, method, counts, nan, None, reason, once, twice)


def _result(
    statistic: str,
    method: str,
    counts: dict[str, int],
    total: float,
    interval: Interval | None,
    reason: str,
    once: int,
    twice: int,
) -> Unseen:
    observed = counts["errors"]
    intervals = () if interval is None else (interval,)
    shifted = tuple(
        Interval(
            each.low - observed,
            each.high - observed,
            each.covers,
            each.method,
            each.level,
            each.n_undefined,
            each.reason,
        )
        for each in intervals
    )
    return Unseen(
        Estimate(f"{statistic}_errors", total, method, counts, intervals, None, reason),
        Estimate(f"{statistic}_unseen_errors", total - observed, method, counts, shifted, None, reason),
        observed,
        once,
        twice,
    )
