"""Refined against baseline by a cumulative link model: the effect on ordered answers, raters and prompts at random."""

from dataclasses import dataclass, replace
from math import exp, nan

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from annotations.stats.cumulative_link import Link
from annotations.stats.estimate import Estimate
from annotations.stats.ordinal_mixed import OrdinalFit, fit_ordinal
from annotations.stats.ratings import BadRatings, Ratings

_NAME = "refined"


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
    link: Link = "logit",
    level: float = 0.95,
) -> OrdinalEffect:
    """Fit rating ~ method + (1 | image) + (1 | prompt) + (1 | rater) + (1 | prompt × method) + (1 | rater × method).

    prompt, method (n_units,) int codes per unit; units with a negative prompt or another method are left out. All
    ratings count, also those of prompts that have one method alone. The image's effect keeps several raters of one
    image from counting as several images; the last two let prompts and raters differ in *how much* better refined is,
    without which the interval would hold for these prompts and raters alone. Prompt × method is there where some
    prompt has several images of a method (else the image's effect is the same thing), rater × method where some rater
    saw both methods.
    Raises BadRatings for codes that do not fit; a model that cannot be fitted well gives NaN and a reason.
    """
    prompt, method = np.asarray(prompt), np.asarray(method)
    if prompt.shape != (ratings.n_units,) or method.shape != (ratings.n_units,):
        raise BadRatings(f"prompt and method need one code for each of the {ratings.n_units} units")
    if baseline == refined:
        raise BadRatings("baseline and refined are the same method; name two")
    used = (prompt >= 0) & ((method == baseline) | (method == refined))
    chosen = used[ratings.unit]
    unit = ratings.unit[chosen]
    of_method = (method[unit] == refined).astype(np.int64)
    rater, prompts = ratings.rater[chosen], prompt[unit].astype(np.int64)
    groups = {"images": unit, "prompts": prompts, "raters": rater}
    if len(np.unique(2 * prompts + of_method)) < len(np.unique(unit)):
        groups["prompts × methods"] = 2 * prompts + of_method
    if len(np.unique(2 * rater + of_method)) > len(np.unique(rater)):
        groups["raters × methods"] = 2 * rater + of_method
    fit = fit_ordinal(ratings.level[chosen], {_NAME: of_method}, groups=groups, link=link, confidence=level)
    value = fit.coefficients[_NAME]
    # The crossings are part of what "prompts" and "raters" mean.
    modelled = [name for name in ("images", "prompts", "raters") if name in fit.deviations]
    interval = replace(fit.intervals[_NAME], covers=" and ".join(modelled) or "ratings")
    effect = Estimate("ordinal_effect", value, fit.method, fit.n, (interval,), None, fit.reason)
    z = value / fit.standard_errors[_NAME] if fit.is_fitted else nan
    p = 2 * float(stats.norm.sf(abs(z)))
    if link != "logit" or not fit.is_fitted:
        return OrdinalEffect(effect, nan, nan, nan, z, p, fit)
    return OrdinalEffect(effect, _exp(value), _exp(interval.low), _exp(interval.high), z, p, fit)


def _exp(value: float) -> float:
    return exp(min(value, 700.0))
