"""Which image a row of an outside file means."""

from collections import defaultdict
from collections.abc import Collection

from django.db.models import QuerySet

from generation.models import Image

SHA256_LENGTH = 64


def images_by_reference(references: Collection[str], prompt_set: str = "") -> dict[str, list[int]]:
    """Reference → row ids of the images it may mean: more than one where it is ambiguous, absent where none.

    A reference is an image's key, its SHA-256, or the name its file had in the bundle it came in, tried in this order.
    With `prompt_set` (a name) only that set's images are looked at.
    """
    images = Image.objects.filter(prompt__prompt_set__name=prompt_set) if prompt_set else Image.objects.all()
    found = _by("key", set(references), images)
    sums = {reference.lower(): reference for reference in set(references) - set(found) if _is_sum(reference)}
    if sums:
        found |= {sums[digits]: ids for digits, ids in _by("sha256", set(sums), images).items()}
    names = {reference for reference in set(references) - set(found) if "." in reference}
    if names:
        found |= _by("provenance__source__file", names, images)
    return found


def _by(field: str, values: set[str], images: QuerySet[Image]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for value, pk in images.filter(**{f"{field}__in": values}).order_by("pk").values_list(field, "pk"):
        found[value].append(pk)
    return dict(found)


def _is_sum(text: str) -> bool:
    return len(text) == SHA256_LENGTH and all(letter in "0123456789abcdefABCDEF" for letter in text)
