"""Two sets of claims on the same images: a critic against its wrong-image control, or two critics, in pairs."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from annotations.stats.arrays import FloatArray
from annotations.stats.critic import sums
from annotations.stats.critic.audit import CANNOT_TELL, CRITIC, WRONG_IMAGE, Audit, PartlyCounts, credit
from annotations.stats.critic.sums import Mask
from annotations.stats.estimate import Estimate, seed_of
from annotations.stats.intervals.cluster_sums import N_RESAMPLES, resample_sums, share_interval, symmetric_interval

_CHUNK_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of two sets of claims on the same images, and their paired difference first − second."""

    first: Estimate
    second: Estimate
    difference: Estimate
    p_value: float
    """Two-sided; NaN where the difference is undefined."""
    p_method: str


def above_control(
    audit: Audit,
    *,
    rng: np.random.Generator,
    partly: PartlyCounts = "half",
    n_resamples: int = N_RESAMPLES,
    n_permutations: int = N_RESAMPLES - 1,
    level: float = 0.95,
) -> Difference | None:
    """Precision of the critic minus precision of its claims made about a wrong image, judged against the same images.

    The control's precision is what guessing from the prompt alone achieves. Only images with judged claims of both
    kinds enter, each image carrying its pair, so that easy and hard images weigh alike on both sides. None without a
    control claim. Difference of pooled precisions; p by exchanging the two sides within images.
    """
    if not np.any(audit.source == WRONG_IMAGE):
        return None
    value = credit(audit.verdict, partly)
    decided = audit.verdict != CANNOT_TELL

    def table(mask: Mask) -> FloatArray:
        image = audit.image[mask]
        counts = np.bincount(image, minlength=audit.n_images).astype(float)
        return np.stack([np.bincount(image, value[mask], minlength=audit.n_images), counts], axis=1)

    real, control = (table(decided & (audit.source == source)) for source in (CRITIC, WRONG_IMAGE))
    both = (real[:, 1] > 0) & (control[:, 1] > 0)
    return paired_difference(
        "critic_precision",
        sums.precision,
        real[both],
        control[both],
        method=f"images with judged claims of both kinds; a partly right claim counts as {partly}",
        rng=rng,
        n_resamples=n_resamples,
        n_permutations=n_permutations,
        level=level,
    )


def compare_critics(
    first: Audit,
    second: Audit,
    *,
    rng: np.random.Generator,
    partly: PartlyCounts = "half",
    n_resamples: int = N_RESAMPLES,
    n_permutations: int = N_RESAMPLES - 1,
    level: float = 0.95,
) -> dict[str, Difference]:
    """Precision, recall and F1 of two critics that were shown the same images, and the differences first − second.

    Image i of one audit is image i of the other. Recall counts images that were searched in both audits; the errors
    of an image are those of its own audit, so for recall both should have been matched against one list of errors.
    Returned under "precision", "recall" and "f1". Raises ValueError where the audits differ in their images.
    """
    if first.n_images != second.n_images:
        raise ValueError(f"the critics saw {first.n_images} and {second.n_images} images; pass the images both saw")
    searched = first.searched & second.searched
    tables = []
    for audit in (replace(first, searched=searched), replace(second, searched=searched)):
        errors = sums.errors_of(audit, partly)
        listed = np.ones(len(errors.image), bool)
        tables.append(sums.sums_per_image(audit, errors, claims=audit.source == CRITIC, listed=listed, partly=partly))
    width = sums.STRATA
    figures = {"precision": sums.precision, "recall": sums.recall, "f1": sums.f1}
    return {
        name: paired_difference(
            f"critic_{name}",
            figure,
            tables[0][:, :width],
            tables[1][:, :width],
            method=f"all images both critics saw; a partly right claim counts as {partly}",
            rng=rng,
            n_resamples=n_resamples,
            n_permutations=n_permutations,
            level=level,
        )
        for name, figure in figures.items()
    }


def paired_difference(
    statistic: str,
    figure: Callable[[FloatArray], FloatArray],
    first: FloatArray,
    second: FloatArray,
    *,
    method: str,
    rng: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
    n_permutations: int = N_RESAMPLES - 1,
    level: float = 0.95,
) -> Difference:
    """figure(totals of `first`) − figure(totals of `second`), the rows of both being the same images.

    first, second  (n_images, m) sums per image; `figure` takes totals (…, m) to shares (…,).
    Interval: images resampled in pairs, ± t · standard error, cut at ±1. p: under no difference the two sides of an
    image may be exchanged; (c + 1)/(k + 1) over k random exchanges, c those with a difference at least as large.
    """
    n_images, width = first.shape
    seed, n = seed_of(rng), {"images": n_images}
    resampled = resample_sums(np.hstack([first, second]), rng=rng, n_resamples=n_resamples)
    sides = (figure(resampled[:, :width]), figure(resampled[:, width:]))
    totals = (first.sum(axis=0), second.sum(axis=0))
    values = [float(figure(total)) for total in totals]
    estimates = [
        Estimate(
            statistic,
            value,
            method,
            n,
            (share_interval(value, side, n_clusters=n_images, covers="images", level=level),),
            seed,
        )
        if not np.isnan(value)
        else Estimate.undefined(statistic, method, "no data on the images that both sides have", n, seed)
        for value, side in zip(values, sides, strict=True)
    ]
    p_method = f"two-sided exchange of the sides within images, {n_permutations} random exchanges, (c + 1)/(k + 1)"
    gap = values[0] - values[1]
    if np.isnan(gap):
        reason = "no image carries both sides" if n_images == 0 else "one side is undefined"
        undefined = Estimate.undefined(f"{statistic}_difference", method, reason, n, seed)
        return Difference(estimates[0], estimates[1], undefined, np.nan, p_method)
    interval = symmetric_interval(
        gap, sides[0] - sides[1], n_clusters=n_images, covers="images", bounds=(-1.0, 1.0), level=level
    )
    difference = Estimate(f"{statistic}_difference", gap, f"first minus second, {method}", n, (interval,), seed)
    p_value = _exchange(figure, first, second, gap, rng, n_permutations)
    return Difference(estimates[0], estimates[1], difference, p_value, p_method)


def _exchange(
    figure: Callable[[FloatArray], FloatArray],
    first: FloatArray,
    second: FloatArray,
    gap: float,
    rng: np.random.Generator,
    n_permutations: int,
) -> float:
    total, change = first.sum(axis=0) + second.sum(axis=0), second - first
    base = first.sum(axis=0)
    step = max(1, _CHUNK_CELLS // max(len(first), 1))
    as_large = 0
    for start in range(0, n_permutations, step):
        size = min(step, n_permutations - start)
        exchanged = base + rng.integers(0, 2, size=(size, len(first))).astype(float) @ change
        gaps = figure(exchanged) - figure(total - exchanged)
        # Sums of halves are exact; the tolerance is for the divisions. An undefined exchange is not counted as
        # evidence.
        as_large += int((~(np.abs(gaps) < abs(gap) - 1e-12)).sum())
    return (as_large + 1) / (n_permutations + 1)
