"""An image's lineage: its ancestors, their critiques, and its relatives."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Prefetch

from generation.models import Claim, Critique, Image, MetricScore, Step, StepNeed
from generation.queries.prompts import scores_of

MOST_RELATIVES = 24


@dataclass(frozen=True)
class Choice:
    """That an image was chosen after looking: by which metric, from how many; those that are still there, each with its
    score, and the row id of the one whose file this is."""

    by: str
    n: int
    candidates: tuple[tuple[Image, float | None], ...]
    taken: int


@dataclass(frozen=True)
class Lineage:
    """line: from the first drawing to the image itself, by rounds. Relatives are cut at MOST_RELATIVES; the numbers
    are not.

    critiques  of each image of the line and, for the last, of what led to its children: by image
    led_to     image → the critique whose refined prompt it was drawn with, as far as that is known
    """

    line: tuple[Image, ...]
    siblings: tuple[Image, ...]
    children: tuple[Image, ...]
    n_siblings: int
    n_children: int
    critiques: dict[int, list[Critique]]
    led_to: dict[int, int]
    scores: dict[int, list[MetricScore]]
    choice: Choice | None = None
    n_controls: dict[int, int] = field(default_factory=dict)


def lineage_of(image: Image) -> Lineage:
    """In a constant number of queries, however deep the rounds and however many the relatives."""
    parents = dict(Image.objects.filter(prompt=image.prompt_id).order_by("pk").values_list("pk", "parent_id"))
    line = [image.pk]
    while (parent := parents.get(line[0])) is not None and parent not in line:
        line.insert(0, parent)
    of_parent = parents.get(image.pk)
    siblings = [pk for pk, parent in parents.items() if parent == of_parent and of_parent and pk != image.pk]
    children = [pk for pk, parent in parents.items() if parent == image.pk]
    near = [*siblings[:MOST_RELATIVES], *children[:MOST_RELATIVES]]
    rows = Image.objects.select_related("method", "variant").in_bulk([*line, *near, *_among(image)])
    critiques, n_controls = _critiques(line)
    return Lineage(
        line=tuple(rows[pk] for pk in line),
        siblings=tuple(rows[pk] for pk in siblings[:MOST_RELATIVES]),
        children=tuple(rows[pk] for pk in children[:MOST_RELATIVES]),
        n_siblings=len(siblings),
        n_children=len(children),
        critiques=critiques,
        led_to=_led_to([rows[pk] for pk in [*line, *near]], critiques),
        scores=scores_of(list(rows)),
        choice=_choice(image, rows),
        n_controls=n_controls,
    )


def _critiques(images: Collection[int]) -> tuple[dict[int, list[Critique]], dict[int, int]]:
    """Critiques of images that their critics saw; and the number of controls, which are not part of a lineage."""
    found: dict[int, list[Critique]] = defaultdict(list)
    n_controls: dict[int, int] = defaultdict(int)
    claims = Prefetch("claims", queryset=Claim.objects.order_by("rank"))
    for critique in Critique.objects.filter(image__in=images).prefetch_related(claims).order_by("pk"):
        if critique.source == Critique.Source.CRITIC:
            found[critique.image_id].append(critique)
        else:
            n_controls[critique.image_id] += 1
    return dict(found), dict(n_controls)


def _led_to(images: Collection[Image], critiques: dict[int, list[Critique]]) -> dict[int, int]:
    """By the run's own record; otherwise by the refined prompt; otherwise the only critique of the parent."""
    recorded = dict(
        StepNeed.objects.filter(
            role="critique", step__kind=Step.Kind.DRAW, step__image__in=images, needed__critique__isnull=False
        ).values_list("step__image", "needed__critique")
    )
    found: dict[int, int] = {}
    for image in images:
        of_parent = critiques.get(image.parent_id or 0, [])
        words = image.variant.text if image.variant else ""
        same = [critique for critique in of_parent if words and critique.refined_prompt == words]
        refining = [critique for critique in of_parent if critique.refined_prompt] or of_parent
        if image.pk in recorded:
            found[image.pk] = recorded[image.pk]
        elif same or len(refining) == 1:
            found[image.pk] = (same or refining)[0].pk
    return found


# --- chosen after looking --------------------------------------------------------------------------------------------
def chosen_by(image: Image) -> str:
    """The metric by which an image was chosen after looking; empty for one that was not."""
    record = _record(image)
    return str(record.get("by") or "?") if record.get("chosen") else ""


def _among(image: Image) -> list[int]:
    among = _record(image).get("among") if chosen_by(image) else None
    return [pk for pk in among if isinstance(pk, int)] if isinstance(among, list) else []


def _choice(image: Image, rows: dict[int, Image]) -> Choice | None:
    """What the image's own record says, with those candidates that are still there."""
    if not (by := chosen_by(image)):
        return None
    record = _record(image)
    values = record.get("values")
    by_image = dict(zip(_among(image), values if isinstance(values, list) else [], strict=False))
    there = tuple((rows[pk], by_image.get(pk)) for pk in _among(image) if pk in rows)
    return Choice(by, len(_among(image)), there, record["chosen"])


def _record(image: Image) -> dict[str, Any]:
    return image.provenance if isinstance(image.provenance, dict) else {}
