"""How often do tests of the odds ratio of two methods err, by several rules for their degrees of freedom?

Run: python -m tests.benchmarks.coverage.two_method_freedom [studies]

Model: the linear one that the ordinal model's interval is made for, of the size of the worlds of `many_methods`.
Rater r prefers the second method on prompt p by d_pr = t_r + i_p + noise, with mean 0: tastes t ~ N(0, taste²), images
i ~ N(0, 2 · image²), and noise of variance 7, which is that of two ratings of five levels. 40 prompts, each rated by
all raters, or by four of them where there are eight or more (as if all had rated it, with noise that is larger by as
much). The three mean squares of this table are independent, so they are drawn from χ² directly.

The variance of the mean of d is V = V_r + V_i: the raters' part, which includes the noise, and the images' part, at
least 0. Each rule in `rules` gives the quantile by which the standard error is multiplied. V is the same for all.
"""

import sys

import numpy as np

from annotations.stats.arrays import FloatArray
from annotations.stats.distributions import t_quantile

RATERS = (3, 5, 8, 12, 20)
WORLDS = ((0.0, 0.0), (0.0, 0.3), (0.1, 0.3), (0.6, 0.3), (1.0, 0.3), (0.0, 0.8), (0.6, 0.8))
"""Deviations of tastes and of images; the null of `many_methods` is (.6, .3)."""
PROMPTS, NOISE = 40, 7.0


def studies(
    n_raters: int, taste: float, image: float, n: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """(n,) the estimates of studies without a difference, V_r, V_i, and the noise in V_r."""
    of_rater, of_image, noise = taste**2, 2 * image**2, NOISE * (n_raters / 4 if n_raters > 5 else 1.0)
    df = n_raters - 1, PROMPTS - 1, (n_raters - 1) * (PROMPTS - 1)
    expected = noise + PROMPTS * of_rater, noise + n_raters * of_image, noise
    raters, images, rest = (mean * rng.chisquare(f, n) / f for mean, f in zip(expected, df, strict=True))
    size = PROMPTS * n_raters
    estimate = np.sqrt(of_rater / n_raters + of_image / PROMPTS + noise / size) * rng.normal(size=n)
    pooled = (images * df[1] + rest * df[2]) / (df[1] + df[2])
    return (
        estimate,
        raters / size,
        np.maximum(images - rest, 0.0) / size,
        np.where(images > rest, rest, pooled) / size,
    )


def rules(raters: FloatArray, images: FloatArray, noise: FloatArray, n_raters: int) -> dict[str, FloatArray]:
    """(n,) quantiles of 95% intervals by rule; (n,) V_r, V_i and the noise."""
    own, rest, both = float(n_raters - 1), float(PROMPTS - 1), raters + images

    def satterthwaite(part: FloatArray) -> FloatArray:
        return (part + images) ** 2 / (part**2 / own + images**2 / rest)

    plain = satterthwaite(raters)
    at = {
        "Satterthwaite": plain,
        "V_r at least half its noise": np.minimum(plain, satterthwaite(np.maximum(raters, noise / 2))),
        "V_r at least its noise": np.minimum(plain, satterthwaite(np.maximum(raters, noise))),
        "at most 2 (R - 1)": np.minimum(plain, 2 * own),
        "at most R": np.minimum(plain, own + 1),
        "at most R - 1": np.minimum(plain, own),
        "geometric mean with R - 1": np.sqrt(plain * min(own, rest)),
    }
    found = {name: np.asarray(t_quantile(0.975, df)) for name, df in at.items()}
    found["Cochran & Cox"] = (raters * t_quantile(0.975, own) + images * t_quantile(0.975, rest)) / both
    return found


def errors(
    n_raters: int, taste: float, image: float, n: int, rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """By rule: the share of n studies that reject a true null, and the median width over that of Satterthwaite's."""
    estimate, *parts = studies(n_raters, taste, image, n, rng)
    error = np.sqrt(parts[0] + parts[1])
    half = {name: quantile * error for name, quantile in rules(*parts, n_raters).items()}
    usual = float(np.median(half["Satterthwaite"]))
    return {
        name: (float((np.abs(estimate) > each).mean()), float(np.median(each)) / usual) for name, each in half.items()
    }


def main(arguments: list[str]) -> None:
    n = int(arguments[0]) if arguments else 200_000
    for n_raters in RATERS:
        cells = [errors(n_raters, *world, n, np.random.default_rng([n_raters, at])) for at, world in enumerate(WORLDS)]
        for name in cells[0]:
            shares = " ".join(f"{cell[name][0]:.3f}" for cell in cells)
            widths = " ".join(f"{cell[name][1]:.2f}" for cell in cells)
            print(f"{n_raters} raters, {name}: {shares}; widths {widths}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
