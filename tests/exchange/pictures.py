"""Small pictures for the tests."""

import io
from typing import Any

from PIL import Image


def picture(size: tuple[int, int] = (8, 6), kind: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    """A picture with a red left half and a blue right half (light and dark in grey modes), encoded."""
    image = Image.new("RGB", size, (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, size[0] // 2, size[1]))
    return encoded(image.convert(mode), kind, **options)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def with_odd_exif(kind: str) -> bytes:
    """A picture of which an EXIF entry says that its text lies beyond the end of the data."""
    entry = (0x010E).to_bytes(2, "little") + (2).to_bytes(2, "little") + (500).to_bytes(4, "little") + b"\xff\x0f\0\0"
    return picture((8, 6), kind, exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + b"\0\0\0\0")
