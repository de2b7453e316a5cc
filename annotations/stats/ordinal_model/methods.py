"""All methods in one ordinal model: every pair with a simultaneous interval and p, and letters that agree with them.

rating ~ method + (1 | image) + (1 | prompt) + (1 | rater) + (1 | prompt × method) + (1 | rater × method): the model of
`effect`, with an effect for each method. Simultaneous intervals hold together at their level: they take the quantile of
the largest |t| of all pairs (Hothorn, Bretz & Westfall 2008, Biom. J. 50:346), from a multivariate t with the
estimates' correlations. The simultaneous p of a pair is the probability of a largest |t| above its own, so that it is
below 5% where the 95% interval excludes 0, and only there. Letters follow it.
"""

from dataclasses import dataclass, field, replace
from itertools import combinations
from math import exp

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray
from annotations.stats.distributions import t_above
from annotations.stats.estimate import Estimate, Interval
from annotations.stats.intervals.few import FEWEST
from annotations.stats.intervals.several import compact_letters, holm
from annotations.stats.ordinal_model.between_raters import (
    CROSSED,
    PROMPTS_CROSSED,
    BetweenRaters,
    between_raters,
    variance_of_groups,
)
from annotations.stats.ordinal_model.drawing import MAX_RATINGS, chosen_ratings
from annotations.stats.ordinal_model.fit import OrdinalFit, fit_ordinal
from annotations.stats.ordinal_model.largest_t import LargestT, largest_t
from annotations.stats.ratings import BadRatings, Ratings

_TIED = 4
"""Digits after the point to which effects and variances are compared where their order must not depend on rounding."""


@dataclass(frozen=True)
class MethodEffect:
    """One method.

    effect   log odds, with mean 0 over the methods
    letters  it shares one with every method that the simultaneous p does not distinguish from it (`compact_letters`)
    """

    method: int
    effect: float
    letters: str


@dataclass(frozen=True)
class PairEffect:
    """First less second, the better one first.

    difference      log odds, with an interval that holds together with those of all pairs
    p               of this pair alone, with its own degrees of freedom
    p_simultaneous  adjusted for all pairs by the largest |t| (single step), as the interval is: below 1 − level where
                    the interval excludes 0, and only there
    p_holm          p adjusted for all pairs by Holm's rule, for comparison; it need not agree with the interval
    """

    first: int
    second: int
    difference: Estimate
    odds_ratio: float
    p: float
    p_simultaneous: float
    p_holm: float


@dataclass(frozen=True)
class MethodModel:
    """Methods in descending order of their effect, pairs in that order; empty with a reason where none was fitted.

    thresholds  (n_used − 1,) cut points between the levels in use, ascending, for a method of effect 0
    """

    methods: tuple[MethodEffect, ...]
    pairs: tuple[PairEffect, ...]
    covers: str
    fit: OrdinalFit | None
    notes: tuple[str, ...] = ()
    reason: str = ""
    thresholds: FloatArray = field(default_factory=lambda: np.zeros(0))


