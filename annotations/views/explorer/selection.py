"""A selection from the wall: as a figure for a paper, as a list, or as the draft of a new study."""

import io
import zipfile
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotations.models import ReportSnapshot, Study
from annotations.queries.explorer.cards import Card, cards, units_of_prompts
from annotations.queries.explorer.figure import MOST_SELECTED, WORDS, FigureOptions, figure_of
from annotations.queries.explorer.wall import Measure, Wall, explored_report, wall_of
from annotations.reports.explorer.grid import LAYOUTS, ONE_COLUMN, TWO_COLUMNS, grid_pdf, grid_png, grid_tex
from annotations.services.explorer.studies import study_of_items
from annotations.services.raters.text_images import copy_text_images
from annotations.views.downloads import file_name, streamed
from annotations.views.explorer.asked import asked_filter, asked_units
from annotations.views.explorer.wall import unit_of
from annotations.views.rights import researcher_of_study, signed_in
from annotations.views.studies.design import warn_of_lost
from exchange.export import csv_chunks
from generation.queries.stored_files import without_file

MOST_COLUMNS = 8
TYPES = {"pdf": "application/pdf", "png": "image/png", "zip": "application/zip"}
COLUMNS = ("image", "item", "prompt", "category", "method", "mean", "n", "metric", "score", "gap", "change", "mean_of")
WORD_NAMES = {"prompt": _("prompt"), "method": _("method"), "metric": _("metric score")}
MEAN_OF: dict[Measure, str] = {
    "rating": "rating",
    "rank": "rank (1 is best)",
    "choice": "place (1 best, 2 neither, 3 worst)",
}
"""What `mean` in the list is the mean of."""
MEAN_NAMES: dict[Measure, Promise] = {
    "rating": _("mean rating"),
    "rank": _("mean rank (1 is best)"),
    "choice": _("mean place (1 best, 3 worst)"),
}
LAYOUT_NAMES = {"grid": _("one after another"), "methods": _("a row for each prompt, a column for each method")}


class Chosen(NamedTuple):
    """A selection, with the wall from which its figures come."""

    snapshot: ReportSnapshot
    wall: Wall
    cards: list[Card]


@never_cache
@researcher_of_study
@require_safe
def selection(request: HttpRequest, study: Study) -> HttpResponse:
    """The selection, a preview of its figure, and its other uses."""
    chosen = _chosen(request, study)
    options = _options(request)
    mean_name = MEAN_NAMES[chosen.wall.measure if chosen else "rating"]
    context: dict[str, Any] = {
        "study": study,
        "tab": "explorer",
        "cards": chosen.cards if chosen else [],
        "unit": unit_of(study, chosen.wall) if chosen else "image",
        "metric": chosen.wall.chosen.metric if chosen else "",
        "options": options,
        "layouts": [(layout, LAYOUT_NAMES[layout]) for layout in LAYOUTS],
        "words": [(word, WORD_NAMES.get(word, mean_name)) for word in WORDS],
        "columns": range(1, MOST_COLUMNS + 1),
        "is_wide": options.width > ONE_COLUMN,
        "query": request.GET.urlencode(),
        "question": request.GET.get("question", ""),
        "most_selected": MOST_SELECTED,
        "missing": without_file([image for card in chosen.cards for image in card.images]) if chosen else [],
    }
    return render(request, "annotations/explorer/selection.html", context)


@never_cache
@researcher_of_study
@require_safe
def figure(request: HttpRequest, study: Study, ending: str) -> HttpResponseBase:
    """The figure as PDF, as PNG at 300 dots per inch, or as LaTeX with its images in a zip; `?inline` to show it."""
    chosen = _chosen(request, study)
    if ending not in TYPES or chosen is None or not chosen.cards:
        raise Http404
    made_at = (chosen.snapshot.ended_at or chosen.snapshot.created_at).isoformat(timespec="seconds")
    options = _options(request)
    shown = chosen.cards
    if options.layout == "methods":
        # Next to each chosen image come those of the same prompt by the other methods, as in papers.
        prompts = {card.item.prompt_id for card in shown}
        beside = [row for unit in units_of_prompts(study, prompts) if (row := chosen.wall.row_of(*unit)) is not None]
        shown = [*shown, *cards(study, chosen.wall, beside)]
    grid = figure_of(shown, options, wall=chosen.wall, made_at=made_at)
    if ending == "zip":
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for name, part in grid_tex(grid):
                archive.writestr(name, part)
        content = target.getvalue()
    else:
        content = grid_pdf(grid) if ending == "pdf" else grid_png(grid)
    response = HttpResponse(content, content_type=TYPES[ending])
    if "inline" not in request.GET:
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name(study, f"examples.{ending}")}"'
    return response


@never_cache
@researcher_of_study
@require_safe
def as_list(request: HttpRequest, study: Study) -> HttpResponseBase:
    """The selection as CSV, with the report's figures of each unit."""
    chosen = _chosen(request, study)
    if chosen is None:
        raise Http404
    metric = chosen.wall.chosen.metric
    rows = (
        (
            ", ".join(image.key or f"image-{image.pk}" for image in card.images),
            card.item.key,
            card.item.prompt.text,
            card.item.prompt.category,
            ", ".join(image.method.name for image in card.images),
            card.mean,
            card.n,
            metric,
            card.score,
            card.gap,
            card.change,
            MEAN_OF[chosen.wall.measure],
        )
        for card in chosen.cards
    )
    return streamed(csv_chunks(COLUMNS, rows), file_name(study, "selection.csv"), "text/csv")


@researcher_of_study
@require_POST
def draft(request: HttpRequest, study: Study) -> HttpResponse:
    """A draft of a new study that asks the same questions about the chosen items."""
    user = signed_in(request)
    if not user.has_perm("annotations.add_study"):
        raise PermissionDenied
    units = asked_units(request.POST.getlist("unit"), MOST_SELECTED)
    try:
        made = study_of_items(study=study, item_ids=[item for item, _image in units], owner=user)
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
        return redirect("study-explore", study.token)
    warn_of_lost(request, copy_text_images(source=study, target=made))
    messages.success(request, _("A draft with the chosen images. Check it, then open it."))
    return redirect(made)


def _chosen(request: HttpRequest, study: Study) -> Chosen | None:
    """The selection; None while there is no report to take figures from. Units that are not in the report are left
    out."""
    snapshot = explored_report(study)
    wall = wall_of(snapshot, asked_filter(request)) if snapshot is not None else None
    if snapshot is None or wall is None:
        return None
    units = asked_units(request.GET.getlist("unit"), MOST_SELECTED)
    rows = [row for unit in units if (row := wall.row_of(*unit)) is not None]
    return Chosen(snapshot, wall, cards(study, wall, rows))


def _options(request: HttpRequest) -> FigureOptions:
    columns = request.GET.get("columns", "")
    words = tuple(word for word in WORDS if word in request.GET.getlist("word"))
    layout = request.GET.get("layout", "")
    return FigureOptions(
        layout="methods" if layout == "methods" else "grid",
        n_columns=int(columns) if columns.isdecimal() and 1 <= int(columns[:3]) <= MOST_COLUMNS else 4,
        words=words if "layout" in request.GET else FigureOptions.words,
        width=ONE_COLUMN if request.GET.get("width") == "one" else TWO_COLUMNS,
        title=" ".join(request.GET.get("title", "").split())[:500],
    )
