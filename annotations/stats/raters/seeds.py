"""Several images (seeds) per prompt and method: how much of the variance of ratings comes from prompts, seeds, raters
and the rest.

value = method + prompt + seed(prompt) + rater + prompt × rater + rest, all but the method at random. Components follow
from half the mean squared differences of pairs of ratings of one method (Koch 1967, Technometrics 9:93): same image,
same prompt and rater, same prompt, same rater, nothing in common. They need no balance and no complete cells; in a
balanced design they are the estimates of the analysis of variance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.estimate import Estimate
from annotations.stats.intervals.on_scale import interval_on_scale
from annotations.stats.ratings import BadRatings, Ratings

NAMES = ("prompt", "seed", "rater", "prompt × rater", "rest")


@dataclass(frozen=True)
class SeedStudy:
    """Variances by NAMES, as estimated (they may be below 0 by chance); pairs: how many of each kind they rest on.

    reason: why they are undefined, or empty. n: "prompts", "images", "raters", "ratings".
    """

    components: Mapping[str, float]
    pairs: Mapping[str, int]
    n: Mapping[str, int]
    reason: str = ""

    def error_of_mean(self, *, n_prompts: int, n_seeds: int, n_raters: int, raters_per_image: int) -> float:
        """The standard error of a method's mean for other prompts, seeds and raters.

        n_seeds images of each prompt, each rated by raters_per_image of n_raters, all raters equally often. Negative
        components count as 0. Raises ValueError for numbers below 1.
        """
        if min(n_prompts, n_seeds, n_raters, raters_per_image) < 1 or raters_per_image > n_raters:
            raise ValueError("prompts, seeds and raters must be at least 1, and no image has more than all raters")
        sigma = {name: max(value, 0.0) for name, value in self.components.items()}
        images = n_prompts * n_seeds
        # The images of a prompt go evenly to the raters; prompt × rater is shared among those who rate one.
        per_prompt = min(n_raters, n_seeds * raters_per_image)
        return sqrt(
            sigma["prompt"] / n_prompts
            + sigma["seed"] / images
            + sigma["rater"] / n_raters
            + sigma["prompt × rater"] / (n_prompts * per_prompt)
            + sigma["rest"] / (images * raters_per_image)
        )


def seed_study(ratings: Ratings, *, prompt: NDArray[np.integer], method: NDArray[np.integer]) -> SeedStudy:
    """prompt, method (n_units,) int codes per unit (an image); a negative one leaves the unit out.

    Pairs are taken within methods, so that methods need not be alike in level. Undefined where one of the five kinds
    of pairs does not occur, which the reason names. Raises BadRatings for codes that do not fit.
    """
    prompt, method = np.asarray(prompt), np.asarray(method)
    if prompt.shape != (ratings.n_units,) or method.shape != (ratings.n_units,):
        raise BadRatings(f"prompt and method need one code for each of the {ratings.n_units} units")
    used = ((prompt >= 0) & (method >= 0))[ratings.unit]
    unit, rater = ratings.unit[used], ratings.rater[used]
    value = ratings.values[ratings.level[used]]
    value = value - (value.mean() if len(value) else 0.0)
    m = method[unit].astype(np.int64)
    p = m * (int(prompt.max(initial=0)) + 1) + prompt[unit]
    n = {
        "prompts": len(np.unique(prompt[unit])),
        "images": len(np.unique(unit)),
        "raters": len(np.unique(rater)),
        "ratings": len(unit),
    }
    n_raters = ratings.n_raters
    every, of_rater = _pairs(m, value), _pairs(m * n_raters + rater, value)
    of_prompt, of_both, of_image = _pairs(p, value), _pairs(p * n_raters + rater, value), _pairs(unit, value)
    kinds = {
        "two raters of one image": of_image,
        "two images of one prompt by one rater": of_both,
        "two images of one prompt by two raters": of_prompt - of_image - of_both,
        "images of two prompts by one rater": of_rater - of_both,
        "images of two prompts by two raters": every - of_prompt - of_rater + of_both,
    }
    pairs = {name: round(float(pair[0])) for name, pair in kinds.items()}
    missing = [name for name, count in pairs.items() if not count]
    if missing:
        return SeedStudy(dict.fromkeys(NAMES, nan), pairs, n, f"there are no {missing[0]}")
    image, both, same_prompt, same_rater, nothing = (float(pair[1] / pair[0]) for pair in kinds.values())
    seed, by_rater = same_prompt - image, nothing - same_rater
    rest = both - seed
    components = {
        "prompt": nothing - same_prompt,
        "seed": seed,
        "rater": by_rater,
        "prompt × rater": image - by_rater - rest,
        "rest": rest,
    }
    return SeedStudy(components, pairs, n)


def _pairs(group: IntArray, value: FloatArray) -> FloatArray:
    """(2,): pairs of entries of one group, and half the sum of their squared differences."""
    code = np.unique(group, return_inverse=True)[1]
    n, total, square = (np.bincount(code, weight) for weight in (np.ones(len(value)), value, value**2))
    return np.array([float((n * (n - 1)).sum()) / 2, float((n * square - total**2).sum()) / 2])


def over_seeds(
    ratings: Ratings,
    *,
    prompt: NDArray[np.integer],
    method: NDArray[np.integer],
    baseline: int,
    refined: int,
    level: float = 0.95,
) -> Estimate:
    """The mean difference refined − baseline with an interval over *seeds*: it holds for these prompts and raters with
    other images.

    The difference is that of `compare`. Its variance over seeds is that of the images' means within prompt and method,
    over the number of images, pooled over prompts; prompts with one image of a method take the pooled variance.
    Undefined where no prompt has two images of a method.
    """
    prompt, method = np.asarray(prompt), np.asarray(method)
    rated = ratings.per_unit > 0
    total = np.bincount(ratings.unit, ratings.values[ratings.level], minlength=ratings.n_units)
    mean = np.divide(total, ratings.per_unit, out=np.full(ratings.n_units, nan), where=rated)
    sides, means = [], []
    n_prompts = int(prompt.max(initial=-1)) + 1
    for code in (baseline, refined):
        chosen = np.flatnonzero(rated & (prompt >= 0) & (method == code))
        n = np.bincount(prompt[chosen], minlength=n_prompts)
        of_prompt = np.bincount(prompt[chosen], mean[chosen], minlength=n_prompts)
        of_prompt = np.divide(of_prompt, n, out=np.full(n_prompts, nan), where=n > 0)
        square = np.bincount(prompt[chosen], (mean[chosen] - of_prompt[prompt[chosen]]) ** 2, minlength=n_prompts)
        means.append(of_prompt)
        sides.append((n, square))
    compared = ~np.isnan(means[1] - means[0])
    counts = {"prompts": int(compared.sum()), "images": int(sum(n[compared].sum() for n, _ in sides))}
    words = "mean over prompts of refined − baseline, images of a prompt averaged"
    if not compared.any():
        return Estimate.undefined("mean_diff", words, "no prompt has rated images of both methods", counts)
    value, variance, below = float((means[1] - means[0])[compared].mean()), 0.0, 0.0
    for n, square in sides:
        freedom = int(np.maximum(n[compared] - 1, 0).sum())
        if not freedom:
            reason = "no prompt has two images of each method"
            return Estimate.undefined("mean_diff", words, reason, counts)
        part = float(square[compared].sum()) / freedom * float((1 / n[compared]).sum()) / counts["prompts"] ** 2
        variance, below = variance + part, below + part**2 / freedom
    df = variance**2 / below if below > 0 else 1.0
    span = float(ratings.values[-1] - ratings.values[0])
    interval = interval_on_scale(
        value,
        sqrt(variance),
        df,
        covers="seeds",
        method="images' means within prompts, pooled variance, Satterthwaite's t",
        scale="plain",
        level=level,
        within=(-span, span),
    )
    return Estimate("mean_diff", value, words, counts, (interval,))
