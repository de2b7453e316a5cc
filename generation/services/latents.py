"""Latents in the storage under their content's address, and as rows next to their image."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.files.storage import default_storage

from generation.models import Image, Latents
from generation.services.image_files import put


class LatentsLost(Exception):
    """The file is missing, or differs from what was stored: the image has to be drawn again."""


def sum_of(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def store_latents(content: bytes) -> dict[str, Any]:
    """Put latents (the bytes that an engine gave) into the storage; the file fields of their `Latents` row.

    A file of the same length that is something else is replaced, so that a drawing repairs what had broken.
    """
    sha256 = sum_of(content)
    name = f"latents/{sha256[:2]}/{sha256}.safetensors"
    if default_storage.exists(name) and _content(name) != content:
        default_storage.delete(name)
    put(name, content)
    return {"file": name, "sha256": sha256, "n_bytes": len(content)}


def read_latents(row: Latents) -> bytes:
    """The bytes as they were stored. Raises LatentsLost."""
    try:
        content = _content(str(row.file.name))
    except FileNotFoundError as error:
        raise LatentsLost(str(row)) from error
    if sum_of(content) != row.sha256:
        raise LatentsLost(str(row))
    return content


def attach(*, image: Image, states: Mapping[int, Mapping[str, Any]]) -> None:
    """Note an image's latents: number of steps done → fields of the row. What is noted already stays, unless its file
    is gone."""
    if not states:
        return
    noted = {row.n_done: row for row in Latents.objects.filter(image=image, n_done__in=states)}
    for n_done, row in noted.items():
        if row.sha256 != states[n_done]["sha256"] and not default_storage.exists(str(row.file.name)):
            Latents.objects.filter(pk=row.pk).update(**states[n_done])
    new = (Latents(image=image, n_done=n_done, **fields) for n_done, fields in states.items() if n_done not in noted)
    Latents.objects.bulk_create(new, ignore_conflicts=True)


def fields_of(rows: Iterable[Latents]) -> dict[int, dict[str, Any]]:
    """What another image with the same latents needs for `attach`."""
    return {row.n_done: {"file": row.file.name, "sha256": row.sha256, "n_bytes": row.n_bytes} for row in rows}


def _content(name: str) -> bytes:
    with default_storage.open(name, "rb") as stream:
        content: bytes = stream.read()
    return content
