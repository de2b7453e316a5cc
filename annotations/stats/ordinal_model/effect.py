"""Refined against baseline by a cumulative link model: the effect on ordered answers, raters and prompts at random."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from annotations.stats.distributions import t_above, t_quantile
from annotations.stats.estimate import Estimate, Interval, seed_of
from annotations.stats.intervals.few import FEWEST, too_few
from annotations.stats.ordinal_model.cumulative_link import Link
from annotations.stats.ordinal_model.drawing import MAX_RATINGS, chosen_ratings
from annotations.stats.ordinal_model.fit import OrdinalFit, fit_ordinal
from annotations.stats.ratings import BadRatings, Ratings

_NAME = "refined"

_CROSSED = {"prompts": "prompts × methods", "raters": "raters × methods"}


@dataclass(frozen=True)
class OrdinalEffect:
    """How refined shifts the answers against baseline.

    effect      Estimate "ordinal_effect": the difference in the cumulative link's units; positive: refined is rated
                higher. The interval covers what was found to vary: "images and prompts and raters" where all were.
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
    ratings count, also those of prompts that have one method alone. The image's effect keeps several raters of one
    image from counting as several images; the last two let prompts and raters differ in *how much* better refined is,
    without which the interval would hold for these prompts and raters alone. Prompt × method is there where some
    prompt has several images of a method (else the image's effect is the same thing), rater × method where some rater
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
        if len(np.unique(2 * prompts + of_method)) < len(np.unique(unit)):
            found["prompts × methods"] = 2 * prompts + of_method
        if np.count_nonzero(_ratings_of(rater, of_method).min(axis=1)) >= FEWEST:
            found["raters × methods"] = 2 * rater + of_method
        return found

    chosen, groups, note = chosen_ratings(ratings, np.where(used, prompt, -1), groups_of, max_ratings, rng)
    of_method = of_unit[ratings.unit[chosen]]
    shares = _ratings_of(groups["raters"], of_method)
    n_on_both = int(np.count_nonzero(shares.min(axis=1)))
    fit = fit_ordinal(ratings.level[chosen], {_NAME: of_method}, groups=groups, link=link, confidence=level)
    if note:
        fit = replace(fit, notes=(note, *fit.notes))
    if not fit.is_fitted:
        effect = Estimate(
            "ordinal_effect", nan, fit.method, fit.n, tuple(fit.intervals.values()), seed_of(rng), fit.reason
        )
        return OrdinalEffect(effect, nan, nan, nan, nan, nan, nan, fit)
    value = fit.coefficients[_NAME]
    covers = _found_to_vary(fit.deviations, groups, n_on_both)
    error, df = _error(fit, shares, n_on_both, fit.n["prompts"], over_raters="raters" in covers)
    reach = float(t_quantile((1 + level) / 2, df)) * error
    how = f"Wald, t({df:.1f}), {fit.method}"
    interval = Interval.around(value, value - reach, value + reach, " and ".join(covers) or "ratings", how, level)
    notes = tuple(
        f"the interval does not cover other {name}: "
        + (
            too_few(n_on_both if name == "raters" and n_on_both else fit.n[name], name)
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
    _, code = np.unique(rater, return_inverse=True)
    return np.bincount(2 * code + of_method, minlength=2 * (int(code.max(initial=-1)) + 1)).reshape(-1, 2).astype(float)


def _found_to_vary(
    deviations: Mapping[str, float], groups: Mapping[str, NDArray[np.int64]], n_on_both: int
) -> list[str]:
    """Which of images, prompts and raters the interval covers: those whose part in the effect has a variance.

    That part is the crossing with the methods; of prompts with one image per method it is the image's effect, of
    raters who saw one method each it is the rater's. An interval without it holds for these prompts or raters alone.
    A factor that the model cannot have (one rating per image) is in the ratings' own spread.
    """
    parts = {"images": "images", "prompts": "images", "raters": "raters"}
    parts |= {name: crossed for name, crossed in _CROSSED.items() if crossed in groups}
    covered = [name for name in parts if name in deviations and deviations.get(parts[name], 1.0) > 0]
    if "raters × methods" not in groups and n_on_both:
        # A few raters of both methods: their preferences are not modelled.
        covered = [name for name in covered if name != "raters"]
    return covered


def _error(
    fit: OrdinalFit, shares: NDArray[np.float64], n_on_both: int, n_prompts: int, *, over_raters: bool
) -> tuple[float, float]:
    """The standard error of the effect, and Satterthwaite's (1946) degrees of freedom.

    Maximum likelihood finds R/(R − 1) of the variance of R raters' preferences too little, as in any mean of R; that
    much is added. The raters' part has R − 1 degrees of freedom, the rest as many as prompts less one.
    """
    variance = fit.standard_errors[_NAME] ** 2
    rest = max(n_prompts - 1, 1)
    if not over_raters:
        return sqrt(variance), float(rest)
    if n_on_both >= FEWEST:
        both = shares[shares.min(axis=1) > 0].sum(axis=1)
        by_raters, df = 2 * fit.deviations["raters × methods"] ** 2 * _inverse_number(both), n_on_both - 1
    else:
        by_raters = fit.deviations["raters"] ** 2 * sum(_inverse_number(of_one) for of_one in shares.T)
        df = max(len(shares) - 2, 1)
    found = min(by_raters, variance)
    by_raters = found * (df + 1) / df
    by_rest = variance - found
    freedom = (by_raters + by_rest) ** 2 / (by_raters**2 / df + by_rest**2 / rest)
    return sqrt(by_raters + by_rest), max(freedom, float(min(df, rest)))


def _inverse_number(ratings: NDArray[np.float64]) -> float:
    """Σ n²/(Σ n)²: one over the number of raters if they gave equally many."""
    return float((ratings**2).sum() / ratings.sum() ** 2)


def _exp(value: float) -> float:
    return exp(min(value, 700.0))
