"""Finds the image that a row of an outside file means."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import cached_property

from django.db.models import QuerySet

from exchange.identity import likeness
from exchange.signs import difference
from generation.models import Image, PromptSet
from generation.models.among import among

SHA256_LENGTH = 64
MOST_KEYS_COMPARED = 200_000


def images_by_reference(
    references: Collection[str], prompt_set: str = "", within: QuerySet[PromptSet] | None = None
) -> dict[str, list[int]]:
    """Reference → row ids of the images that it may mean: several if it is ambiguous, no entry if there is none.

    A reference is an image's key, its SHA-256, or the name its file had in the bundle it came in, tried in this order.
    With `prompt_set` (a name) only that set's images are looked at, with `within` only those of these sets.
    """
    images = _images(prompt_set, within)
    found = _by_key(set(references), prompt_set, within)
    sums = {reference.lower(): reference for reference in set(references) - set(found) if _is_sum(reference)}
    if sums:
        found |= {sums[digits]: ids for digits, ids in _by_sum(set(sums), images).items()}
    names = {reference for reference in set(references) - set(found) if "." in reference}
    if names:
        found |= _by_file(names, images)
    return found


def image_keys(prompt_set: str) -> Iterator[str]:
    """The keys of a set's images, by the set's name."""
    return _images(prompt_set, None).exclude(key="").values_list("key", flat=True).iterator(chunk_size=10_000)


class NearKeys:
    """The keys of images, for those who asked for one that is nearly the same. Looked up when first needed."""

    def __init__(self, prompt_set: str = "", within: QuerySet[PromptSet] | None = None) -> None:
        self.prompt_set, self._within = prompt_set, within

    def hint(self, reference: str) -> str:
        """A hint for "there is no such image": the key that differs only in details that a reader would overlook."""
        near = self._by_likeness.get(likeness(reference))
        if not near:
            return ""
        return f'; there is "{near}", which is spelled almost alike ({difference(reference, near)})'

    @cached_property
    def _by_likeness(self) -> dict[str, str]:
        keys = _images(self.prompt_set, self._within).exclude(key="").order_by("pk").values_list("key", flat=True)
        return {likeness(key): key for key in keys[:MOST_KEYS_COMPARED].iterator(chunk_size=10_000)}


def _images(prompt_set: str, within: QuerySet[PromptSet] | None) -> QuerySet[Image]:
    images = Image.objects.filter(prompt__prompt_set__name=prompt_set) if prompt_set else Image.objects.all()
    return images if within is None else images.filter(prompt__prompt_set__in=within)


def with_keys(keys: Collection[str]) -> QuerySet[Image]:
    """Images by their keys, in no order. Which set they belong to is best looked at afterwards: with a set to look for,
    SQLite goes through all images of the set instead of the index of keys."""
    return Image.objects.exclude(key="").filter(among("key", keys)).order_by()


def _by_key(keys: set[str], prompt_set: str, within: QuerySet[PromptSet] | None) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    if keys:
        sets = None if within is None else set(within.values_list("pk", flat=True))
        rows = with_keys(keys).values_list("key", "pk", "prompt__prompt_set", "prompt__prompt_set__name")
        for key, pk, set_pk, name in rows:
            if prompt_set in ("", name) and (sets is None or set_pk in sets):
                found[key].append(pk)
    return {key: sorted(ids) for key, ids in found.items()}


def _by_sum(sums: set[str], images: QuerySet[Image]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    # Without an order, for which SQLite would go through all images instead of the index.
    for value, pk in images.exclude(sha256="").filter(among("sha256", sums)).order_by().values_list("sha256", "pk"):
        found[value].append(pk)
    return {value: sorted(ids) for value, ids in found.items()}


def _by_file(names: set[str], images: QuerySet[Image]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    field = "provenance__source__file"
    for value, pk in images.filter(**{f"{field}__in": names}).order_by("pk").values_list(field, "pk"):
        found[value].append(pk)
    return dict(found)


def _is_sum(text: str) -> bool:
    return len(text) == SHA256_LENGTH and all(letter in "0123456789abcdefABCDEF" for letter in text)
