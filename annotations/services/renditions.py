"""Renditions with fewer pixels, for screens that cannot show them all: made when first asked for, and kept."""

import hashlib
from contextlib import suppress

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from exchange.images import narrowed
from generation.models import Image, Reference

WIDTHS = (256, 384, 512, 768, 1024, 1536, 2048)
"""Every image is offered in those below its own width, whatever made it, so they reveal nothing about it."""


def narrow_rendition(image: Image | Reference, width: int) -> bytes:
    """What people see of the image, `width` pixels wide. The image must be wider than that.

    A full disk or a storage that refuses writing costs time, not the picture.
    """
    digest = hashlib.sha256(str(image.shown.name).encode()).hexdigest()
    name = f"narrow/{width}/{digest[:2]}/{digest}.webp"
    if default_storage.exists(name):
        with default_storage.open(name) as stored:
            content = bytes(stored.read())
        # Another request may be writing it at this moment: a RIFF file says how long it is.
        if len(content) == int.from_bytes(content[4:8], "little") + 8:
            return content
    with image.shown.open("rb") as file:
        content = narrowed(file.read(), width)
    with suppress(OSError):
        saved = default_storage.save(name, ContentFile(content))
        if saved != name:
            default_storage.delete(saved)  # another request was first
    return content
