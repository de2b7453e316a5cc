"""Which rated items show what a gold item or an attention check shows, so that comparing cards would reveal the
check."""

from collections.abc import Collection, Mapping, Sequence

from django.db.models import Count, Exists, F, OuterRef, Q

from annotations.models import Item, ItemImage, Study

FIRST_PROMPTS = 20


def leaves_half(*, n_rated: int, n_items: int) -> bool:
    """Whether a rater rates at most half of the items, so that there are at least twice as many raters as an item
    needs.

    Then each may get either a check or the items that show the same, and every item still finds its raters.
    """
    return 2 * n_rated <= n_items


def items_per_prompt(study: Study) -> int:
    """How many rated items a prompt of the study has: the most that one of its first prompts has."""
    first = Item.objects.filter(study=study, position__lt=FIRST_PROMPTS).values("prompt")
    counted = Item.objects.filter(study=study, prompt__in=first).order_by().values("prompt").annotate(n=Count("pk"))
    return max((row["n"] for row in counted), default=1)


def shown_again(study: Study, n_images: Mapping[int, int]) -> dict[int, frozenset[int]]:
    """By gold item or check that is rated as well, the rated items that show the same. One query.

    n_images  by gold item or check, how many images it has

    If an image of the check was made for another prompt, these are the rated items that show one of its images, or
    another image of that image's own prompt, which may look almost the same. If all its images belong to its prompt,
    they are the items with all its images: an image in several pairs of its prompt is not unusual.
    """
    sibling = "image__prompt__images"
    wrong = ItemImage.objects.filter(~Q(image__prompt=OuterRef("item__prompt")), item=OuterRef("item"))
    rows = (
        ItemImage.objects.filter(
            Q(**{sibling: F("image")}) | ~Q(image__prompt=F("item__prompt")),
            item__in=list(n_images),
            **{f"{sibling}__item_images__item__study": study, f"{sibling}__item_images__item__role": Item.Role.RATED},
        )
        .annotate(is_wrong=Exists(wrong))
        .order_by()
        .values_list("item_id", f"{sibling}__item_images__item_id", "is_wrong", "image_id")
        .distinct()
    )
    shared: dict[tuple[int, int], int] = {}
    found: dict[int, set[int]] = {}
    for check, item, is_wrong, _image in rows:
        shared[check, item] = shared.get((check, item), 0) + 1
        if is_wrong or shared[check, item] == n_images[check]:
            found.setdefault(check, set()).add(item)
    return {check: frozenset(items) for check, items in found.items()}


def alike(
    study: Study, checks: Sequence[int], *, again: Mapping[int, Collection[int]], n_of_prompt: int
) -> dict[int, list[int]]:
    """By gold item or check, the rated items by which a rater who compares cards could recognise it. One query.

    again        those of `shown_again`, which are among them
    n_of_prompt  how often a rater sees a prompt

    The others are items of its prompt that would make the prompt come more often than others.
    """
    found = {check: sorted(again.get(check, ())) for check in checks}
    of_prompt: dict[int, list[int]] = {}
    same = Item.with_checks.filter(
        pk__in=checks, prompt__items__study=study, prompt__items__role=Item.Role.RATED
    ).order_by("pk", "prompt__items__position")
    for check, item in same.values_list("pk", "prompt__items"):
        of_prompt.setdefault(check, []).append(item)
    for check, items in of_prompt.items():
        known = [item for item in items if item in found[check]]
        others = [item for item in items if item not in known]
        found[check].extend(others[: max(0, len(items) + 1 - n_of_prompt - len(known))])
    return {check: items for check, items in found.items() if items}
