"""Images in the texts that raters read: checked, re-encoded, and deleted with their study."""

import re
from collections.abc import Collection, Iterable
from itertools import chain, count
from unicodedata import category, normalize

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext as _

from annotations.models import Study, TextImage
from annotations.services.activity import Action, note
from exchange.images import check_image, narrowed, shown_rendition
from exchange.rejects import BadFile
from generation.queries.stored_files import FileGone, opened

MOST_IMAGES = 30
MOST_BYTES = 10 * 2**20
MOST_PIXELS = 16_000_000
WIDTH = 1_600
LONGEST_NAME = 60


def name_for(file_name: str, taken: Collection[str] = ()) -> str:
    """The default name by which texts refer to an image from this file.

    Letters of all scripts are kept. A file whose name has neither letters nor digits becomes the first of "image",
    "image-2", … that is not taken.
    """
    stem = normalize("NFC", file_name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or file_name)
    kept = "".join(character if _is_of_name(character) else " " for character in stem)
    if name := re.sub(r" +", "-", kept).strip("-.")[:LONGEST_NAME]:
        return name
    numbered = (f"image-{number}" for number in count(2))
    return next(name for name in chain(["image"], numbered) if name not in taken)


def _is_of_name(character: str) -> bool:
    """Whether it is a letter, a mark on one, or a digit, of any script, or one of “-”, “_” and “.”."""
    return character in "-_." or category(character)[0] in "LMN"


def add_text_image(*, study: Study, name: str, content: bytes, by: User | None) -> TextImage:
    """Keep this image for the study's texts, as bare pixels and at most `WIDTH` wide.

    Raises ValidationError, by field, for what is not a PNG, JPEG or WebP image within the limits, and for a name that
    an image of the study has.
    """
    name = normalize("NFC", name)
    if not 0 < len(name) <= LONGEST_NAME or not all(map(_is_of_name, name)):
        raise ValidationError({"name": _("Use only letters, digits, “-”, “_” and “.”, at most 60 of them.")})
    if len(content) > MOST_BYTES:
        raise ValidationError({"file": _("The file is larger than %d MB.") % (MOST_BYTES // 2**20)})
    try:
        pixels = narrowed(shown_rendition(content, name=name, max_pixels=MOST_PIXELS), WIDTH)
    except BadFile as problem:
        raise ValidationError({"file": str(problem)}) from None
    with transaction.atomic():
        # Locked: if two people add at once, the second sees the first one's image.
        Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        names = set(study.text_images.values_list("name", flat=True))
        if name in names:
            raise ValidationError(
                {
                    "name": _(
                        "The study already has an image with this name. Remove that image first, or choose another "
                        "name."
                    )
                }
            )
        if len(names) >= MOST_IMAGES:
            raise ValidationError({"file": _("A study can have %d images in its texts.") % MOST_IMAGES})
        image = _kept(study, name, pixels)
        note(study=study, actor=by, action=Action.CHANGED, settings=[f"image {name}"])
    return image


def _kept(study: Study, name: str, pixels: bytes) -> TextImage:
    known = check_image(pixels, name=name)
    image = TextImage(study=study, name=name, sha256=known.sha256, width=known.width, height=known.height)
    image.file.save(f"{image.token}.webp", ContentFile(pixels), save=False)
    image.save()
    return image


def remove_text_image(*, image: TextImage, by: User | None) -> None:
    """Remove an image and its file; texts that name it show the words between the brackets instead."""
    with transaction.atomic():
        note(study=image.study, actor=by, action=Action.CHANGED, settings=[f"image {image.name}"])
        delete_text_images(TextImage.objects.filter(pk=image.pk))


def copy_text_images(*, source: Study, target: Study) -> list[str]:
    """Give a copied study its own copies of the images, under the same names; returns the names of those whose files
    are gone, which it does not get."""
    gone = []
    for image in source.text_images.all():
        try:
            with opened(image.file) as file:
                _kept(target, image.name, file.read())
        except FileGone:
            gone.append(image.name)
    return gone


def delete_text_images(images: Iterable[TextImage]) -> None:
    """Delete the rows, and the files once the transaction is committed."""
    for image in images:
        transaction.on_commit(lambda name=str(image.file.name): default_storage.delete(name))  # type: ignore[misc]
        image.delete()
