"""Refined against baseline by a cumulative link model: the effect on ordered answers, raters and prompts at random."""

from dataclasses import dataclass, replace
from math import exp, nan

import numpy as np
from numpy.typing import NDArray

from annotations.stats.cumulative_link import Link
from annotations.stats.distributions import normal_above
from annotations.stats.estimate import Estimate, seed_of
from annotations.stats.ordinal_mixed import OrdinalFit, fit_ordinal
from annotations.stats.ratings import BadRatings, Ratings

_NAME = "refined"

MAX_RATINGS = 20_000
"""The fit takes seconds up to here, and its interval is narrow by then; a million ratings would take an hour."""


@dataclass(frozen=True)
class OrdinalEffect:
    """How refined shifts the answers against baseline.

    effect      Estimate "ordinal_effect": the difference in the cumulative link's units; positive: refined is rated
                higher. The interval covers what was random: "images and prompts and raters" where all were.
    odds_ratio, odds_low, odds_high   exp of effect and interval (logit only, else NaN): the odds of a rating above
                any level, refined against baseline, of the same rater and prompt
    z, p        Wald's test of no effect, two-sided
    fit         the whole model
    """

    effect: Estimate
    odds_ratio: float
    odds_low: float
    odds_high: float
    z: float
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
    ratings count, also those of prompts that have one method alone. The image's effect keeps several raters of one
    image from counting as several images; the last two let prompts and raters differ in *how much* better refined is,
    without which the interval would hold for these prompts and raters alone. Prompt × method is there where some
    prompt has several images of a method (else the image's effect is the same thing), rater × method where some rater
    saw both methods.
    Above max_ratings the model is fitted to whole prompts, drawn at random up to that number, and a note says so.
    Raises BadRatings for codes that do not fit; a model that cannot be fitted well gives NaN and a reason.
    """
    prompt, method = np.asarray(prompt), np.asarray(method)
    if prompt.shape != (ratings.n_units,) or method.shape != (ratings.n_units,):
        raise BadRatings(f"prompt and method need one code for each of the {ratings.n_units} units")
    if baseline == refined:
        raise BadRatings("baseline and refined are the same method; name two")
    used = (prompt >= 0) & ((method == baseline) | (method == refined))
    drawn, note = _within(ratings, np.where(used, prompt, -1), max_ratings, rng)
    chosen = drawn[ratings.unit]
    unit = ratings.unit[chosen]
    of_method = (method[unit] == refined).astype(np.int64)
    rater, prompts = ratings.rater[chosen], prompt[unit].astype(np.int64)
    groups = {"images": unit, "prompts": prompts, "raters": rater}
    if len(np.unique(2 * prompts + of_method)) < len(np.unique(unit)):
        groups["prompts × methods"] = 2 * prompts + of_method
    if len(np.unique(2 * rater + of_method)) > len(np.unique(rater)):
        groups["raters × methods"] = 2 * rater + of_method
    fit = fit_ordinal(ratings.level[chosen], {_NAME: of_method}, groups=groups, link=link, confidence=level)
    if note:
        fit = replace(fit, notes=(note, *fit.notes))
    value = fit.coefficients[_NAME]
    # The crossings are part of what "prompts" and "raters" mean.
    modelled = [name for name in ("images", "prompts", "raters") if name in fit.deviations]
    interval = replace(fit.intervals[_NAME], covers=" and ".join(modelled) or "ratings")
    effect = Estimate("ordinal_effect", value, fit.method, fit.n, (interval,), seed_of(rng), fit.reason)
    z = value / fit.standard_errors[_NAME] if fit.is_fitted else nan
    p = 2 * float(normal_above(abs(z)))
    if link != "logit" or not fit.is_fitted:
        return OrdinalEffect(effect, nan, nan, nan, z, p, fit)
    return OrdinalEffect(effect, _exp(value), _exp(interval.low), _exp(interval.high), z, p, fit)


def _within(
    ratings: Ratings, prompt: NDArray[np.integer], most: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], str]:
    """Which units (n_units,) to use so that at most `most` ratings remain, all of a prompt or none; a note if fewer."""
    usable = prompt >= 0
    per_unit = np.bincount(ratings.unit, minlength=ratings.n_units) * usable
    if per_unit.sum() <= most:
        return usable, ""
    codes, index = np.unique(prompt, return_inverse=True)
    per_prompt = np.bincount(index, per_unit)
    order = rng.permutation(len(codes))
    taken = np.zeros(len(codes), dtype=bool)
    taken[order[np.cumsum(per_prompt[order]) <= most]] = True
    n_prompts = int(np.count_nonzero(per_prompt))
    n_taken = int(np.count_nonzero(taken & (per_prompt > 0)))
    return usable & taken[index], f"fitted to {n_taken} of {n_prompts} prompts, drawn at random"


def _exp(value: float) -> float:
    return exp(min(value, 700.0))
