"""Where the mark of a listed error is drawn on its image: on the page of an audit and where errors are matched."""

from dataclasses import dataclass

from annotations.models import MissedError
from generation.models import Image


@dataclass(frozen=True)
class PlacedMark:
    """A point, or a box if it is `wide`, and its number, in pixels of the image."""

    number: int
    key: str
    left: float
    top: float
    wide: float
    high: float
    radius: float
    font: float
    label_x: float
    label_y: float


def placed_mark(error: MissedError, image: Image, number: int) -> PlacedMark | None:
    """The mark of an error; None for one that was listed without a place."""
    if error.x is None or error.y is None:
        return None
    width, height = image.width or 1, image.height or 1
    unit = max(width, height) / 100
    left, top = error.x * width, error.y * height
    return PlacedMark(
        number=number,
        key=error.key,
        left=left,
        top=top,
        wide=(error.width or 0) * width,
        high=(error.height or 0) * height,
        radius=1.5 * unit,
        font=3.5 * unit,
        label_x=left if error.width else left + 2 * unit,
        label_y=top - unit if error.y > 0.05 else top + 4 * unit,
    )
