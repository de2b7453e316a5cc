"""Refined against baseline by a cumulative link model: the effect on ordered answers, raters and prompts at random."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import distinct, numbered
from annotations.stats.distributions import t_above, t_quantile
from annotations.stats.estimate import Estimate, Interval, seed_of
from annotations.stats.intervals.few import FEWEST, too_few
from annotations.stats.ordinal_model.between_raters import (
    CROSSED,
    PROMPTS_CROSSED,
    BetweenRaters,
    between_raters,
    variance_of_groups,
)
from annotations.stats.ordinal_model.cumulative_link import Link
from annotations.stats.ordinal_model.drawing import MAX_RATINGS, chosen_ratings
from annotations.stats.ordinal_model.fit import OrdinalFit, fit_ordinal
from annotations.stats.ratings import BadRatings, Ratings

_NAME = "refined"


@dataclass(frozen=True)
class OrdinalEffect:
    """How refined shifts the answers against baseline.

    effect      Estimate "ordinal_effect": the difference in the cumulative link's units; positive: refined is rated
                higher. The interval covers raters where there are enough, images and prompts where they were found to
                vary: "images and prompts and raters".
    odds_ratio, odds_low, odds_high   exp of effect and interval (logit only, else NaN): the odds of a rating above
                any level, refined against baseline, of the same rater and prompt
    t, df, p    the effect over its standard error, its degrees of freedom, and the two-sided test of no effect
    fit         the whole model
    """

    effect: Estimate
    odds_ratio: float
    odds_low: float
    odds_high: float
    t: float
    df: float
    p: float
    fit: OrdinalFit


def ordinal_effect(
    ratings: Ratings,
    *,
    prompt: NDArray[np.integer],
    method: NDArray[np.integer],
    baseline: int,
    refined: int,
    rng: np.random.Generator,
    link: Link = "logit",
    level: float = 0.95,
    max_ratings: int = MAX_RATINGS,
) -> OrdinalEffect:
    """Fit rating ~ method + (1 | image) + (1 | prompt) + (1 | rater) + (1 | prompt × method) + (1 | rater × method).

    prompt, method (n_units,) int codes per unit; units with a negative prompt or another method are left out. All
    ratings count, including those of prompts that have only one method. The image's effect keeps several raters of one
    image from counting as several images; the last two let prompts and raters differ in *how much* better refined is,
    without which the interval would hold only for these prompts and raters. Prompt × method is included if some prompt
    has several images of a method (otherwise the image's effect is the same thing), and rater × method if some rater
    saw both methods.
    Above max_ratings, or where raters, prompts and images cross too widely, the model is fitted to whole prompts drawn
    at random (see `chosen_ratings`), and a note says so.
    Raises BadRatings for codes that do not fit; a model that cannot be fitted well gives NaN and a reason.
    """
    prompt, method = np.asarray(prompt), np.asarray(method)
    if prompt.shape != (ratings.n_units,) or method.shape != (ratings.n_units,):
        raise BadRatings(f"prompt and method need one code for each of the {ratings.n_units} units")
    if baseline == refined:
        raise BadRatings("baseline and refined are the same method; name two")
    used = (prompt >= 0) & ((method == baseline) | (method == refined))
    of_unit = (method == refined).astype(np.int64)

    def groups_of(chosen: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
        unit, rater = ratings.unit[chosen], ratings.rater[chosen]
        prompts, of_method = prompt[unit].astype(np.int64), of_unit[unit]
        found = {"images": unit, "prompts": prompts, "raters": rater}
        if len(distinct(2 * prompts + of_method)) < len(distinct(unit)):
            found[PROMPTS_CROSSED] = 2 * prompts + of_method
        if np.count_nonzero(_ratings_of(rater, of_method).min(axis=1)) >= FEWEST:
            found[CROSSED] = 2 * rater + of_method
        return found

    chosen, groups, note = chosen_ratings(ratings, np.where(used, prompt, -1), groups_of, max_ratings, rng)
    of_method = of_unit[ratings.unit[chosen]]
    shares = _ratings_of(groups["raters"], of_method)
    n_on_both = int(np.count_nonzero(shares.min(axis=1)))
    fit = fit_ordinal(
        ratings.level[chosen],
        {_NAME: of_method},
        groups=groups,
        link=link,
        confidence=level,
        sides={_NAME: ("the baseline", "the refined method")},
    )
    if note:
        fit = replace(fit, notes=(note, *fit.notes))
    if not fit.is_fitted:
        effect = Estimate(
            "ordinal_effect", nan, fit.method, fit.n, tuple(fit.intervals.values()), seed_of(rng), fit.reason
        )
        return OrdinalEffect(effect, nan, nan, nan, nan, nan, nan, fit)
    value = fit.coefficients[_NAME]
    raters = None
    if n_on_both >= FEWEST or (not n_on_both and _raters_of_each(shares) >= FEWEST):
        raters = between_raters(fit, groups, of_method, within=n_on_both > 0)
    covers = _covered(fit.deviations, groups, over_raters=raters is not None)
    error, df = _error(fit, groups, of_method, raters)
    reach = float(t_quantile((1 + level) / 2, df)) * error
    how = f"Wald, t({df:.1f}), {fit.method}"
    interval = Interval.around(value, value - reach, value + reach, " and ".join(covers) or "ratings", how, level)
    notes = tuple(
        f"the interval does not cover other {name}: "
        + (
            too_few((n_on_both or _raters_of_each(shares)) if name == "raters" else fit.n[name], name)
            or "the effect was not found to vary between them"
        )
        for name in ("prompts", "raters")
        if name not in covers
    )
    effect = Estimate("ordinal_effect", value, fit.method, fit.n, (interval,), seed_of(rng), notes=notes)
    t = value / error
    p = 2 * float(t_above(abs(t), df))
    if link != "logit":
        return OrdinalEffect(effect, nan, nan, nan, t, df, p, fit)
    return OrdinalEffect(effect, _exp(value), _exp(interval.low), _exp(interval.high), t, df, p, fit)


def _ratings_of(rater: NDArray[np.int64], of_method: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n_raters, 2): how many ratings of each method each rater gave."""
    code = numbered(rater)[1]
    return np.bincount(2 * code + of_method, minlength=2 * (int(code.max(initial=-1)) + 1)).reshape(-1, 2).astype(float)


def _raters_of_each(shares: NDArray[np.float64]) -> int:
    """How many raters the method with fewer of them has."""
    return int((shares > 0).sum(axis=0).min())


def _covered(
    deviations: Mapping[str, float], groups: Mapping[str, NDArray[np.int64]], *, over_raters: bool
) -> list[str]:
    """Which of images, prompts and raters the interval covers.

    Images and prompts if their part in the effect has a variance: the crossing with the methods or, for prompts with
    one image per method, the image's effect. A factor that the model cannot have (one rating per image) is part of the
    ratings' own spread.
    """
    parts = {"images": "images", "prompts": PROMPTS_CROSSED if PROMPTS_CROSSED in groups else "images"}
    covered = [name for name in parts if name in deviations and deviations.get(parts[name], 1.0) > 0]
    return [*covered, "raters"] if over_raters else covered


def _error(
    fit: OrdinalFit,
    groups: Mapping[str, NDArray[np.int64]],
    of_method: NDArray[np.int64],
    raters: BetweenRaters | None,
) -> tuple[float, float]:
    """The standard error of the effect, and its degrees of freedom."""
    rest, variance = float(max(fit.n["prompts"] - 1, 1)), fit.standard_errors[_NAME] ** 2
    if raters is None:
        return sqrt(variance), rest
    deviation = fit.deviations.get(CROSSED if CROSSED in groups else "raters", 0.0)
    by_images = variance_of_groups(fit, groups, of_method, ("images", PROMPTS_CROSSED))
    both, df = raters.of(np.array([[-1.0, 1.0]]), np.diag([0.0, variance]), deviation, by_images, rest)
    return sqrt(float(both[0])), float(df[0])


def _exp(value: float) -> float:
    return exp(min(value, 700.0))
