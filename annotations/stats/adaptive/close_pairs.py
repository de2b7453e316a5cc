"""Which pairs of methods need further prompts: a group-sequential rule over all pairs of a study.

Every pair of methods first has the same number of prompts. At each planned look, a pair whose difference is proven
stops; the others, the close ones, get the next prompts, up to the planned number. The chance that any pair of equal
methods is ever called different is at most alpha: each pair spends alpha / n_pairs (Bonferroni) over its looks by alpha
spending (`comparison.group_sequential`: Lan and DeMets 1983, Biometrika 70:659).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from annotations.stats.arrays import FloatArray
from annotations.stats.comparison.group_sequential import Spending, spending_bounds
from annotations.stats.comparison.paired_tests import paired_t_test
from annotations.stats.distributions import normal_above, t_quantile


@dataclass(frozen=True)
class PairRule:
    """What is registered before the first answer.

    looks    numbers of prompts per pair at which it is decided which pairs stop, ascending; the last is the maximum
    n_pairs  pairs of methods in the study
    """

    looks: tuple[int, ...]
    n_pairs: int
    alpha: float = 0.05
    spending: Spending = "obrien_fleming"

    def __post_init__(self) -> None:
        if self.n_pairs < 1 or not self.looks or self.looks[0] < 2:
            raise ValueError("there must be a pair of methods, and at least two prompts before the first look")

    @cached_property
    def nominal_p(self) -> FloatArray:
        """(n_looks,) the two-sided p at which a pair stops at each look. Raises ValueError unless looks ascend."""
        shares = [look / self.looks[-1] for look in self.looks]
        return 2 * normal_above(spending_bounds(shares, alpha=self.alpha / self.n_pairs, spending=self.spending))


@dataclass(frozen=True, slots=True)
class PairState:
    """One pair of methods at its last look.

    n          prompts that count: those up to the look at which the pair stopped, or up to the latest look
    low, high  repeated confidence interval of the mean difference: the intervals of all pairs at all looks hold at once
               with probability ≥ 1 − alpha. NaN before the first look and without variation.
    wants      further prompts needed until the next look; 0 if the pair is decided or has the maximum
    """

    n: int
    mean: float
    low: float
    high: float
    is_decided: bool
    wants: int


@dataclass(frozen=True, slots=True)
class PairLook:
    """What one look at one pair finds.

    n          prompts with a difference
    p          of the paired t test; nominal_p: the p at which this look decides. NaN without variation
    low, high  the pair's repeated confidence interval
    """

    n: int
    mean: float
    p: float
    nominal_p: float
    low: float
    high: float
    is_decided: bool


def look_at(differences: FloatArray, rule: PairRule, place: int) -> PairLook:
    """The rule's look number `place`, from 0, at one pair, from the differences (n,) of all prompts up to that look.

    Prompts without a difference, because no rater could answer, are left out. The bound is still that of the planned
    number.
    """
    d, nominal = np.asarray(differences, float), float(rule.nominal_p[place])
    n = len(d)
    mean = float(d.mean()) if n else np.nan
    error = float(d.std(ddof=1)) / np.sqrt(n) if n > 1 else np.nan
    # Without variation p is undefined, and the look decides nothing.
    p = paired_t_test(d).p if n > 1 else np.nan
    half = float(t_quantile(1 - nominal / 2, n - 1)) * error if error > 0 else np.nan
    return PairLook(n, mean, p, nominal, mean - half, mean + half, p <= nominal)


def pair_state(differences: FloatArray, rule: PairRule) -> PairState:
    """Where a pair is, from its differences (n,), one per prompt, in an order that does not depend on them.

    Prompts after the look at which it stopped do not count.
    """
    d = np.asarray(differences, float)
    state = PairState(0, np.nan, np.nan, np.nan, is_decided=False, wants=max(0, rule.looks[0] - len(d)))
    for place, look in enumerate(rule.looks):
        if look > len(d):
            break
        found = look_at(d[:look], rule, place)
        following = rule.looks[place + 1] if place + 1 < len(rule.looks) else look
        wants = 0 if found.is_decided else max(0, following - len(d))
        state = PairState(look, found.mean, found.low, found.high, found.is_decided, wants)
        if found.is_decided:
            break
    return state


def pair_states(differences: Sequence[FloatArray], rule: PairRule) -> tuple[PairState, ...]:
    """`pair_state` of every pair of the study. Raises ValueError if the number of pairs is not the rule's."""
    if len(differences) != rule.n_pairs:
        raise ValueError(f"the rule is for {rule.n_pairs} pairs of methods, and there are {len(differences)}")
    return tuple(pair_state(pair, rule) for pair in differences)
