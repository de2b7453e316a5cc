"""Quiet grounds in neutral hues for the demo's pictures: nothing in them could be taken for a thing of the scene."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_HUES: tuple[tuple[int, int, int], ...] = (
    (233, 228, 219),  # linen
    (223, 226, 229),  # cool grey
    (228, 229, 219),  # sage grey
    (232, 224, 222),  # rose grey
    (226, 221, 211),  # sand
    (222, 224, 222),  # stone
)
_DESIGNS = 5
_GRID = 256  # painted small and smoothed upwards: no ground has fine detail


def paint_backdrop(number: int, side: int) -> Image.Image:
    """Ground `number` (any integer ≥ 0; 30 differ) as an RGB picture of `side` × `side` pixels."""
    hue = np.array(_HUES[(number // _DESIGNS) % len(_HUES)], dtype=float)
    y, x = np.mgrid[0:_GRID, 0:_GRID] / (_GRID - 1)
    light = _lightness(number % _DESIGNS, x, y)
    vignette = -0.16 * np.clip(np.hypot(x - 0.5, y - 0.5) - 0.35, 0, None)
    pixels = hue * (1 + (light + vignette)[..., None])
    picture = Image.fromarray(np.clip(pixels, 0, 255).round().astype(np.uint8), "RGB")
    return picture.resize((side, side), Image.Resampling.BICUBIC)


def _lightness(design: int, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Relative lightness around 0 of one design."""
    if design == 0:  # a studio's sweep: wall, then a floor
        return 0.05 - 0.03 * y - 0.07 * _step(y - 0.8 - 0.03 * np.cos(3 * x))
    if design == 1:  # two hills
        far, near = 0.68 + 0.07 * np.sin(5 * x + 0.6), 0.84 + 0.05 * np.sin(4 * x + 3.4)
        return 0.06 - 0.04 * y - 0.045 * _step(y - far) - 0.05 * _step(y - near)
    if design == 2:  # a pale disc of light behind the figures
        return -0.02 + 0.065 * _step(0.4 - np.hypot(x - 0.5, y - 0.5)) - 0.02 * y
    if design == 3:  # light that falls through a window
        bands = _step(0.14 - np.abs(x + 0.55 * y - 0.55)) + _step(0.14 - np.abs(x + 0.55 * y - 0.95))
        return -0.01 + 0.045 * bands - 0.03 * y
    return 0.03 + 0.03 * np.cos(2.6 * x + 1) * np.cos(2.2 * y) - 0.05 * y  # a lightly draped cloth


def _step(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 to 1 across an edge of about two grid cells."""
    return np.clip(0.5 + distance * _GRID / 3, 0, 1)
