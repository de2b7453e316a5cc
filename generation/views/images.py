"""An image's page with its lineage, and its picture as people see it."""

from dataclasses import dataclass
from typing import Any

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from generation.models import Claim, Critique, Image, MetricScore
from generation.queries.decompositions import decompositions_at
from generation.queries.lineage import Lineage, chosen_by, lineage_of
from generation.queries.stored_files import opened
from generation.recipes.decomposition.decomposition import BadDecomposition, Decomposition
from generation.recipes.word_changes import Piece, changes
from generation.services.thumbnails import small_picture
from generation.views.image_facts import facts_of, is_made_here, raw_record
from generation.views.rights import may_import


@never_cache
@may_import
@require_safe
def image(request: HttpRequest, image_id: int) -> HttpResponse:
    """One image: next to the one it was made from, its lineage, and how to make it again."""
    row = get_object_or_404(Image.objects.select_related("prompt__prompt_set", "method", "variant"), pk=image_id)
    lineage = lineage_of(row)
    other = _compared(request, row, lineage)
    run = row.steps.select_related("run").order_by("pk").first()
    words = row.variant.text if row.variant else ""
    context = {
        "image": row,
        "prompt": row.prompt,
        "other": other,
        "other_is_parent": other is not None and other.pk == row.parent_id,
        "words": changes(row.prompt.text, words) if words and words != row.prompt.text else [],
        "choice": lineage.choice,
        "stages": _stages(row, lineage),
        "siblings": lineage.siblings,
        "n_siblings": lineage.n_siblings,
        "children": lineage.children,
        "n_children": lineage.n_children,
        "scores": _scores(lineage, row, other),
        "facts": facts_of(row),
        "raw": raw_record(row),
        "run": run.run if run else None,
        "command": f"reproduce --image {row.pk}" if run or is_made_here(row) else "",
    }
    return render(request, "generation/image.html", context)


@may_import
@require_safe
@cache_control(private=True, max_age=86_400, immutable=True)
def shown(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """The rendition that people see: pixels alone, in WebP. It never changes; browsers may keep it for a day."""
    return FileResponse(opened(_held(image_id).shown), content_type="image/webp", filename="image.webp")


@may_import
@require_safe
@cache_control(private=True, max_age=86_400, immutable=True)
def small(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """The same, small, for pages that show many."""
    return HttpResponse(small_picture(_held(image_id)), content_type="image/webp")


def _held(image_id: int) -> Image:
    image = get_object_or_404(Image, pk=image_id)
    if not image.shown:
        raise Http404
    return image


# --- side by side ----------------------------------------------------------------------------------------------------
def _compared(request: HttpRequest, image: Image, lineage: Lineage) -> Image | None:
    """The relative that the address names, otherwise the parent; None if there is no picture of either."""
    wanted = request.GET.get("with", "")
    near = {str(one.pk): one for one in (*lineage.line[:-1], *lineage.siblings, *lineage.children)}
    other = near.get(wanted) or near.get(str(image.parent_id))
    return other if other is not None and other.shown and image.shown else None


@dataclass(frozen=True)
class ScoreRow:
    """One metric's score here and of the image next to it. is_chooser: the image was chosen by this metric."""

    score: MetricScore
    other: float | None
    difference: float | None
    is_chooser: bool


def _scores(lineage: Lineage, image: Image, other: Image | None) -> list[ScoreRow]:
    others = lineage.scores.get(other.pk, []) if other else []
    there = {(score.metric, score.version): score.value for score in others}
    by = lineage.choice.by if lineage.choice else ""
    rows = []
    for score in lineage.scores.get(image.pk, []):
        value = there.get((score.metric, score.version))
        rows.append(
            ScoreRow(score, value, None if value is None else score.value - value, bool(by) and score.metric == by)
        )
    return rows


# --- the line --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class ClaimView:
    claim: Claim
    kind: str
    about: str


@dataclass(frozen=True)
class CritiqueView:
    """A critique with its refined prompt in pieces. led_on: the next image of the line was drawn with it."""

    critique: Critique
    claims: list[ClaimView]
    pieces: list[Piece]
    led_on: bool


def _stages(image: Image, lineage: Lineage) -> list[dict[str, Any]]:
    """Every image from the first drawing to this one, each with what critics said of it."""
    names = _Names(image, [one for said in lineage.critiques.values() for one in said])
    following = {before.pk: after for before, after in zip(lineage.line, lineage.line[1:], strict=False)}
    stages = []
    for one in lineage.line:
        after = following.get(one.pk)
        used = lineage.led_to.get(after.pk) if after else None
        said = [
            CritiqueView(
                critique,
                [
                    ClaimView(claim, claim.kind.replace("_", " "), names.of(critique, claim))
                    for claim in critique.claims.all()
                ],
                changes(image.prompt.text, critique.refined_prompt) if critique.refined_prompt else [],
                critique.pk == used,
            )
            for critique in lineage.critiques.get(one.pk, [])
        ]
        stages.append(
            {
                "image": one,
                "is_this": one.pk == image.pk,
                "title": _("Round %(n)s") % {"n": one.round} if one.round else _("First drawing"),
                "chosen_by": chosen_by(one),
                "scores": lineage.scores.get(one.pk, []),
                # What led on first; other critics' words stay within reach.
                "critiques": sorted(said, key=lambda view: not view.led_on),
                "n_controls": lineage.n_controls.get(one.pk, 0),
            }
        )
    return stages


class _Names:
    """What the ids in claims mean, by the decomposition that was in use when the critique was made."""

    def __init__(self, image: Image, critiques: list[Critique]) -> None:
        graphs = decompositions_at(image.prompt, {critique.created_at for critique in critiques})
        self._names = {moment: _names_in(data) for moment, data in graphs.items()}

    def of(self, critique: Critique, claim: Claim) -> str:
        return self._names.get(critique.created_at, {}).get(claim.about, claim.about)


def _names_in(data: dict[str, Any]) -> dict[str, str]:
    try:
        graph = Decomposition.from_json(data)
    except BadDecomposition:
        return {}
    relations = {relation.id: graph.statement(relation) for relation in graph.relations}
    return {entity.id: entity.text for entity in graph.entities} | relations
