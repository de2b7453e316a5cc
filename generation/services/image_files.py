"""Images in the storage: the original under its content's address, and the rendition that people see under another."""

import hashlib
import threading
import time
from collections.abc import Callable
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, default_storage

from exchange.images import check_image, shown_rendition

FILE_FIELDS = ("sha256", "format", "width", "height", "n_bytes", "file", "shown")
_one_picture = threading.Lock()
"""Held while a picture is unpacked, so that of parallel imports only one at a time uses the memory for that."""
_STANDS_STILL_S = 1.0
"""A file that is not whole and has not grown for this long is what an interrupted write has left."""
ENDINGS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}


def store_image(
    content: bytes, *, name: str, dry_run: bool = False, odd_metadata: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Check an image, put it and its rendition into the storage, and return the file fields of its `Image` row.

    odd_metadata  called where what the file says of itself cannot be read in full

    The rendition's address is the hash of its own pixels: it reveals neither the original's address nor its method, and
    two images that look the same share it. Files come before rows: a row never lacks its file, and a file whose row
    was not saved is found again by its content. Raises BadFile for what is not a whole image.
    """
    with _one_picture:
        checked = check_image(content, name=name)
        shown = shown_rendition(content, name=name)
    if checked.has_odd_metadata:
        odd_metadata()
    shown_sum = hashlib.sha256(shown).hexdigest()
    file = f"images/{checked.sha256[:2]}/{checked.sha256}.{ENDINGS[checked.format]}"
    rendition = f"shown/{shown_sum[:2]}/{shown_sum}.webp"
    if not dry_run:
        put(file, content)
        put(rendition, shown)
    return {
        "sha256": checked.sha256,
        "format": checked.format,
        "width": checked.width,
        "height": checked.height,
        "n_bytes": checked.n_bytes,
        "file": file,
        "shown": rendition,
    }


def put(name: str, content: bytes, storage: Storage | None = None) -> None:
    """Write content under its address, unless it is there. The remains of an interrupted write are replaced.

    Several workers may write the same content at the same moment: one of them does, and the others wait for it.
    """
    storage = storage or default_storage
    while not _is_whole(name, len(content), storage):
        try:
            saved = storage.save(name, ContentFile(content))
        except FileNotFoundError:
            continue  # another worker took the remains away at this moment
        if saved == name:
            return
        storage.delete(saved)  # another worker was first, and the storage gave us a name next to it


def _is_whole(name: str, n_bytes: int, storage: Storage) -> bool:
    """Whether the file is there with all its bytes. Waits while another worker writes it, and takes remains away."""
    seen, changed = -1, time.monotonic()
    while storage.exists(name):
        try:
            size = storage.size(name)
        except FileNotFoundError:
            return False
        if size == n_bytes:
            return True
        if size != seen:
            seen, changed = size, time.monotonic()
        elif time.monotonic() - changed > _STANDS_STILL_S:
            storage.delete(name)
            return False
        time.sleep(0.01)
    return False
