"""How different two images are, pixel by pixel and in structure: the criterion for reproductions."""

from dataclasses import dataclass
from io import BytesIO
from math import inf, isfinite, log10, nan
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

Levels = npt.NDArray[np.float64]
# Wang, Simoncelli & Bovik 2003, section 3.2: how much each scale counts, the finest first.
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
# Wang, Bovik, Sheikh & Simoncelli 2004, section III.B and C: the window, and what keeps quotients stable.
WINDOW, SPREAD = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True)
class Difference:
    """Two images held against each other.

    bit_equal            every level of every pixel is the same
    max_level            the largest difference of a level, 0 … 255
    share_differing      of the pixels, those that differ in any channel, 0 … 1
    psnr                 decibels, higher is nearer; infinite for equal images
    structural_distance  1 − MS-SSIM, 0 (the same) … 1; negligible below about 0.01
    reason               why figures are NaN: sizes that differ, or images too small for MS-SSIM; else empty

    The structural distance replaces LPIPS, whose trained weights come with no package: it knows contrast and
    structure at several scales, and nothing of what people have said about differences.
    """

    bit_equal: bool
    max_level: float
    share_differing: float
    psnr: float
    structural_distance: float
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """The fields with None for what JSON cannot write: NaN, and the infinite psnr of equal images."""
        return {
            name: None if isinstance(value, float) and not isfinite(value) else value
            for name, value in vars(self).items()
        }


def difference(first: bytes, second: bytes) -> Difference:
    """Compare two image files by their pixels; the files' own encoding does not matter.

    Images of two sizes are not equal, and everything else about them is NaN. Raises OSError for what is not an image.
    """
    one, other = _levels(first, second)
    if one.shape != other.shape:
        sizes = " and ".join(f"{levels.shape[1]} × {levels.shape[0]}" for levels in (one, other))
        return Difference(False, nan, nan, nan, nan, f"the images are of two sizes, {sizes}")
    apart = np.abs(one - other)
    largest = float(apart.max())
    share = float((apart.max(axis=2) > 0).mean())
    mean_square = float((apart**2).mean())
    psnr = 10 * log10(255**2 / mean_square) if mean_square else inf
    if min(one.shape[:2]) < WINDOW:
        return Difference(largest == 0, largest, share, psnr, nan, f"a side is shorter than {WINDOW} pixels")
    return Difference(largest == 0, largest, share, psnr, 1 - ms_ssim(one, other))


def ms_ssim(one: Levels, other: Levels) -> float:
    """Multi-scale structural similarity of two images of one size: 0 … 1, 1 for equal ones; the mean of the channels.

    one, other  (height, width, channels), levels 0 … 255, no side shorter than 11
    An image has as many of the five scales as its shorter side allows, and their weights sum to one.
    """
    scales = 1
    while scales < len(SCALE_WEIGHTS) and min(one.shape[:2]) // 2**scales >= WINDOW:
        scales += 1
    weights = np.array(SCALE_WEIGHTS[:scales]) / sum(SCALE_WEIGHTS[:scales])
    total = np.ones(one.shape[2])
    for scale, weight in enumerate(weights):
        if scale:
            one, other = _halved(one), _halved(other)
        luminance, contrast = _similarity(one, other)
        found = luminance * contrast if scale == scales - 1 else contrast
        # A negative mean (structure turned into its opposite) has no real power: it is as unlike as can be.
        total *= np.maximum(found.mean(axis=(0, 1)), 0.0) ** weight
    return float(total.mean())


def _levels(first: bytes, second: bytes) -> tuple[Levels, Levels]:
    """Both as (height, width, 3), or with 4 channels where one of them has an alpha channel."""
    images = [Image.open(BytesIO(data)) for data in (first, second)]
    mode = "RGBA" if any(image.has_transparency_data for image in images) else "RGB"
    one, other = (np.asarray(image.convert(mode), dtype=np.float64) for image in images)
    return one, other


def _halved(levels: Levels) -> Levels:
    """The mean of every 2 × 2 pixels; an odd last row or column is left out."""
    even = levels[: levels.shape[0] // 2 * 2, : levels.shape[1] // 2 * 2]
    quarters: Levels = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
    return quarters


def _similarity(one: Levels, other: Levels) -> tuple[Levels, Levels]:
    """SSIM's two factors at every window that lies wholly in the image: luminance, and contrast with structure."""
    mean_one, mean_other = _windowed(one), _windowed(other)
    variance_one = _windowed(one * one) - mean_one**2
    variance_other = _windowed(other * other) - mean_other**2
    covariance = _windowed(one * other) - mean_one * mean_other
    luminance: Levels = (2 * mean_one * mean_other + _C1) / (mean_one**2 + mean_other**2 + _C1)
    contrast: Levels = (2 * covariance + _C2) / (variance_one + variance_other + _C2)
    return luminance, contrast


def _windowed(levels: Levels) -> Levels:
    """The mean in a Gaussian window around each pixel at least half a window from the edge."""
    from scipy.ndimage import gaussian_filter1d  # slow to import, and every process of the site imports this module

    half = WINDOW // 2
    for axis in (0, 1):
        levels = gaussian_filter1d(levels, SPREAD, axis=axis, radius=half)
    inner: Levels = levels[half:-half, half:-half]
    return inner
