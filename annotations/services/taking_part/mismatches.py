"""Attention checks that the site makes by itself: an image with a prompt that it was not made for."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.utils.translation import gettext as _

from annotations.kinds.registry import frozen_of, kind_of
from annotations.models import Dimension, Item, ItemImage, Study
from annotations.queries.candidates import references_of
from annotations.questions import names_sides
from annotations.services.taking_part.exercises import Accepted, add_exercise
from generation.models import Image

MOST_OTHER_IMAGES = 2_000
"""So many images that the study does not rate are drawn from, at most."""
FEW_SIZES = 5
"""Where a study's images have no more sizes than these, a check has one of them, too."""


def make_mismatches(*, study: Study, dimension: Dimension, n: int) -> list[Item]:
    """At most n attention checks, as many as the study has items, drawn from its seed.

    Of a pair, one image stays and is the right choice. Otherwise the lower half of the levels is right. Images and
    prompts are those that the study does not rate, where there are any by the same methods: then nobody who compares
    images or prompts meets them twice. A prompt gets as many checks as a rated one has items. Other checks are made of
    rated items; assignment keeps these from raters who get the check (see `queries.raters.checks`).
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
    for prompt, images, frozen in list(_drawn(study, n, rng)):
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


Drawn = tuple[int, list[int], Mapping[str, Any]]
"""Prompt, images by slot, and what its questions need to know (`Item.frozen`)."""


def _drawn(study: Study, n: int, rng: np.random.Generator) -> Iterator[Drawn]:
    rated = _rated(study, n, rng)
    methods = {method for item in rated for method in item.methods}
    others = _Others.read(study, methods, {size for item in rated for size in item.sizes}, rng)
    per_prompt = _items_per_prompt(study)
    is_pair = study.item_kind == Study.ItemKind.PAIR
    prompt: _Prompt | None = None
    n_of_prompt = 0
    used: set[int] = set()
    for place, item in enumerate(rated[:n]):
        kept = item.methods[:1] if is_pair else ()
        wrong = item.methods[1:] if is_pair else item.methods
        own: Sequence[int] | None
        if prompt is None or n_of_prompt >= per_prompt:
            prompt, n_of_prompt = others.next_prompt(kept), 0
        own = others.take(kept, of=prompt.pk) if prompt is not None else None
        images = others.take(wrong, not_text=prompt.text) if prompt is not None and own is not None else None
        if prompt is not None and own is not None and images is not None:
            n_of_prompt += 1
            yield prompt.pk, [*own, *images], prompt.frozen
            continue
        prompt = None
        own = item.images[:1] if is_pair else ()
        images = others.take(wrong, not_text=item.text)
        if images is None:
            images = _of_another(rated, place, used, n_kept=len(own))
            used.update(images)
        yield item.prompt, [*own, *images], item.frozen


def _of_another(rated: Sequence["_Rated"], place: int, used: set[int], *, n_kept: int) -> list[int]:
    """The images of the next item with another prompt, behind the first `n_kept`; of one not used yet, if any is left.

    The next one is that whose prompt the next check has, so that few items look like a check.
    """
    strange = [one for one in (*rated[place + 1 :], *rated[:place]) if one.text != rated[place].text]
    if not strange:
        raise ValidationError(_("All items have the same prompt, so no image can be shown with a wrong one."))
    return min(strange, key=lambda one: not used.isdisjoint(one.images)).images[n_kept:]


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
    """Items of the study's beginning in a drawn order: first one of each prompt, and none of which a check was made."""
    items = list(Item.objects.filter(study=study).select_related("prompt").order_by("position")[: 20 * n + 20])
    rows = {item.pk: _Rated(item.prompt_id, item.prompt.text, item.frozen) for item in items}
    images = ItemImage.objects.filter(item__in=rows).order_by("slot")
    for item, image, method, *size in images.values_list(
        "item_id", "image_id", "image__method_id", "image__width", "image__height"
    ):
        rows[item].images.append(image)
        rows[item].methods.append(method)
        rows[item].sizes.append((size[0], size[1]))
    of_checks = ItemImage.objects.filter(item__study=study, item__role=Item.Role.CHECK)
    columns = of_checks.values_list("item__prompt_id", "image_id")
    prompts, used = {prompt for prompt, _image in columns}, {image for _prompt, image in columns}
    n_before: Counter[int] = Counter()
    turns: list[tuple[bool, int, _Rated]] = []
    for place in rng.permutation(len(items)).tolist():
        row = rows[items[place].pk]
        is_used = row.prompt in prompts or not used.isdisjoint(row.images)
        turns.append((is_used, n_before[row.prompt], row))
        n_before[row.prompt] += 1
    return [row for _is_used, _turn, row in sorted(turns, key=lambda one: one[:2])]


def _items_per_prompt(study: Study) -> int:
    n = Item.objects.filter(study=study).aggregate(items=Count("pk"), prompts=Count("prompt", distinct=True))
    return max(1, round(n["items"] / n["prompts"])) if n["prompts"] else 1


class _Others:
    """Images by the study's methods that none of its items shows, by prompt; each is given once."""

    def __init__(self) -> None:
        self._images: dict[int, dict[int, list[int]]] = {}
        self._texts: dict[int, str] = {}
        self._fresh: dict[int, Mapping[str, Any]] = {}

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
        seen: set[str] = set()
        for of_sets in (of_own, images.exclude(prompt__prompt_set__in=own_sets)):
            rows = list(of_sets.order_by("pk").values_list(*columns)[:MOST_OTHER_IMAGES])
            for place in rng.permutation(len(rows)).tolist():
                image, prompt, text, method, width, height, sha256 = rows[place]
                if sha256 not in seen and (len(sizes) > FEW_SIZES or (width, height) in sizes):
                    seen.add(sha256)
                    found._images.setdefault(prompt, {}).setdefault(method, []).append(image)
                    found._texts[prompt] = text
            if of_sets is of_own:  # prompts of other sets may be of another kind, and would stand out
                found._fresh = _fresh(study, found._texts)
        return found

    def next_prompt(self, methods: Sequence[int]) -> _Prompt | None:
        """A prompt that the study does not have, with images by these methods; None where none is left."""
        for prompt in list(self._fresh):
            frozen = self._fresh.pop(prompt)
            if self._has(prompt, methods):
                return _Prompt(prompt, self._texts[prompt], frozen)
        return None

    def take(self, methods: Sequence[int], *, of: int | None = None, not_text: str | None = None) -> list[int] | None:
        """An image by each of these methods, all of one prompt, which has another text; None where there are none."""
        for prompt in [of] if of is not None else list(self._images):
            if self._texts[prompt] != not_text and self._has(prompt, methods):
                return [self._images[prompt][method].pop() for method in methods]
        return None

    def _has(self, prompt: int, methods: Sequence[int]) -> bool:
        images = self._images.get(prompt, {})
        return all(len(images.get(method, ())) >= methods.count(method) for method in methods)


def _fresh(study: Study, texts: Mapping[int, str]) -> dict[int, Mapping[str, Any]]:
    """By prompt that the study does not have, what its items keep; none where its questions cannot be asked of them."""
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
