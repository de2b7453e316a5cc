"""What an image shows, apart from how its file is written."""

import hashlib
from io import BytesIO

from PIL import Image


def pixels_digest(file: bytes) -> str:
    """SHA-256, in hex, of an image's size and RGB levels: the same in every container without loss. Raises OSError."""
    with Image.open(BytesIO(file)) as image:
        rgb = image.convert("RGB")
    return hashlib.sha256(f"{rgb.width}x{rgb.height}:".encode() + rgb.tobytes()).hexdigest()
