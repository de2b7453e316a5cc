"""How many prompts and raters does a study need? From a pilot's components of variance.

Model of one rater's preference for refined on one prompt: D = δ + prompt + rater + residual, with variances σ²_P
(prompts differ in how much refinement helps), σ²_R (raters differ in how much they like it) and σ²_E (everything else:
images, mood, the steps of the scale). A study of n prompts, each rated under both methods by k of R raters, has

    Var(mean) = σ²_P / n + σ²_R / R + σ²_E / (n k)

More ratings of the same prompts cannot go below σ²_P / n, more prompts cannot go below σ²_R / R. Sources: Henderson
(1953), Biometrics 9:226, method I, for the components of unbalanced data; Westfall, Kenny and Judd (2014), J. Exp.
Psychol. Gen. 143:2020, for power with crossed random factors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan, nan, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotations.stats.comparison.paired import paired_cells
from annotations.stats.distributions import t_quantile
from annotations.stats.intervals.two_way_components import two_way_components
from annotations.stats.ratings import Ratings

Generality = Literal["prompts", "prompts and raters"]

_MOST = 10_000_000


@dataclass(frozen=True, slots=True)
class VarianceComponents:
    """Variance components of one rater's preference; NaN with a reason where the pilot cannot separate them.

    prompts, raters, residual   σ²_P, σ²_R, σ²_E in squared scale units, cut at 0 (the raw estimate may be negative)
    mean       the pilot's mean preference
    n_prompts, n_raters, n_pairs   prompts, raters, and (prompt, rater) pairs with both methods behind them
    """

    prompts: float
    raters: float
    residual: float
    mean: float
    n_prompts: int
    n_raters: int
    n_pairs: int
    reason: str = ""
    notes: tuple[str, ...] = ()

    def variance_of_mean(
        self, n_prompts: float, raters_per_prompt: float, n_raters: float, generality: Generality = "prompts and raters"
    ) -> float:
        """Variance of the mean difference of a study of this size; without the raters' term for "prompts"."""
        over_raters = self.raters / n_raters if generality == "prompts and raters" else 0.0
        # Even fixed raters add their differences to the prompts they see, if each sees only some prompts.
        shared = 0.0 if generality == "prompts and raters" else self.raters * (1 / raters_per_prompt - 1 / n_raters)
        return (self.prompts + self.residual / raters_per_prompt + shared) / n_prompts + over_raters


@dataclass(frozen=True, slots=True)
class Plan:
    """A study size and what it gives: the expected half width of the 95% interval, and the power for `effect`."""

    n_prompts: int
    raters_per_prompt: int
    n_raters: int
    n_ratings: int
    half_width: float
    power: float
    """NaN where no effect was named."""


