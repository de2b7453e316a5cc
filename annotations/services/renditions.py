"""Renditions with fewer pixels, for screens that cannot show them all: made ahead or on first request, and kept.

They are made ahead because making one takes time: the first rater of a study could recognise gold items, which others
have already seen, by their fast responses.
"""

import hashlib
import logging
import time
from contextlib import suppress

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import F, OuterRef, Subquery

from annotations.models import Item, Study
from exchange.images import narrowed
from generation.models import Image, Reference
from generation.queries.stored_files import opened

logger = logging.getLogger(__name__)
WIDTHS = (256, 384, 512, 768, 1024, 1536, 2048)
"""Every image is offered in those below its own width, whichever method made it, so they reveal nothing about it."""


def narrow_rendition(image: Image | Reference, width: int) -> bytes:
    """The image as raters see it, `width` pixels wide. The image must be wider than that.

    If the disk is full or the storage refuses to write, it takes longer, but the image is still served.
    """
    name = rendition_name(image, width)
    if default_storage.exists(name):
        with default_storage.open(name) as stored:
            content = bytes(stored.read())
        # Another request may be writing it at this moment: a RIFF file states its length.
        if len(content) == int.from_bytes(content[4:8], "little") + 8:
            return content
    with opened(image.shown) as file:
        content = narrowed(file.read(), width)
    with suppress(OSError):
        saved = default_storage.save(name, ContentFile(content))
        if saved != name:
            default_storage.delete(saved)  # another request was first
    return content


def rendition_name(image: Image | Reference, width: int) -> str:
    """Where this rendition of the image is stored."""
    digest = hashlib.sha256(str(image.shown.name).encode()).hexdigest()
    return f"narrow/{width}/{digest[:2]}/{digest}.webp"


def studies_to_prepare() -> list[int]:
    """Open studies with items whose renditions have not been made ahead; one query."""
    last = Item.objects.filter(study=OuterRef("pk")).order_by("-position").values("position")[:1]
    rows = Study.objects.filter(state=Study.State.OPEN).annotate(last=Subquery(last))
    return list(rows.filter(last__gte=F("n_items_ready")).order_by("pk").values_list("pk", flat=True))


def make_ahead(*, study_id: int, seconds: float = 10.0) -> bool:
    """Make the renditions of a study's checks and next items, for at most `seconds`; returns whether some are left.

    Rated items come in the order in which raters meet them. At worst, two workers do the same work twice.
    """
    end = time.monotonic() + seconds
    study = Study.objects.filter(pk=study_id, state=Study.State.OPEN).first()
    if study is None:
        return False
    n_ready = study.n_items_ready
    for check in Item.with_checks.filter(study=study).exclude(role=Item.Role.RATED) if n_ready == 0 else ():
        _make_all(check)
    items = Item.objects.filter(study=study, position__gte=n_ready).order_by("position")
    for item in items.iterator(chunk_size=200):
        _make_all(item)
        n_ready = item.position + 1
        if time.monotonic() > end:
            break
    Study.objects.filter(pk=study_id, n_items_ready=study.n_items_ready).update(n_items_ready=n_ready)
    return Item.objects.filter(study=study, position__gte=n_ready).exists()


def _make_all(item: Item) -> None:
    shown: list[Image | Reference] = list(item.images.exclude(shown=""))
    if item.reference is not None:
        shown += Reference.objects.filter(pk=item.reference["id"])
    for image in shown:
        for width in WIDTHS:
            if width < (image.width or 0) and not default_storage.exists(rendition_name(image, width)):
                _make(image, width)


def _make(image: Image | Reference, width: int) -> None:
    try:
        narrow_rendition(image, width)
    except Exception:  # one file that is gone or damaged must not keep the others waiting; a page says so
        logger.warning("No rendition of image %s", image.pk, exc_info=True)
