"""Small pictures for pages that show many: made when first requested, and kept next to the renditions."""

import hashlib
import io
from contextlib import suppress

from django.core.files.storage import default_storage
from PIL import Image as Picture

from generation.models import Image
from generation.queries.stored_files import opened
from generation.services.image_files import put

LONGEST_SIDE = 384
QUALITY = 82


def small_picture(image: Image) -> bytes:
    """The rendition, at most LONGEST_SIDE pixels long, as WebP. The image must have one.

    If the disk is full or the storage refuses to write, the picture is still returned; only time is lost.
    """
    digest = hashlib.sha256(str(image.shown.name).encode()).hexdigest()
    name = f"small/{digest[:2]}/{digest}.webp"
    if default_storage.exists(name):
        with default_storage.open(name) as stored:
            content = bytes(stored.read())
        if _is_whole(content):
            return content
    with opened(image.shown) as file, Picture.open(file) as picture:
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Picture.Resampling.LANCZOS)
        stream = io.BytesIO()
        picture.convert("RGB").save(stream, "WEBP", quality=QUALITY, method=4)
    with suppress(OSError):
        put(name, stream.getvalue())
    return stream.getvalue()


def _is_whole(content: bytes) -> bool:
    """Another request may be writing it at this moment: a RIFF file says how long it is."""
    return len(content) == int.from_bytes(content[4:8], "little") + 8
