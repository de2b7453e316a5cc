"""The researcher's pages of prompts: the sets, the prompts of a set, and one prompt with everything made from it."""

import json
from typing import Any

from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from generation.models import Prompt, PromptVariant, Reference
from generation.queries import prompts as queries
from generation.queries.decompositions import decomposition_of, newest_row
from generation.queries.prompts import PromptFilter
from generation.queries.stored_files import opened
from generation.recipes.decomposition.decomposition import BadDecomposition, Decomposition
from generation.recipes.decomposition.picture import NARROW_ROOM, draw
from generation.recipes.word_changes import changes
from generation.views.rights import may_import, signed_in

SETS_PER_PAGE = 50
PROMPTS_PER_PAGE = 24
IMAGES_PER_PAGE = 120
LONGEST_FACT = 300


@never_cache
@may_import
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every prompt set with its contents."""
    page = Paginator(queries.prompt_sets(), SETS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "generation/prompt_sets.html", {"page": page, "sets": list(page.object_list)})


@never_cache
@may_import
@require_safe
def prompt_set(request: HttpRequest, set_id: int) -> HttpResponse:
    """The prompts of a set, each with a strip of its images."""
    row = get_object_or_404(queries.prompt_sets().select_related("owner"), pk=set_id)
    chosen = PromptFilter(category=request.GET.get("category", ""), text=request.GET.get("q", "").strip())
    page = Paginator(queries.prompts_of(row, chosen), PROMPTS_PER_PAGE).get_page(request.GET.get("page"))
    prompts = list(page.object_list)
    strips = queries.strips(prompts)
    user, editors = signed_in(request), list(row.editors.order_by("username"))
    context = {
        "set": row,
        "page": page,
        "cards": [_card(prompt, strips.get(prompt.pk, [])) for prompt in prompts],
        "chosen": chosen,
        "categories": queries.categories_of(row),
        "editors": editors,
        "is_owner": row.is_owned_by(user),
        "may_add": row.is_owned_by(user) or user in editors,
    }
    return render(request, "generation/prompt_set.html", context)


def _card(prompt: Any, images: list[Any]) -> dict[str, Any]:
    return {"prompt": prompt, "images": images, "n_more": prompt.n_images - len(images)}


@never_cache
@may_import
@require_safe
def prompt(request: HttpRequest, prompt_id: int) -> HttpResponse:
    """One prompt: its words, its parts, its images by method and seed, its other wordings."""
    row = get_object_or_404(Prompt.objects.select_related("prompt_set"), pk=prompt_id)
    page = Paginator(queries.images_of(row), IMAGES_PER_PAGE).get_page(request.GET.get("page"))
    images = list(page.object_list)
    scores = queries.scores_of([image.pk for image in images])
    methods = [
        {"name": name, "pictures": [{"image": image, "scores": scores.get(image.pk, [])} for image in group]}
        for name, group in queries.by_method(images)
    ]
    context = {
        "prompt": row,
        "reference": Reference.objects.filter(prompt=row).first(),
        "facts": _facts(row),
        "parts": _parts(row),
        "page": page,
        "methods": methods,
        "wordings": [
            {"kind": PromptVariant.Kind(kind).label, "variants": [_wording(row, one) for one in variants]}
            for kind, variants in queries.variants_of(row).items()
        ],
    }
    return render(request, "generation/prompt.html", context)


@may_import
@require_safe
@cache_control(private=True, max_age=86_400)
def reference(request: HttpRequest, prompt_id: int) -> HttpResponseBase:
    """The prompt's reference image as raters see it."""
    row = get_object_or_404(Reference, prompt=prompt_id)
    return FileResponse(opened(row.shown), content_type="image/webp", filename="image.webp")


def _facts(prompt: Prompt) -> list[tuple[str, str]]:
    """What is known next to the words, as label and value; the parts have a place of their own."""
    facts = [
        (_("Category"), prompt.category),
        (_("Sub-category"), prompt.sub_category),
        (_("Topic"), prompt.topic),
        (_("Key"), prompt.key),
    ]
    metadata = prompt.metadata if isinstance(prompt.metadata, dict) else {}
    for name, value in metadata.items():
        if name not in ("decomposition", "is_simulated"):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            facts.append((name.replace("_", " "), text[:LONGEST_FACT] + "…" * (len(text) > LONGEST_FACT)))
    return [(label, value) for label, value in facts if value]


def _wording(prompt: Prompt, variant: PromptVariant) -> dict[str, Any]:
    """A refinement shows what it adds; other wordings change too much for a readable comparison."""
    is_refined = variant.kind == PromptVariant.Kind.REFINED
    return {"variant": variant, "pieces": changes(prompt.text, variant.text) if is_refined else []}


def _parts(prompt: Prompt) -> dict[str, Any] | None:
    """The decomposition in use as a drawing for wide pages, one for narrow ones where it differs, and a table."""
    data = decomposition_of(prompt)
    if data is None:
        return None
    source = newest_row(prompt)
    context: dict[str, Any] = {"source": source, "raw": json.dumps(data, ensure_ascii=False, indent=2)}
    try:
        graph = Decomposition.from_json(data)
    except BadDecomposition as problem:
        return {**context, "problem": str(problem)}
    title = _("What the prompt asks for")
    wide, narrow = draw(graph, title=title), draw(graph, title=title, room=NARROW_ROOM)
    # The drawing escapes the texts in it.
    context["wide"] = mark_safe(wide.svg) if wide else ""  # noqa: S308
    context["narrow"] = mark_safe(narrow.svg) if narrow and narrow != wide else ""  # noqa: S308
    asked: dict[str, list[str]] = {}
    for one in graph.asked():
        asked.setdefault(one.about, []).append(one.question)
    context["entities"] = [(one, asked.get(one.id, [])) for one in graph.entities]
    context["relations"] = [(one.id, graph.statement(one), asked.get(one.id, [])) for one in graph.relations]
    return context
