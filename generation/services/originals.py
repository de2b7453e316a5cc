"""The stored originals that a run's steps look at."""

from django.utils.translation import gettext as _

from generation.models import Image
from generation.queries.stored_files import FileGone, opened
from generation.recipes.contract import EngineError


def original_of(image: Image) -> bytes:
    """The original, byte for byte. Raises EngineError, so that of a run only the steps that need the file fail."""
    try:
        with opened(image.file) as stream:
            content: bytes = stream.read()
    except FileGone as error:
        raise EngineError(
            _("The file of image %s is missing.") % (image.key or image.pk),
            _("Put the file back, from a backup for example, and retry failed steps."),
        ) from error
    return content
