"""Differences of two methods on the same prompts, in exact arithmetic, so that equal means tie.

One difference per prompt: refined minus baseline, each the mean over its images (seeds) of the image's mean rating.
Every image counts once, however many raters saw it. Floating-point noise in such means breaks ties: on published
ratings a naive Wilcoxon gave W = 1727.0 where exact fractions give 1737.5.
"""

from dataclasses import dataclass
from math import lcm, nan

import numpy as np
from numpy.typing import NDArray

from annotations.stats.exact_means import exact_levels, unit_means
from annotations.stats.ratings import BadRatings, Ratings

_EXACT_LIMIT = 2**62
_ROUNDED_STEPS = 10**12
"""Where the common denominator does not fit into 64 bits, means are rounded to this many steps of the scale's span."""


@dataclass(frozen=True)
class PairedDifferences:
    """One difference per prompt that has rated images of both methods, in ascending order of the prompt's code.

    prompts     (n,) int    the prompts' codes as given
    differences (n,) float  refined − baseline, in scale units; positive: refined is rated higher
    numerators  (n,) int64  the same times `denominator`: equal exactly where the differences are equal
    denominator             the common denominator in lowest terms; with `exact` False, of the scale's span
    exact                   False where the denominators had to be rounded (see `convention`)
    n_baseline_only, n_refined_only: prompts left out because only one of the methods has a rating there
    """

    prompts: NDArray[np.int64]
    differences: NDArray[np.float64]
    numerators: NDArray[np.int64]
    denominator: int
    exact: bool
    n_baseline_only: int
    n_refined_only: int
    n_units: int
    """Rated images behind the differences, both methods together."""

    def __len__(self) -> int:
        return len(self.prompts)

    @property
    def convention(self) -> str:
        arithmetic = "exact fractions" if self.exact else f"means rounded to 1/{_ROUNDED_STEPS:.0e} of the scale's span"
        return f"refined − baseline per prompt, each the mean over images of the mean over raters; {arithmetic}"

    @property
    def mean(self) -> float:
        """The mean difference, rounded once; NaN without prompts."""
        if len(self) == 0:
            return nan
        if not self.exact:
            return float(np.mean(self.differences))
        return int(self.numerators.sum(dtype=object)) / (self.denominator * len(self))

    @property
    def wins(self) -> int:
        """Prompts on which refined is rated strictly higher."""
        return int(np.count_nonzero(self.numerators > 0))

    @property
    def ties(self) -> int:
        """Prompts on which both means are exactly equal."""
        return int(np.count_nonzero(self.numerators == 0))

    @property
    def losses(self) -> int:
        """Prompts on which baseline is rated strictly higher."""
        return int(np.count_nonzero(self.numerators < 0))


@dataclass(frozen=True)
class Cells:
    """Which rated units belong to which (prompt, side), for the prompts that have both sides.

    unit    (n_used,) int  the rated units in use
    cell    (n_used,) int  2 · prompt index + side; side 0 is the baseline, 1 the refined method
    images  (2·n,) int     rated units per cell
    prompts (n,) int       the prompts' codes, ascending
    """

    unit: NDArray[np.int64]
    cell: NDArray[np.int64]
    images: NDArray[np.int64]
    prompts: NDArray[np.int64]
    n_baseline_only: int
    n_refined_only: int


def paired_cells(
    ratings: Ratings, *, prompt: NDArray[np.integer], method: NDArray[np.integer], baseline: int, refined: int
) -> Cells:
    """The units that a comparison can use.

    prompt, method (n_units,) int: codes per unit; a negative prompt means "none", and such units are left out.
    Raises BadRatings where the arrays do not fit the ratings or both methods are the same.
    """
    prompt, method = np.asarray(prompt), np.asarray(method)
    if prompt.shape != (ratings.n_units,) or method.shape != (ratings.n_units,):
        raise BadRatings(f"prompt and method need one code for each of the {ratings.n_units} units")
    if baseline == refined:
        raise BadRatings("baseline and refined are the same method; name two")
    rated = np.bincount(ratings.unit, minlength=ratings.n_units) > 0
    wanted = (method == baseline) | (method == refined)
    used = np.flatnonzero(rated & (prompt >= 0) & wanted)
    codes, index = np.unique(prompt[used], return_inverse=True)
    side = (method[used] == refined).astype(np.int64)
    images = np.bincount(2 * index + side, minlength=2 * len(codes)).reshape(-1, 2)
    both = (images[:, 0] > 0) & (images[:, 1] > 0)
    place = np.cumsum(both) - 1
    kept = both[index]
    return Cells(
        unit=used[kept],
        cell=2 * place[index[kept]] + side[kept],
        images=images[both].ravel(),
        prompts=codes[both].astype(np.int64),
        n_baseline_only=int(np.count_nonzero(images[:, 1] == 0)),
        n_refined_only=int(np.count_nonzero(images[:, 0] == 0)),
    )


def paired_differences(
    ratings: Ratings, *, prompt: NDArray[np.integer], method: NDArray[np.integer], baseline: int, refined: int
) -> PairedDifferences:
    """Refined minus baseline for every prompt rated under both; arguments as in `paired_cells`.

    Missing ratings are left out of their image's mean, images without a rating out of their method's mean, and and
    prompts with only one method out of the comparison (these are counted).
    """
    return differences_of(
        ratings, paired_cells(ratings, prompt=prompt, method=method, baseline=baseline, refined=refined)
    )


def differences_of(ratings: Ratings, cells: Cells) -> PairedDifferences:
    """`paired_differences` for cells that are already known."""
    scale, denominator = exact_levels(ratings)
    means_of_units = unit_means(ratings)
    of_unit, n_of_unit = means_of_units.sum[cells.unit], means_of_units.n[cells.unit]
    common_raters = lcm(*np.unique(n_of_unit).tolist())
    common_images = lcm(*np.unique(cells.images).tolist())
    largest = max(int(np.abs(scale).max()), denominator)
    exact = 2 * largest * int(cells.images.max(initial=1)) * common_raters * common_images < _EXACT_LIMIT
    if exact:
        sums = np.zeros(len(cells.images), dtype=np.int64)
        np.add.at(sums, cells.cell, of_unit * (common_raters // n_of_unit))
        means = (sums * (common_images // cells.images)).reshape(-1, 2)
        numerators = means[:, 1] - means[:, 0]
        denominator *= common_raters * common_images
        shared = int(np.gcd.reduce(np.append(numerators, denominator)))
        numerators, denominator = numerators // shared, denominator // shared
        differences = numerators / denominator
    else:
        rough = np.bincount(cells.cell, of_unit / n_of_unit, minlength=len(cells.images)) / cells.images
        rough = rough.reshape(-1, 2)
        span = max(int(scale[-1]) - int(scale[0]), 1)
        numerators = np.rint((rough[:, 1] - rough[:, 0]) / span * _ROUNDED_STEPS).astype(np.int64)
        differences = numerators / _ROUNDED_STEPS * (span / denominator)
        denominator = _ROUNDED_STEPS
    return PairedDifferences(
        prompts=cells.prompts,
        differences=differences,
        numerators=numerators,
        denominator=denominator,
        exact=exact,
        n_baseline_only=cells.n_baseline_only,
        n_refined_only=cells.n_refined_only,
        n_units=len(cells.unit),
    )
