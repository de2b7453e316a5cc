"""Whether two methods are equally good, up to a margin that was fixed before looking at the data.

TOST: two one-sided tests, each at 5%, reject a difference of the margin or more in either direction (Schuirmann 1987,
J. Pharmacokinet. Biopharm. 15:657). Both reject exactly where the 90% interval lies within the margin.
"""

from dataclasses import dataclass
from math import isnan, nan

from annotations.stats.comparison.over_raters import Spread


@dataclass(frozen=True)
class Equivalence:
    """The result against a margin > 0 in scale units, over what `covers` names. NaN and a reason without an interval.

    low, high        the 90% interval: equivalence at 5% means that it lies within ± margin
    p_equivalent     of TOST: the larger of the two one-sided p
    p_not_inferior   one-sided: the hypothesis that refined is worse by the margin or more
    words            the conclusion
    """

    margin: float
    covers: str
    low: float
    high: float
    p_equivalent: float
    p_not_inferior: float
    words: str
    reason: str = ""


def equivalence(mean: float, spread: Spread, margin: float, *, alpha: float = 0.05) -> Equivalence:
    """The tests of a mean difference. Raises ValueError for a margin that is not above 0."""
    if not margin > 0:
        raise ValueError(f"the margin is {margin:g}; give the smallest difference that matters, above 0")
    if spread.reason or isnan(mean):
        reason = spread.reason or "nothing was compared"
        return Equivalence(margin, spread.covers, nan, nan, nan, nan, f"no conclusion: {reason}", reason)
    interval = spread.interval(mean, 1 - 2 * alpha)
    not_worse, not_better = spread.p_above(mean, -margin), spread.p_above(-mean, -margin)
    both = max(not_worse, not_better)
    if both < alpha:
        words = f"equivalent: a difference of {margin:g} or more to either side is ruled out"
    elif not_worse < alpha:
        words = f"not inferior: a loss of {margin:g} or more is ruled out"
    elif not_better < alpha:
        words = f"not superior: a gain of {margin:g} or more is ruled out"
    else:
        words = "neither equivalence nor non-inferiority is shown"
    return Equivalence(margin, spread.covers, interval.low, interval.high, both, not_worse, words)