def ordinal_methods(
    ratings: Ratings,
    *,
    prompt: NDArray[np.integer],
    method: NDArray[np.integer],
    rng: np.random.Generator,
    level: float = 0.95,
    max_ratings: int = MAX_RATINGS,
) -> MethodModel:
    """prompt, method (n_units,) int codes per unit; a negative one leaves the unit out. At least three methods.

    Prompt × method is in the model where some prompt has several images of a method. Without it the images of a prompt
    would count as if each were of a prompt of its own.
    Above max_ratings, or where the factors cross too widely, the model is fitted to whole prompts drawn at random (see
    `chosen_ratings`), and a note says so.
    Differences have Student's t with Satterthwaite's degrees of freedom: the part of their variance that raters make
    has those of the interaction of raters and methods (see `between_raters`), the rest one less than prompts.
    Raises BadRatings for codes that do not fit.
    """
    prompt, method = np.asarray(prompt), np.asarray(method)
    if prompt.shape != (ratings.n_units,) or method.shape != (ratings.n_units,):
        raise BadRatings(f"prompt and method need one code for each of the {ratings.n_units} units")
    used = np.where((prompt >= 0) & (method >= 0), prompt, -1)

    def groups_of(chosen: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
        unit, rater = ratings.unit[chosen], ratings.rater[chosen]
        own = np.unique(method[unit], return_inverse=True)[1]
        k, prompts = int(own.max(initial=-1)) + 1, prompt[unit].astype(np.int64)
        found = {"images": unit, "prompts": prompts, "raters": rater}
        if len(np.unique(prompts * k + own)) < len(np.unique(unit)):
            found[PROMPTS_CROSSED] = prompts * k + own
        if _raters_of_several(rater, own) >= FEWEST:
            found[CROSSED] = rater * k + own
        return found

    chosen, groups, note = chosen_ratings(ratings, used, groups_of, max_ratings, rng)
    unit, rater = ratings.unit[chosen], ratings.rater[chosen]
    codes, own = np.unique(method[unit], return_inverse=True)
    k = len(codes)
    if k < 2:
        return MethodModel((), (), "", None, reason="fewer than two methods have ratings with a prompt")
    n_raters = _raters_of_several(rater, own)
    fixed = {str(at): (own == at).astype(np.int64) for at in range(1, k)}
    sides = dict.fromkeys(fixed, ("the other methods", "one method"))
    fit = fit_ordinal(ratings.level[chosen], fixed, groups=groups, confidence=level, sides=sides)
    if not fit.is_fitted:
        return MethodModel((), (), "", fit, fit.notes, fit.reason)
    effects = np.array([0.0, *(fit.coefficients[str(at)] for at in range(1, k))])
    middle = effects.mean()
    effects -= middle
    covariance = np.zeros((k, k))
    covariance[1:, 1:] = fit.covariance
    n_prompts = len(np.unique(prompt[unit]))
    found = between_raters(fit, groups, own) if n_raters >= FEWEST else None
    notes: tuple[str, ...] = (note,) if note else ()
    if found is None:
        who = "only 1 rater" if n_raters == 1 else f"only {n_raters} raters" if n_raters else "no rater"
        notes += (f"the intervals do not cover other raters: {who} rated several methods",)
    covers = "prompts and raters" if found else "prompts"
    by_images = variance_of_groups(fit, groups, own, ("images", PROMPTS_CROSSED))
    spread = _Spread(covariance, found, fit.deviations.get(CROSSED, 0.0), by_images, max(n_prompts - 1, 1))
    order = np.argsort(-effects, kind="stable")
    pairs = _pairs(effects, spread, order, covers, level, fit.method)
    place = {int(at): number for number, at in enumerate(order)}
    apart = [(place[one.first], place[one.second]) for one in pairs if one.p_simultaneous < 1 - level]
    letters = compact_letters(k, apart)
    methods = tuple(
        MethodEffect(int(codes[at]), float(effects[at]), letter) for at, letter in zip(order, letters, strict=True)
    )
    named = tuple(replace(one, first=int(codes[one.first]), second=int(codes[one.second])) for one in pairs)
    return MethodModel(methods, named, covers, fit, (*notes, *fit.notes), thresholds=fit.thresholds - middle)


def _raters_of_several(rater: NDArray[np.int64], own: NDArray[np.intp]) -> int:
    pairs = np.unique(np.column_stack([rater, own]), axis=0)
    return int((np.bincount(pairs[:, 0]) > 1).sum())


@dataclass(frozen=True)
class _Spread:
    """covariance (k, k) of the effects; raters: how they differ, where the intervals cover them."""

    covariance: FloatArray
    raters: BetweenRaters | None
    deviation: float
    by_images: FloatArray
    df_prompts: float

    def of(self, contrasts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The covariance (m, m) of m contrasts, and the degrees of freedom (m,) of their variances."""
        whole = contrasts @ self.covariance @ contrasts.T
        if self.raters is None:
            return whole, np.full(len(contrasts), self.df_prompts)
        variance, df = self.raters.of(contrasts, self.covariance, self.deviation, self.by_images, self.df_prompts)
        grown = np.sqrt(variance / np.diag(whole))
        return whole * np.outer(grown, grown), df


def _pairs(
    effects: FloatArray, spread: _Spread, order: NDArray[np.intp], covers: str, level: float, model: str
) -> list[PairEffect]:
    contrasts, listed = _contrasts(order)
    of_pairs, df = spread.of(contrasts)
    errors = np.sqrt(np.diag(of_pairs))
    values = contrasts @ effects
    t = np.abs(values) / errors
    largest = _largest_t(effects, spread)
    p = np.minimum(1.0, 2 * t_above(t, df))
    together, holms = largest.above(t), holm(p.tolist())
    half = largest.quantile(level) * errors
    method = f"simultaneous, largest |t({largest.df:.1f})| of {len(listed)} pairs, {model}"
    found = []
    for place, (first, second) in enumerate(listed):
        value = float(values[place])
        interval = Interval.around(value, value - half[place], value + half[place], covers, method, level)
        estimate = Estimate("log_odds", value, model, {}, (interval,))
        ps = float(p[place]), float(together[place]), float(holms[place])
        found.append(PairEffect(first, second, estimate, exp(min(value, 700.0)), *ps))
    return found


def _largest_t(effects: FloatArray, spread: _Spread) -> LargestT:
    """Of all pairs, with the smallest degrees of freedom of any.

    The methods come in an order of their figures, not of their names, so that renaming them changes nothing.
    """
    centred = np.eye(len(effects)) - 1 / len(effects)
    variances = np.diag(centred @ spread.covariance @ centred)
    order = np.lexsort((np.round(variances, _TIED), np.round(effects, _TIED)))
    of_pairs, df = spread.of(_contrasts(order)[0])
    return largest_t(of_pairs, float(df.min()))


def _contrasts(order: NDArray[np.intp]) -> tuple[FloatArray, list[tuple[int, int]]]:
    """(m, k) every earlier method less every later one, and the pairs."""
    listed = list(combinations(order.tolist(), 2))
    contrasts = np.zeros((len(listed), len(order)))
    for row, (first, second) in enumerate(listed):
        contrasts[row, [first, second]] = 1, -1
    return contrasts, listed
