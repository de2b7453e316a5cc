"""Wilson's score interval for a proportion, and a proportion as an estimate."""

from math import nan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotations.stats.distributions import normal_quantile
from annotations.stats.estimate import Estimate, Interval

METHOD = "Wilson score interval without continuity correction (Wilson 1927)"


def wilson_bounds(
    successes: ArrayLike, n: ArrayLike, *, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper Wilson limits of successes / n, elementwise and broadcast; NaN where n is 0.

    successes  any shape, 0 ≤ successes ≤ n; fractions are allowed (half credit) and make the interval approximate
    n          any shape, ≥ 0
    The limits are the two p for which (p̂ − p)² = z² p (1 − p) / n; at p̂ = 0 the lower one is exactly 0 and at
    p̂ = 1 the upper one exactly 1. Raises ValueError for counts that are negative, not finite or above n.
    Source: Wilson (1927), J. Am. Stat. Assoc. 22:209; Newcombe (1998), Stat. Med. 17:857, method 3.
    """
    if not 0 < level < 1:
        raise ValueError(f"the level {level} must lie between 0 and 1")
    hits, total = np.broadcast_arrays(np.asarray(successes, dtype=float), np.asarray(n, dtype=float))
    if not np.all(np.isfinite(hits) & np.isfinite(total) & (hits >= 0) & (hits <= total)):
        raise ValueError("successes and n must be finite with 0 ≤ successes ≤ n")
    z = float(normal_quantile(0.5 + level / 2))
    safe = np.where(total > 0, total, 1.0)
    share = hits / safe
    centre = share + z * z / (2 * safe)
    half = z * np.sqrt(share * (1 - share) / safe + (z / (2 * safe)) ** 2)
    scale = 1 + z * z / safe
    low = np.where(hits == 0, 0.0, (centre - half) / scale)
    high = np.where(hits == total, 1.0, (centre + half) / scale)
    return np.where(total > 0, low, nan), np.where(total > 0, high, nan)


def wilson(successes: float, n: float, *, covers: str, level: float = 0.95) -> Interval:
    """The Wilson interval of one proportion; with n = 0 undefined: no data.

    `covers` names what is counted ("claims", "gold units"…). It treats them as independent; where they share an
    image or a rater it is too short, and a cluster interval belongs next to it.
    """
    low, high = wilson_bounds(successes, n, level=level)
    if n == 0:
        return Interval.undefined(covers, METHOD, f"no data: no {covers}", level)
    return Interval(float(low), float(high), covers, METHOD, level)


def proportion(
    statistic: str, successes: float, n: int, *, covers: str, method: str = "share", level: float = 0.95
) -> Estimate:
    """successes / n with its Wilson interval; with n = 0 undefined: no data."""
    interval = wilson(successes, n, covers=covers, level=level)
    counts = {covers: int(n)}
    if n == 0:
        return Estimate(statistic, nan, method, counts, (interval,), None, interval.reason)
    return Estimate(statistic, successes / n, method, counts, (interval,))
