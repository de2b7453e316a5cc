"""The search for the maximum: which factors have a variance, and where the likelihood has its peak.

For a small data set the search starts at the model without random effects. A factor whose variance is estimated as zero
is left out, and the search is repeated with the rest. `many` does the same for data in which every pass over the
ratings is expensive.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from scipy import linalg, special

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.distributions import normal_quantile
from annotations.stats.ordinal_model.ascent import information, maximise
from annotations.stats.ordinal_model.cumulative_link import Link
from annotations.stats.ordinal_model.laplace import Mixed, NoMode, Plain, Working
from annotations.stats.ordinal_model.random_intercepts import (
    Design,
    TooLarge,
    elimination_order,
)

BOUNDARY = 0.02
"""A standard deviation of random effects below this (the link's own is 1.8 or 1) is taken for zero."""
FLAT = 1e-4
"""Largest Newton decrement, in units of log-likelihood, that counts as converged."""
WILD = 10.0
"""A standard deviation of random effects beyond this, in the link's units: answers hardly vary within the groups, and
Laplace's approximation, which needs answers on both sides, lets the variance grow without bound."""
_NEARLY = 1e-6
"""With a Newton decrement below this, the maximum is less than a five-hundredth of a standard error away: one Newton
step remains, and the information does not change."""


@dataclass(frozen=True)
class Options:
    """Options of the search: see `fit_ordinal`."""

    link: Link
    n_nodes: int
    large: int
    part: int
    dense_limit: int


@dataclass(frozen=True)
class Peak:
    """A maximum: thresholds, coefficients and the deviations of the factors kept, in this order.

    gone         factors whose variance was estimated as zero, in the order in which they were left out
    information  minus the second derivatives; decrement: what a Newton step would still gain
    working      the ratings there, and the effects of the factors kept
    reason       why there is no maximum; then the arrays are empty
    """

    kept: tuple[str, ...]
    gone: tuple[str, ...]
    n_ratings: int
    parameters: FloatArray
    value: float
    information: FloatArray
    decrement: float
    working: Working
    reason: str = ""

    @property
    def deviations(self) -> FloatArray:
        """(n_kept,) standard deviations."""
        return np.abs(self.parameters[len(self.parameters) - len(self.kept) :])


def settle(level: IntArray, fixed: FloatArray, factors: Mapping[str, IntArray], options: Options) -> Peak:
    """The peak with those factors that have a variance. level (n,) 0…J−1, fixed (n, p), codes 0, 1, 2… (n,) each."""
    kept, gone = by_size(factors), list[str]()
    while True:
        try:
            peak = peak_with(level, fixed, {name: factors[name] for name in kept}, options)
        except (NoMode, TooLarge, linalg.LinAlgError) as error:
            return no_peak(kept, gone, len(level), str(error))
        peak = replace(peak, gone=tuple(gone))
        if not kept or peak.deviations.min() >= BOUNDARY:
            return peak
        gone.append(kept.pop(int(peak.deviations.argmin())))


def by_size(factors: Mapping[str, IntArray]) -> list[str]:
    """The names of the factors, those of the most groups first."""
    return sorted(factors, key=lambda name: -int(factors[name].max()))


def no_peak(kept: list[str], gone: list[str], n_ratings: int, reason: str) -> Peak:
    nothing = np.zeros(0)
    return Peak(
        tuple(kept), tuple(gone), n_ratings, nothing, -inf, np.zeros((0, 0)), inf, Working(nothing, nothing), reason
    )


def peak_with(level: IntArray, fixed: FloatArray, factors: Mapping[str, IntArray], options: Options) -> Peak:
    """The maximum with all of these factors, from the model without any."""
    n_levels, p, link = int(level.max()) + 1, fixed.shape[1], options.link
    plain = Plain(level, fixed, n_levels, link)
    shares = np.cumsum(np.bincount(level))[:-1] / len(level)
    cuts = special.logit(shares) if link == "logit" else normal_quantile(shares)
    start = np.concatenate((cuts, np.zeros(p)))
    found = maximise(plain.log_likelihood, start, information(plain.log_likelihood, start), n_levels - 1)
    around = information(plain.log_likelihood, found)
    if not factors:
        value, gradient = plain.log_likelihood(found)
        left = decrement(gradient, around)
        return Peak((), (), len(level), found, value, around, left, plain.working(found))
    start = np.concatenate((1.2 * found, np.full(len(factors), 0.7)))
    order = elimination_order(list(factors.values()))
    codes = [list(factors.values())[at] for at in order]
    # Random effects stretch the predictor's scale; the information of the model without any starts the search well.
    guess = linalg.block_diag(around, np.diag([float(code.max()) + 1 for code in codes]))
    found, value, around, left, working = highest(plain, codes, start, guess, options)
    fixed_part, places = n_levels - 1 + p, np.argsort(order)
    back = np.concatenate((np.arange(fixed_part), fixed_part + places))
    working = replace(working, effects=tuple(working.effects[at] for at in places))
    return Peak(tuple(factors), (), len(level), found[back], value, around[np.ix_(back, back)], left, working)


def highest(
    plain: Plain, codes: list[IntArray], start: FloatArray, guess: FloatArray, options: Options
) -> tuple[FloatArray, float, FloatArray, float, Working]:
    """The maximum, its log-likelihood, the information, the decrement and the ratings there.

    Of random factors in this order.
    """
    sizes = [int(code.max()) + 1 for code in codes]
    n_nodes = options.n_nodes if len(codes) == 1 else 1
    mixed = Mixed(plain, Design(codes, sizes, options.dense_limit), np.zeros(sum(sizes)))
    n_cuts = plain.n_levels - 1

    def runs_away(at: FloatArray, _gradient: FloatArray) -> bool:
        """Whether a deviation is on its way to infinity, which would take hundreds of steps to no end."""
        return bool(np.abs(at[len(at) - len(codes) :]).max() > 3 * WILD)

    found = maximise(mixed.log_marginal, start, guess, n_cuts, is_enough=runs_away)

    def by_quadrature(at: FloatArray) -> tuple[float, FloatArray]:
        return mixed.log_marginal_quadrature(at, n_nodes)

    marginal = mixed.log_marginal if n_nodes == 1 else by_quadrature
    value, gradient = marginal(found)
    around = information(mixed.log_marginal, found)
    if n_nodes == 1 and decrement(gradient, around) < _NEARLY:
        found = found + linalg.solve(around, gradient, assume_a="pos")
        value, gradient = marginal(found)
    else:
        # Refine the Laplace maximum to the last digits, or go on to that of the quadrature.
        found = maximise(marginal, found, around, n_cuts, is_enough=runs_away)
        value, gradient = marginal(found)
        around = information(marginal, found)
    return found, value, around, decrement(gradient, around), mixed.working(found)


def decrement(gradient: FloatArray, around: FloatArray) -> float:
    """How much a Newton step would still gain; infinite where there is no peak."""
    try:
        return float(gradient @ linalg.solve(around, gradient, assume_a="pos")) / 2
    except linalg.LinAlgError:
        return inf
