"""The looking critic's eyes: what they see in a picture of the closed world, from its pixels alone.

They do not judge as the independent check (`pixels`) does, but by hue and by the distance from the centre to the edge
in each direction. So they make mistakes as eyes do, above all on small shapes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from generation.recipes.scenes.figures import outline_mask
from generation.recipes.scenes.layout import Box
from generation.recipes.scenes.scene import COLOURS, SHAPES

_LEAST_SATURATION = 48  # largest less smallest of the three channels, of 255
_LEAST_PIXELS = 12 / 64**2
_BODY_FROM = 0.22
_DIRECTIONS = 24


@dataclass(frozen=True)
class Seen:
    """A patch of colour. `shape` is the likeliest; `sureness`, 0–1, is by how much; `box` is in shares of the side."""

    colour: str
    shape: str
    sureness: float
    box: Box

    @property
    def x(self) -> float:
        return (self.box[0] + self.box[2]) / 2

    @property
    def y(self) -> float:
        return (self.box[1] + self.box[3]) / 2

    @property
    def is_body(self) -> bool:
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1]) >= _BODY_FROM


def look(pixels: NDArray[np.uint8]) -> tuple[Seen, ...]:
    """What is seen in an RGB picture (height, width, 3), from left to right."""
    side = min(pixels.shape[:2])
    numbers = np.asarray(pixels, dtype=np.int64)
    saturation = np.ptp(numbers, axis=-1)
    nearest = _nearest_colour(numbers)
    seen: list[Seen] = []
    for index, colour in enumerate(COLOURS):
        own = (nearest == index) & (saturation >= _LEAST_SATURATION)
        filled = ndimage.binary_fill_holes(own)
        core = ndimage.binary_opening(filled, iterations=max(1, side // 48))
        labels, n = ndimage.label(core)
        for label in range(1, n + 1):
            patch = labels == label
            if patch.sum() < _LEAST_PIXELS * side * side or (patch & own).sum() < patch.sum() / 2:
                continue
            whole = ndimage.binary_dilation(patch, iterations=max(1, side // 64), mask=filled)
            seen.append(_seen(colour, whole))
    return tuple(sorted(seen, key=lambda one: one.x))


def _nearest_colour(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    hues = np.array([_hue(np.array(colour)) for colour in COLOURS.values()])
    distance = np.abs((_hue(numbers)[..., None] - hues + 180) % 360 - 180)
    nearest: NDArray[np.int64] = distance.argmin(-1)
    return nearest


def _hue(numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """The hue in degrees, 0 for grey."""
    red, green, blue = (numbers[..., channel].astype(float) for channel in range(3))
    return np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)) % 360


def _seen(colour: str, mask: NDArray[np.bool_]) -> Seen:
    height, width = mask.shape
    (rows, columns), *_ = ndimage.find_objects(mask.astype(int))
    edge = _edge(mask)
    distance = np.array([np.abs(edge - ideal).mean() for ideal in _ideal_edges()])
    order = np.argsort(distance)
    return Seen(
        colour,
        SHAPES[int(order[0])],
        float(np.clip(1 - distance[order[0]] / distance[order[1]], 0, 1)),
        (columns.start / width, rows.start / height, columns.stop / width, rows.stop / height),
    )


def _edge(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How far the mask reaches from its centre of mass in each direction, in units of the square root of its area."""
    rows, columns = np.nonzero(mask)
    down, right = rows - rows.mean(), columns - columns.mean()
    direction = np.round(np.arctan2(down, right) / (2 * np.pi) * _DIRECTIONS).astype(int) % _DIRECTIONS
    reach = np.zeros(_DIRECTIONS)
    np.maximum.at(reach, direction, np.hypot(down, right) + 0.5)
    empty = reach == 0
    if empty.any() and not empty.all():
        places = np.arange(_DIRECTIONS)
        reach[empty] = np.interp(places[empty], places[~empty], reach[~empty], period=_DIRECTIONS)
    return reach / np.sqrt(len(rows))


@cache
def _ideal_edges() -> tuple[NDArray[np.float64], ...]:
    """The edge of every shape, drawn large and reduced to the pixels that a thing has."""
    edges = []
    for shape in SHAPES:
        tile, _ = outline_mask(shape, (0.5, 0.5, 1.0), 60)
        edges.append(_edge(np.asarray(tile.resize((15, 15))) > 127))
    return tuple(edges)
