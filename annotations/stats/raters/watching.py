"""Signals from one rater's own work while a study runs: shares, runs, pace and drift."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from annotations.stats.distributions import t_quantile
from annotations.stats.intervals.wilson import wilson_bounds

WORDS_PER_SECOND = 4.0
"""Silent reading of English: 238 words per minute on average (Brysbaert, Journal of Memory and Language 109, 2019)."""
SECONDS_PER_IMAGE = 0.5
"""Time for the gist of a picture and one decision; a faster rater cannot have looked at it and at the answers."""
FEWEST_FOR_PACE = 10


@dataclass(frozen=True, slots=True)
class Share:
    """hits of n, with Wilson's 95% interval; all NaN where n is 0."""

    hits: int
    n: int
    value: float
    low: float
    high: float


def share(hits: int, n: int) -> Share:
    """A share with Wilson's interval at 95%."""
    if n == 0:
        return Share(0, 0, float("nan"), float("nan"), float("nan"))
    low, high = wilson_bounds(np.array([hits]), np.array([n]), level=0.95)
    return Share(hits, n, hits / n, float(low[0]), float(high[0]))


def reading_seconds(words: int, n_images: int) -> float:
    """The shortest time in which a rater can read a prompt of this many words and look at this many images."""
    return words / WORDS_PER_SECOND + n_images * SECONDS_PER_IMAGE


def longest_run(levels: ArrayLike) -> tuple[int, float]:
    """(length of the longest run of one level, the chance of one at least as long in independent answers).

    The chance is Poisson's for long runs: 1 − exp(−Σₖ ((n − L)(1 − pₖ) + 1) pₖᴸ) with each level's own frequency pₖ,
    as in Schilling, College Mathematics Journal 21 (1990). 1.0 where all answers are alike or there are fewer than 5.
    """
    answers = np.asarray(levels, np.int64)
    n = len(answers)
    if n == 0:
        return 0, 1.0
    ends = np.flatnonzero(np.r_[answers[1:] != answers[:-1], True])
    length = int(np.diff(np.r_[-1, ends]).max())
    p = np.bincount(answers - answers.min()) / n
    p = p[p > 0]
    if n < 5 or len(p) == 1:
        return length, 1.0
    expected = float((((n - length) * (1 - p) + 1) * p**length).sum())
    return length, float(1 - np.exp(-expected))


@dataclass(frozen=True, slots=True)
class Drift:
    """Mean of the second half less that of the first, with Welch's 95% interval; NaN where a half has under 5."""

    value: float
    low: float
    high: float


def drift(levels: ArrayLike) -> Drift:
    """How far a rater's answers moved between the halves of their work, in levels."""
    answers = np.asarray(levels, float)
    first, second = np.array_split(answers, 2)
    if min(len(first), len(second)) < 5:
        return Drift(*(float("nan"),) * 3)
    errors = [part.var(ddof=1) / len(part) for part in (first, second)]
    value, error = float(second.mean() - first.mean()), float(np.sqrt(sum(errors)))
    if error == 0:
        return Drift(value, value, value)
    below = sum(one**2 / (len(part) - 1) for one, part in zip(errors, (first, second), strict=True))
    reach = float(t_quantile(0.975, sum(errors) ** 2 / below)) * error
    return Drift(value, value - reach, value + reach)


def mean_interval(values: ArrayLike) -> tuple[float, float, float]:
    """(mean, low, high) with Student's 95% interval over raters, one value each; NaN ends below two values."""
    each = np.asarray(values, float)
    if len(each) < 2:
        return (float(each.mean()) if len(each) else float("nan"), float("nan"), float("nan"))
    reach = float(t_quantile(0.975, len(each) - 1) * each.std(ddof=1) / np.sqrt(len(each)))
    return float(each.mean()), float(each.mean()) - reach, float(each.mean()) + reach


def pace_variation(milliseconds: ArrayLike) -> float:
    """Standard deviation of the logarithm of the times on a card: people's is 0.4 and more, a program's near 0.

    NaN with fewer than 10 times.
    """
    times = np.asarray(milliseconds, float)
    return float(np.log(np.maximum(times, 1.0)).std(ddof=1)) if len(times) >= FEWEST_FOR_PACE else float("nan")
