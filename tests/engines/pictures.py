"""Small pictures for the tests of engines that look at one."""

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image


def picture(seed: int, width: int = 48, height: int = 48) -> Image.Image:
    """Soft blobs of colour, another picture for each seed."""
    levels = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(levels).resize((width, height), Image.Resampling.BICUBIC)


def as_file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The image as a file's bytes."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(seed: int, width: int = 48, height: int = 48) -> bytes:
    """A picture as a PNG file."""
    return as_file(picture(seed, width, height))
