"""Bounds for a planned number of looks at a paired comparison, with an overall two-sided error rate.

Lan and DeMets (1983), Biometrika 70:659: the error rate is spent as a function of the share of the planned information;
bounds follow from the joint law of the statistic at the looks, a Brownian motion, by recursive integration (Armitage,
McPherson and Rowe 1969).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import e, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray
from annotations.stats.comparison.paired_tests import paired_t_test
from annotations.stats.distributions import normal_above, normal_below, normal_density, normal_quantile

Spending = Literal["obrien_fleming", "pocock"]

_NODES = 200
_FARTHEST = 9.0
"""Bounds beyond this many standard errors (p of 2e-19) have no effect."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look: after n prompts, the two-sided p of the paired t test against the p that this look may reject at.

    crossed  p ≤ nominal_p at this look or an earlier one: the study may stop
    """

    n: int
    z_bound: float
    nominal_p: float
    p: float
    crossed: bool


def spending_bounds(
    fractions: Sequence[float], *, alpha: float = 0.05, spending: Spending = "obrien_fleming"
) -> FloatArray:
    """Two-sided z bounds (k,) at the given shares of the planned information, ascending in (0, 1].

    Each side spends alpha/2 by the share t: "obrien_fleming" 2 − 2Φ(z_{α/4} / √t), very little early on;
    "pocock" (α/2) ln(1 + (e − 1) t), nearly the same bound at every look.
    Raises ValueError for fractions that do not ascend within (0, 1].
    """
    times = np.asarray(fractions, dtype=float)
    if len(times) == 0 or times[0] <= 0 or times[-1] > 1 or np.any(np.diff(times) <= 0) or not 0 < alpha < 1:
        raise ValueError("fractions must ascend within (0, 1], and alpha lie between 0 and 1")
    side = alpha / 2
    if spending == "obrien_fleming":
        spent = 2 * normal_above(-normal_quantile(side / 2) / np.sqrt(times))
    else:
        spent = side * np.log1p((e - 1) * times)
    allowed = 2 * np.diff(np.concatenate(([0.0], spent)))
    bounds = np.empty(len(times))
    # Where the motion is, if it has crossed no bound so far: nodes and mass at each.
    where, mass, last = np.zeros(1), np.ones(1), 0.0
    roots, weights = np.polynomial.legendre.leggauss(_NODES)
    for look, (time, allowance) in enumerate(zip(times, allowed, strict=True)):
        step = sqrt(time - last)

        bounds[look] = _bound(where, mass, step, sqrt(time), allowance)
        edge = bounds[look] * sqrt(time)
        nodes = roots * edge
        density = normal_density((nodes[:, np.newaxis] - where) / step) / step
        where, mass, last = nodes, (density @ mass) * weights * edge, time
    return bounds


def _bound(where: FloatArray, mass: FloatArray, step: float, edge: float, allowance: float) -> float:
    """The z at which the mass that leaves ±z·edge in one step is what is allowed."""

    def excess(z: float) -> float:
        out = normal_above((z * edge - where) / step) + normal_below((-z * edge - where) / step)
        return float(mass @ out) - allowance

    from scipy import optimize  # takes a fifth of a second to import, and nothing else here needs it

    return float(optimize.brentq(excess, 0.0, _FARTHEST)) if excess(_FARTHEST) < 0 else _FARTHEST


def group_sequential(
    differences: NDArray[np.floating],
    looks: Sequence[int],
    *,
    planned: int,
    alpha: float = 0.05,
    spending: Spending = "obrien_fleming",
) -> tuple[Look, ...]:
    """The paired t test at each planned look that has enough prompts so far, against its bound.

    differences (n,) in order of completion; looks: numbers of prompts, ascending, at most `planned`. The bounds are on
    the scale of p, so that Student's t replaces the normal at small n (Jennison and Turnbull 2000, section 3.8).
    """
    d = np.asarray(differences, dtype=float)
    bounds = spending_bounds([n / planned for n in looks], alpha=alpha, spending=spending)
    results, crossed = [], False
    for n, bound in zip(looks, bounds.tolist(), strict=True):
        if n > len(d):
            break
        nominal = 2 * float(normal_above(bound))
        p = paired_t_test(d[:n]).p
        crossed = crossed or p <= nominal
        results.append(Look(n, bound, nominal, p, crossed))
    return tuple(results)
