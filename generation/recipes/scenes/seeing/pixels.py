"""What can be measured in a picture of the closed world: figures of one colour, where they are, and their outline.

Sizes and places are in shares of the picture's side, as in `layout`; masks are in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from generation.recipes.scenes.figures import outline_mask
from generation.recipes.scenes.scene import COLOURS, SHAPES

Mask = NDArray[np.bool_]
_CLOSE = 0.02
"""Two outlines whose overlap differs by less cannot be distinguished: a small hexagon and a circle, above all."""
_LEAST_CHROMA = 20.0  # in Lab; the grounds and the shadow stay below 12
_FARTHEST_HUE = 0.45  # radians
_LEAST_AREA = 14 / 64**2  # share of the picture; the smallest thing has three times as much
BODY_LEAST = 0.222
"""Diameter from which a figure is a body: bodies have 0.24 and more, things at most 0.19."""
_FINE = 4  # outlines are drawn this many times as large, then reduced


@dataclass(frozen=True)
class Figure:
    """A connected patch of one colour, without limbs and with its holes (eyes, a badge) filled.

    `fit` is, by shape, the overlap with that shape's outline as intersection over union, 0–1.
    """

    colour: str
    x: float
    y: float
    width: float
    height: float
    mask: Mask
    fit: dict[str, float]

    @property
    def diameter(self) -> float:
        return max(self.width, self.height)

    @property
    def is_body(self) -> bool:
        return self.diameter >= BODY_LEAST

    @property
    def shape(self) -> str:
        """The shape that fits best."""
        return max(self.fit, key=lambda shape: self.fit[shape])

    def could_be(self, shape: str) -> bool:
        """Whether no other shape fits clearly better."""
        return self.fit[shape] >= self.fit[self.shape] - _CLOSE

    @property
    def top(self) -> float:
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height / 2

    @property
    def left(self) -> float:
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        return self.x + self.width / 2


def figures(pixels: NDArray[np.uint8]) -> list[Figure]:
    """The figures of an RGB picture (side, side, 3), largest first."""
    side = len(pixels)
    classes = colour_classes(pixels)
    least = _LEAST_AREA * side * side
    found: list[Figure] = []
    for number, colour in enumerate(COLOURS):
        own = classes == number
        if own.sum() < least:
            continue
        labels, n = ndimage.label(_without_limbs(ndimage.binary_fill_holes(own), max(1, round(side / 64))))
        for label in range(1, n + 1):
            mask = labels == label
            # What only encloses another colour, as a badge's edge does, is not a figure.
            if mask.sum() >= least and (mask & own).sum() >= 0.4 * mask.sum():
                found.append(_figure(colour, mask))
    return sorted(found, key=lambda figure: -figure.mask.sum())


_PLUS = ndimage.generate_binary_structure(2, 1)
_SQUARE = ndimage.generate_binary_structure(2, 2)


def _without_limbs(mask: Mask, brush: int) -> Mask:
    """The mask without what is thinner than arms and legs; corners stay, since they are near to what is thick."""
    thick = ndimage.binary_opening(mask, _SQUARE, iterations=brush)
    return ndimage.binary_dilation(thick, _PLUS, iterations=2 * brush, mask=mask)


def _figure(colour: str, mask: Mask) -> Figure:
    side = len(mask)
    (rows, columns), *_ = ndimage.find_objects(mask.astype(int))
    return Figure(
        colour=colour,
        x=(columns.start + columns.stop) / 2 / side,
        y=(rows.start + rows.stop) / 2 / side,
        width=(columns.stop - columns.start) / side,
        height=(rows.stop - rows.start) / side,
        mask=mask,
        fit=_fit(mask),
    )


def colour_classes(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """For each pixel the index of its colour in `COLOURS`, or −1 for ground, ink, white and shadow."""
    lab = _lab(pixels)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    hue = np.arctan2(lab[..., 2], lab[..., 1])
    wanted = _lab(np.array([list(COLOURS.values())], dtype=np.uint8))[0]
    hues = np.arctan2(wanted[:, 2], wanted[:, 1])
    distance = np.abs((hue[..., None] - hues + np.pi) % (2 * np.pi) - np.pi)
    nearest = distance.argmin(-1)
    is_coloured = (chroma > _LEAST_CHROMA) & (distance.min(-1) < _FARTHEST_HUE)
    return np.where(is_coloured, nearest, -1)


def _lab(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """CIE Lab (D65) of sRGB pixels."""
    level = pixels / 255.0
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.9505, 1.0, 1.089])


def _fit(mask: Mask) -> dict[str, float]:
    """The best overlap of a mask with every shape of its area, tried at three sizes around its centre of mass."""
    rows, columns = np.nonzero(mask)
    y, x = float(rows.mean()), float(columns.mean())
    reach = int(np.hypot(np.ptp(rows), np.ptp(columns))) + 4
    top, left = round(y) - reach, round(x) - reach
    tile = np.zeros((2 * reach + 1, 2 * reach + 1))
    tile[rows - top, columns - left] = 1
    fit = {}
    for shape in SHAPES:
        diameter = np.sqrt(len(rows) / _outline_facts(shape)[0])
        fit[shape] = max(
            _overlap(tile, _outline(shape, diameter * scale, y - top, x - left, len(tile)))
            for scale in (0.94, 1.0, 1.06)
        )
    return fit


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(np.minimum(one, other).sum() / np.maximum(one, other).sum())


def _outline(shape: str, diameter: float, y: float, x: float, side: int) -> NDArray[np.float64]:
    """The coverage (0–1) by a shape of each pixel of a tile, its centre of mass at (y, x)."""
    _, down, right = _outline_facts(shape)
    centre_x, centre_y = x + 0.5 - right * diameter, y + 0.5 - down * diameter
    tile, (left, top) = outline_mask(shape, (centre_x / side, centre_y / side, diameter / side), side * _FINE)
    large = Image.new("L", (side * _FINE, side * _FINE), 0)
    large.paste(tile, (left, top))
    return np.asarray(large.reduce(_FINE), dtype=np.float64) / 255


@cache
def _outline_facts(shape: str) -> tuple[float, float, float]:
    """Area over the square of the diameter, and the centre of mass from the middle, down and right, in diameters."""
    tile, _ = outline_mask(shape, (0.5, 0.5, 1.0), 200)
    rows, columns = np.nonzero(np.asarray(tile) > 127)
    return len(rows) / 200**2, (rows.mean() + 0.5) / 200 - 0.5, (columns.mean() + 0.5) / 200 - 0.5