def pilot_components(
    ratings: Ratings, *, prompt: NDArray[np.integer], method: NDArray[np.integer], baseline: int, refined: int
) -> VarianceComponents:
    """Components of variance from the pairs (rater, prompt) that have a rating of both methods.

    Several images of a method are averaged within the rater first. prompt, method as in `paired_cells`.
    Undefined below two prompts or two raters, or where every prompt has only one rater.
    """
    cells = paired_cells(ratings, prompt=prompt, method=method, baseline=baseline, refined=refined)
    cell_of_unit = np.full(ratings.n_units, -1, dtype=np.int64)
    cell_of_unit[cells.unit] = cells.cell
    used = cell_of_unit[ratings.unit] >= 0
    key = ratings.rater[used] * np.int64(max(len(cells.images), 1)) + cell_of_unit[ratings.unit[used]]
    keys, place = np.unique(key, return_inverse=True)
    mean = np.bincount(place, ratings.values[ratings.level[used]]) / np.maximum(np.bincount(place), 1)
    # Two keys of one rater and prompt differ by one: baseline even, refined odd.
    first = np.flatnonzero((keys[:-1] % 2 == 0) & (keys[1:] == keys[:-1] + 1))
    preference = mean[first + 1] - mean[first]
    rater, prompts = np.divmod(keys[first] // 2, max(len(cells.prompts), 1))
    return variance_components(preference, prompts, rater)


def variance_components(
    preference: NDArray[np.floating], prompt: NDArray[np.integer], rater: NDArray[np.integer]
) -> VarianceComponents:
    """Henderson's method I (`two_way_components`) for preferences (n,) with prompt and rater codes (n,), each pair at
    most once."""
    d = np.asarray(preference, dtype=float)
    n = len(d)
    _, p = np.unique(prompt, return_inverse=True)
    _, r = np.unique(rater, return_inverse=True)
    n_prompts, n_raters = int(p.max(initial=-1)) + 1, int(r.max(initial=-1)) + 1
    mean = float(np.mean(d)) if n else nan
    reason = ""
    if n_prompts < 2 or n_raters < 2:
        reason = "a pilot needs two prompts and two raters who rated both methods on the same prompts"
    elif n <= n_prompts or n <= n_raters:
        reason = "every prompt has one rater alone, or every rater one prompt: raters and residual cannot be separated"
    if reason:
        return VarianceComponents(nan, nan, nan, mean, n_prompts, n_raters, n, reason)
    solved = two_way_components(d, p, r)
    if solved is None:
        return VarianceComponents(
            nan, nan, nan, mean, n_prompts, n_raters, n, "the pattern of missing ratings hides them"
        )
    notes = tuple(
        f"{name}: estimated below zero ({value:.3g}), taken as zero"
        for name, value in zip(("prompts", "raters", "residual"), solved, strict=True)
        if value < 0
    )
    cut = np.maximum(solved, 0.0)
    return VarianceComponents(float(cut[0]), float(cut[1]), float(cut[2]), mean, n_prompts, n_raters, n, "", notes)


def plan(
    pilot: VarianceComponents,
    *,
    n_prompts: int,
    raters_per_prompt: int,
    n_raters: int,
    effect: float | None = None,
    alpha: float = 0.05,
    generality: Generality = "prompts and raters",
) -> Plan:
    """What a study of this size would give: half width of its 1 − alpha interval and two-sided power for `effect`.

    Without an effect the power is NaN. The study has as many images per prompt and method as the pilot, each rated once
    by each of the prompt's raters; n_ratings counts one image. Power from the noncentral t with Satterthwaite's degrees
    of freedom. Raises ValueError for impossible sizes.
    """
    if min(n_prompts, raters_per_prompt, n_raters) < 1 or raters_per_prompt > n_raters:
        raise ValueError("sizes must be at least 1, and raters_per_prompt at most n_raters")
    n_ratings = n_prompts * 2 * raters_per_prompt
    variance = pilot.variance_of_mean(n_prompts, raters_per_prompt, n_raters, generality)
    if isnan(variance):
        return Plan(n_prompts, raters_per_prompt, n_raters, n_ratings, nan, nan)
    df = _degrees_of_freedom(pilot, variance, n_prompts, raters_per_prompt, n_raters, generality)
    if df <= 0:
        return Plan(n_prompts, raters_per_prompt, n_raters, n_ratings, inf, nan)
    critical = float(t_quantile(1 - alpha / 2, df))
    error = sqrt(variance)
    if error == 0:
        return Plan(
            n_prompts, raters_per_prompt, n_raters, n_ratings, 0.0, nan if effect is None else float(effect != 0)
        )
    if effect is None:
        return Plan(n_prompts, raters_per_prompt, n_raters, n_ratings, critical * error, nan)
    from scipy import stats  # takes a second to import, and nothing else needs it

    shift = abs(effect) / error
    power = float(stats.nct.sf(critical, df, shift) + stats.nct.cdf(-critical, df, shift))
    return Plan(n_prompts, raters_per_prompt, n_raters, n_ratings, critical * error, power)


def required_prompts(
    pilot: VarianceComponents,
    *,
    raters_per_prompt: int,
    n_raters: int,
    half_width: float | None = None,
    effect: float | None = None,
    power: float = 0.8,
    alpha: float = 0.05,
    generality: Generality = "prompts and raters",
) -> Plan | None:
    """The smallest study that reaches a half width of the interval, or a power for an effect (give exactly one).

    None where no number of prompts does: the raters' term σ²_R / R is already too large, so more raters are needed; or
    where the pilot could not separate the components.
    """
    if (half_width is None) == (effect is None):
        raise ValueError("give either half_width or effect")

    def size(n: int) -> Plan:
        return plan(
            pilot,
            n_prompts=n,
            raters_per_prompt=raters_per_prompt,
            n_raters=n_raters,
            effect=effect,
            alpha=alpha,
            generality=generality,
        )

    def enough(n: int) -> bool:
        got = size(n)
        return got.half_width <= half_width if half_width is not None else got.power >= power

    high = 2
    while not enough(high):
        high *= 2
        if high > _MOST or pilot.reason:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return size(2 if enough(2) else high)


def plan_table(
    pilot: VarianceComponents,
    *,
    half_widths: Sequence[float],
    raters_per_prompt: Sequence[int],
    n_raters: Sequence[int],
    alpha: float = 0.05,
    generality: Generality = "prompts and raters",
) -> tuple[tuple[float, int, int, Plan | None], ...]:
    """Rows (half width, raters per prompt, raters, the smallest plan or None) for every sensible combination."""
    return tuple(
        (
            width,
            k,
            total,
            required_prompts(
                pilot, raters_per_prompt=k, n_raters=total, half_width=width, alpha=alpha, generality=generality
            ),
        )
        for width in half_widths
        for total in n_raters
        for k in raters_per_prompt
        if k <= total
    )


def plans_around(pilot: VarianceComponents, *, n_raters: int, raters_per_prompt: float) -> tuple[Plan, ...]:
    """What a quarter to four times the pilot's prompts would give, with its raters, two more, and two and four times
    as many.

    n_raters           raters of the study that served as the pilot
    raters_per_prompt  of it, on average: where it is nearly all of them, further raters rate every prompt as well;
                       elsewhere each prompt keeps its number of raters
    The first is the pilot's own size. Sizes whose interval has no degrees of freedom are left out; empty where the
    pilot could not separate the components, or where nothing varies.
    """
    if pilot.reason:
        return ()
    k = max(1, min(round(raters_per_prompt), n_raters))
    all_rate_all = raters_per_prompt > 0.9 * n_raters
    prompts = sorted({max(2, round(pilot.n_prompts * 2 ** (step / 4))) for step in range(-8, 9)})
    sizes = [(pilot.n_prompts, n_raters)]
    sizes += [(n, raters) for raters in (n_raters, n_raters + 2, 2 * n_raters, 4 * n_raters) for n in prompts]
    found = [
        plan(pilot, n_prompts=n, raters_per_prompt=raters if all_rate_all else k, n_raters=raters)
        for n, raters in dict.fromkeys(sizes)
    ]
    return tuple(one for one in found if 0 < one.half_width < inf) if 0 < found[0].half_width < inf else ()


def _degrees_of_freedom(
    pilot: VarianceComponents, variance: float, n_prompts: int, k: int, n_raters: int, generality: Generality
) -> float:
    """Satterthwaite's, of the prompts' part with n − 1 and the raters' part with R − 1."""
    over_raters = pilot.raters / n_raters if generality == "prompts and raters" else 0.0
    over_prompts = variance - over_raters
    if variance == 0:
        return float(n_prompts - 1)
    parts = 0.0
    for part, size in ((over_prompts, n_prompts), (over_raters, n_raters)):
        if part > 0:
            if size < 2:
                return 0.0
            parts += part**2 / (size - 1)
    return variance**2 / parts
