"""Attention checks that the site generates: an image with a prompt that it was not made for."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import numpy as np
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from annotations.kinds.registry import frozen_of, kind_of
from annotations.models import Dimension, Item, ItemImage, Study
from annotations.queries.candidates import references_of
from annotations.queries.rating import may_show_rated, n_given_out
from annotations.questions import names_sides
from annotations.services.taking_part.exercises import Accepted, add_exercise
from generation.models import Image

MOST_OTHER_IMAGES = 2_000
"""At most this many images outside the study are considered."""
FEW_SIZES = 5
"""If a study's images have no more sizes than this, a check has one of them, too."""


def make_mismatches(*, study: Study, dimension: Dimension, n: int) -> list[Item]:
    """At most n attention checks, as many as the study has items, drawn from its seed.

    In a pair, one image stays and is the right choice. Otherwise the lower half of the levels is right. If possible,
    images (by the same methods) and prompts come from outside the study: then no rater who compares images or prompts
    meets them twice. A prompt gets as many checks as a rated one has items, and these show the images of one other
    prompt, which resemble each other as a rated prompt's do. While there are enough prompts, no image of that one is
    shown with a further prompt. Other checks are made of rated items, and only where raters leave enough items to
    others: a rater then gets either the check or these items (see `queries.raters.checks`). Elsewhere fewer are made,
    see `cure`.
    Raises ValidationError where the question or the study's items allow no such check.
    """
    is_pair = study.item_kind == Study.ItemKind.PAIR
    if (
        dimension.is_ordering
        or not kind_of(dimension).has_levels
        or (is_pair != names_sides(dimension))
        or (not is_pair and len(dimension.levels) < 2)
    ):
        raise ValidationError(_("Choose a question whose answer shows whether an image fits its prompt."))
    if not is_pair and dimension.kind != Dimension.Kind.ORDINAL:
        raise ValidationError(_("Choose a question with ordered levels."))
    n_before = Item.with_checks.filter(study=study, role=Item.Role.CHECK).count()
    rng = np.random.default_rng([study.seed, 7, n_before])
    low = list(range(len(dimension.levels) // 2))
    made: list[Item] = []
    may_be_rated = may_show_rated(study)
    drawn = list(_drawn(study, n, rng, may_be_rated=may_be_rated))
    if not drawn and not may_be_rated:
        raise ValidationError(cure(study, n))
    for prompt, images, frozen in drawn:
        about = images if dimension.about == Dimension.About.IMAGE else [None]
        accepted: Accepted = {(dimension.pk, None): [0]} if is_pair else {(dimension.pk, image): low for image in about}
        made.append(
            add_exercise(
                study=study,
                role=Item.Role.CHECK,
                prompt_id=prompt,
                images=images,
                accepted=accepted,
                reason=_("The image was made for another prompt."),
                frozen=frozen,
            )
        )
    return made


def cure(study: Study, n: int) -> str:
    """How to make n further checks possible if raters rate most of the items."""
    n_prompts = -(-n // _items_per_prompt(study))
    is_pair = study.item_kind == Study.ItemKind.PAIR
    return _(
        "Further checks would show images that the study rates. In this study a rater may rate more than half of the "
        "items, so a script could notice an image that comes twice. Leave more prompts out of the study (%(prompts)d "
        "for this many), import images of further prompts by the same methods, or set “Items per rater, at most” to "
        "%(most)d or fewer."
    ) % {"prompts": 2 * n_prompts if is_pair else max(2, n_prompts), "most": max(1, n_given_out(study) // 2)}


Drawn = tuple[int, list[int], Mapping[str, Any]]
"""Prompt, images by slot, and the facts that its questions need (`Item.frozen`)."""


def _drawn(study: Study, n: int, rng: np.random.Generator, *, may_be_rated: bool) -> Iterator[Drawn]:
    rated = _rated(study, n, rng)
    methods = {method for item in rated for method in item.methods}
    others = _Others.read(study, methods, {size for item in rated for size in item.sizes}, rng)
    n_kept = 1 if study.item_kind == Study.ItemKind.PAIR else 0
    n = min(n, len(rated))
    n_made = 0
    for items in _groups(study, rated[:n]):
        group = others.next_group(items, n_kept=n_kept, may_resemble=may_be_rated) if n_made < n else None
        if group is None:
            break
        prompt, cards = group
        for images in cards[: n - n_made]:
            n_made += 1
            yield prompt.pk, images, prompt.frozen
    used: set[int] = set()
    for place, item in enumerate(rated[n_made:n] if may_be_rated else (), start=n_made):
        images = others.take(item, n_kept=n_kept) or _of_another(rated, place, used, n_kept=n_kept, n=n)
        used.update(images)
        yield item.prompt, [*item.images[:n_kept], *images], item.frozen


def _groups(study: Study, some: Sequence["_Rated"]) -> Iterator[list["_Rated"]]:
    """The items of each of these items' prompts in turn, starting again after the last.

    Prompts with fewer rated items than usual are left out.
    """
    groups: dict[int, list[_Rated]] = {item.prompt: [] for item in some}
    for item in _read(Item.objects.filter(study=study, prompt__in=groups).order_by("position")).values():
        groups[item.prompt].append(item)
    n_items = _items_per_prompt(study)
    return cycle([items for items in groups.values() if len(items) >= n_items] or list(groups.values()))


def _of_another(rated: Sequence["_Rated"], place: int, used: set[int], *, n_kept: int, n: int) -> list[int]:
    """The images of the next item with another prompt, behind the first `n_kept`; of one not used yet, if any is left.

    The next one is that whose prompt the next check has, so that few items look like a check. But where checks keep
    an image of their own prompt, it is not among the n checks' prompts: that image would look like the one shown here.
    """
    strange = [one for one in (*rated[place + 1 :], *rated[:place]) if one.text != rated[place].text]
    if not strange:
        raise ValidationError(_("All items have the same prompt, so no image can be shown with a wrong one."))
    own = {one.text for one in rated[:n]} if n_kept else set()
    return min(strange, key=lambda one: (not used.isdisjoint(one.images), one.text in own)).images[n_kept:]


@dataclass(frozen=True)
class _Rated:
    """A rated item: `images`, `methods` and `sizes` by slot."""

    prompt: int
    text: str
    frozen: Mapping[str, Any]
    images: list[int] = field(default_factory=list)
    methods: list[int] = field(default_factory=list)
    sizes: list[tuple[int | None, int | None]] = field(default_factory=list)


@dataclass(frozen=True)
class _Prompt:
    pk: int
    text: str
    frozen: Mapping[str, Any]


def _rated(study: Study, n: int, rng: np.random.Generator) -> list[_Rated]:
    """Items from the study's beginning in random order: first one of each prompt, and none from which a check was
    made."""
    rows = _read(Item.objects.filter(study=study).order_by("position")[: 20 * n + 20])
    items = list(rows)
    of_checks = ItemImage.objects.filter(item__study=study, item__role=Item.Role.CHECK)
    columns = of_checks.values_list("item__prompt_id", "image_id")
    prompts, used = {prompt for prompt, _image in columns}, {image for _prompt, image in columns}
    n_before: Counter[int] = Counter()
    turns: list[tuple[bool, int, _Rated]] = []
    for place in rng.permutation(len(items)).tolist():
        row = rows[items[place]]
        is_used = row.prompt in prompts or not used.isdisjoint(row.images)
        turns.append((is_used, n_before[row.prompt], row))
        n_before[row.prompt] += 1
    return [row for _is_used, _turn, row in sorted(turns, key=lambda one: one[:2])]


def _read(items: QuerySet[Item]) -> dict[int, _Rated]:
    """Each of these items by its pk, in their order."""
    rows = {item.pk: _Rated(item.prompt_id, item.prompt.text, item.frozen) for item in items.select_related("prompt")}
    images = ItemImage.objects.filter(item__in=rows).order_by("slot")
    for item, image, method, *size in images.values_list(
        "item_id", "image_id", "image__method_id", "image__width", "image__height"
    ):
        rows[item].images.append(image)
        rows[item].methods.append(method)
        rows[item].sizes.append((size[0], size[1]))
    return rows


def _items_per_prompt(study: Study) -> int:
    n = Item.objects.filter(study=study).aggregate(items=Count("pk"), prompts=Count("prompt", distinct=True))
    return max(1, round(n["items"] / n["prompts"])) if n["prompts"] else 1


class _Others:
    """Images by the study's methods that none of its items shows, by prompt; each is given once."""

    def __init__(self) -> None:
        self._images: dict[int, dict[int, list[int]]] = {}
        self._texts: dict[int, str] = {}
        self._fresh: dict[int, Mapping[str, Any]] = {}
        self._shown: set[str] = set()
        """Texts of the prompts of which the study shows an image: another image of these may look the same."""

    @classmethod
    def read(
        cls, study: Study, methods: set[int], sizes: set[tuple[int | None, int | None]], rng: np.random.Generator
    ) -> "_Others":
        shown = ItemImage.objects.filter(item__study=study)
        images = Image.objects.filter(method__in=methods, shown__gt="").exclude(pk__in=shown.values("image"))
        images = images.exclude(sha256__in=shown.values("image__sha256"))  # the same picture, imported twice
        if len(sizes) <= FEW_SIZES:
            images = images.filter(width__in={width for width, _height in sizes})
        own_sets = Item.objects.filter(study=study).values("prompt__prompt_set")
        of_own = images.filter(prompt__prompt_set__in=own_sets)
        columns = ("pk", "prompt_id", "prompt__text", "method_id", "width", "height", "sha256")
        found = cls()
        found._shown = set(shown.values_list("image__prompt__text", flat=True))
        seen: set[str] = set()
        for of_sets in (of_own, images.exclude(prompt__prompt_set__in=own_sets)):
            rows = list(of_sets.order_by("pk").values_list(*columns)[:MOST_OTHER_IMAGES])
            for place in rng.permutation(len(rows)).tolist():
                image, prompt, text, method, width, height, sha256 = rows[place]
                if sha256 not in seen and (len(sizes) > FEW_SIZES or (width, height) in sizes):
                    seen.add(sha256)
                    found._images.setdefault(prompt, {}).setdefault(method, []).append(image)
                    found._texts[prompt] = text
            if of_sets is of_own:  # prompts of other sets may be of a different kind, and would stand out
                found._fresh = _fresh(study, found._texts)
        return found

    def next_group(
        self, items: Sequence[_Rated], *, n_kept: int, may_resemble: bool
    ) -> tuple[_Prompt, list[list[int]]] | None:
        """A prompt that the study does not have, and images for its checks: one for each of a rated prompt's items.

        As in these items, every image but the first `n_kept` of each is of one and the same prompt, here of another
        one. None if none is left. Unless they `may_resemble` others, the study shows no image of these prompts yet.
        """
        own = _images_by_method(items, 0, n_kept)
        wrong = _images_by_method(items, n_kept, None)
        others = self._in_order(self._images, wrong)
        if not may_resemble:
            others = [prompt for prompt in others if self._texts[prompt] not in self._shown]
        for prompt in self._in_order(self._fresh, own):
            text = self._texts[prompt]
            if own and not may_resemble and text in self._shown:
                continue
            other = next((one for one in others if self._texts[one] != text), None)
            if other is not None:
                instead = self._take(prompt, own), self._take(other, wrong)
                cards = [[instead[slot >= n_kept][image] for slot, image in enumerate(one.images)] for one in items]
                return _Prompt(prompt, text, self._fresh.pop(prompt)), cards
        return None

    def take(self, item: _Rated, *, n_kept: int) -> list[int] | None:
        """Images of one other prompt for the places of an item from `n_kept` on; None if no prompt is left."""
        wrong = _images_by_method([item], n_kept, None)
        for prompt in self._in_order(self._images, wrong):
            if self._texts[prompt] != item.text:
                instead = self._take(prompt, wrong)
                return [instead[image] for image in item.images[n_kept:]]
        return None

    def _in_order(self, prompts: Iterable[int], needed: Mapping[int, int]) -> list[int]:
        """The prompts that have images by the methods of the needed ones; first those of which no image is shown."""
        n_needed = Counter(needed.values())
        images = self._images
        able = [
            one
            for one in prompts
            if all(len(images.get(one, {}).get(method, ())) >= n for method, n in n_needed.items())
        ]
        return sorted(able, key=lambda one: self._texts[one] in self._shown)

    def _take(self, prompt: int, needed: Mapping[int, int]) -> dict[int, int]:
        """For each needed image, one of the prompt's images by the same method."""
        if needed:
            self._shown.add(self._texts[prompt])
        return {image: self._images[prompt][method].pop() for image, method in needed.items()}


def _images_by_method(items: Sequence[_Rated], first: int, end: int | None) -> dict[int, int]:
    """The method of each image in these slots of the items."""
    return {
        image: method
        for item in items
        for image, method in zip(item.images[first:end], item.methods[first:end], strict=True)
    }


def _fresh(study: Study, texts: Mapping[int, str]) -> dict[int, Mapping[str, Any]]:
    """For each prompt outside the study, the facts that its items keep; none if the questions cannot be asked about
    it."""
    known = set(
        Item.with_checks.filter(study=study, prompt__text__in=texts.values()).values_list("prompt__text", flat=True)
    )
    prompts = [prompt for prompt, text in texts.items() if text not in known]
    references = references_of(prompts) if study.shows_reference else {}
    if study.shows_reference:
        prompts = [prompt for prompt in prompts if prompt in references]
    try:
        frozen = frozen_of(list(study.dimensions.all()), prompts) if prompts else {}
    except ValidationError:
        return {}
    return {
        prompt: frozen.get(prompt, {}) | ({"reference": references[prompt]} if prompt in references else {})
        for prompt in prompts
    }
