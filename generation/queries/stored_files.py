"""The stored files behind rows: opened, or reported gone."""

from collections.abc import Collection
from typing import Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db.models.fields.files import FieldFile
from django.http import Http404
from django.utils.translation import gettext as _

from generation.models import Image


class FileGone(Http404):
    """A row names a file that the storage does not have. A view that lets it pass answers 404."""


def opened(file: FieldFile) -> "File[Any]":
    """The file, open for reading. Raises FileGone.

    The S3 storage reports a missing object as FileNotFoundError, as a disk does. Everything else, such as a refused
    permission, is a fault of the site and propagates.
    """
    try:
        return file.open("rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise FileGone(_("The image is known, but its file is not on this site.")) from error


def without_file(images: Collection[Image]) -> list[Image]:
    """Those whose rendition should be in the storage and is not. One look at the storage for each image."""
    return [image for image in images if image.shown and not default_storage.exists(str(image.shown.name))]
