"""Does a critic's stated confidence mean anything? Confidence against the verdicts on its claims."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray
from annotations.stats.estimate import Estimate, Interval, seed_of
from annotations.stats.intervals.cluster_sums import (
    N_RESAMPLES,
    ratio,
    resample_sums,
    share_interval,
    symmetric_interval,
)
from annotations.stats.intervals.wilson import wilson


@dataclass(frozen=True, slots=True)
class Bin:
    """Claims whose confidence lies in [low, high); the last bin includes 1."""

    low: float
    high: float
    n: int
    confidence: float
    """Mean confidence; NaN in an empty bin."""
    accuracy: float
    """Mean credit; NaN in an empty bin."""
    interval: Interval
    """Wilson's, of the accuracy, as if claims were independent."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibration of one critic's confidence."""

    bins: tuple[Bin, ...]
    brier: Estimate
    """Mean (confidence − credit)²: 0 is best, 0.25 is what a constant ½ gets for claims right or wrong."""
    over_confidence: Estimate
    """Mean confidence minus mean credit: above 0, the critic is overconfident."""
    calibration_error: Estimate
    """Σ n_b/n · |confidence_b − accuracy_b| over bins, in [0, 1]. Above 0 even for a perfect critic, more so with few
    claims and many bins: compare it only between critics with similar numbers of claims. It has no interval for that
    reason."""


def calibration(
    confidence: FloatArray,
    credit: FloatArray,
    image: NDArray[np.int64],
    *,
    n_images: int,
    rng: np.random.Generator,
    n_bins: int = 10,
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
) -> Calibration:
    """Confidence against credit, with intervals over images.

    confidence, credit (n_claims,) in [0, 1]: claims without a verdict or without a confidence are left out beforehand;
    image (n_claims,) int. Bins have equal width. No claim: undefined. Raises ValueError for values outside [0, 1].
    Source: Brier (1950), Mon. Weather Rev. 78:1; Naeini, Cooper & Hauskrecht (2015), AAAI 29, expected calibration
    error.
    """
    for name, values in (("confidence", confidence), ("credit", credit)):
        if len(values) and not np.all((values >= 0) & (values <= 1)):
            raise ValueError(f"{name} must lie in [0, 1]; leave out claims that have none")
    place = np.minimum((confidence * n_bins).astype(np.int64), n_bins - 1)
    count = np.bincount(place, minlength=n_bins)
    stated = np.bincount(place, confidence, minlength=n_bins).astype(float)
    held = np.bincount(place, credit, minlength=n_bins).astype(float)
    means = ratio(stated, count.astype(float)), ratio(held, count.astype(float))
    bins = tuple(
        Bin(
            index / n_bins,
            (index + 1) / n_bins,
            int(count[index]),
            float(means[0][index]),
            float(means[1][index]),
            wilson(float(held[index]), int(count[index]), covers="claims", level=level),
        )
        for index in range(n_bins)
    )
    n, seed = {"claims": len(confidence), "images": n_images}, seed_of(rng)
    names = ("critic_brier", "critic_over_confidence", "critic_calibration_error")
    methods = (
        "mean squared distance of confidence and credit",
        "mean confidence minus mean credit",
        f"expected calibration error over {n_bins} bins of equal width",
    )
    if len(confidence) == 0:
        reason = "no claim with a confidence and a verdict"
        empty = [Estimate.undefined(name, method, reason, n, seed) for name, method in zip(names, methods, strict=True)]
        return Calibration(bins, *empty)
    columns = [(confidence - credit) ** 2, confidence - credit, np.ones(len(credit))]
    sums = np.stack([np.bincount(image, column, minlength=n_images) for column in columns], axis=1).astype(float)
    totals = resample_sums(sums, rng=rng, n_resamples=n_resamples)
    carrying = int((sums[:, 2] > 0).sum())
    brier, over = float(columns[0].mean()), float(columns[1].mean())
    brier_interval = share_interval(
        brier, ratio(totals[:, 0], totals[:, 2]), n_clusters=carrying, covers="images", level=level
    )
    over_interval = symmetric_interval(
        over,
        ratio(totals[:, 1], totals[:, 2]),
        n_clusters=carrying,
        covers="images",
        bounds=(-1.0, 1.0),
        level=level,
    )
    error = float(np.abs(stated - held).sum() / len(credit))
    return Calibration(
        bins,
        Estimate(names[0], brier, methods[0], n, (brier_interval,), seed),
        Estimate(names[1], over, methods[1], n, (over_interval,), seed),
        Estimate(names[2], error, methods[2], n, (), seed),
    )
