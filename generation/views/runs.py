"""The researcher's runs: the list, one run with its pictures as they arrive, its failures, and its controls."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from exchange.export import csv_chunks
from generation import dispatch
from generation.models import Run, Step
from generation.queries.runs import grid as run_grid
from generation.queries.runs import overview as queries
from generation.queries.runs import plans as run_plans
from generation.recipes.matrix.matrix import Matrix
from generation.services.disk import is_short_of_room
from generation.services.runs import steering
from generation.services.runs.steering import NotNow
from generation.views.durations import in_words
from generation.views.rights import may_import, signed_in

RUNS_PER_PAGE = 20
PROMPTS_PER_PAGE = 10
SEEDS_AT_ONCE = 4
FAILURES_PER_PAGE = 50
# Methods side by side in one row; more of them go on in the next.
MOST_COLUMNS = 6


@never_cache
@may_import
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Everybody's runs: prompts and images are shared below the studies."""
    page = Paginator(queries.runs(), RUNS_PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {"page": page, "runs": list(page.object_list)}
    if not context["runs"]:
        context["has_prompts"] = run_plans.prompt_sets_with_counts().exists()
    return render(request, "generation/runs/runs.html", context)


@never_cache
@may_import
@require_safe
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """A run's progress and pictures. A request by script gets only the changing part."""
    row = _run(run_id)
    matrix = row.plan
    prompts = Paginator(row.prompts.order_by("pk"), PROMPTS_PER_PAGE).get_page(request.GET.get("page"))
    seeds = Paginator(matrix.seeds, SEEDS_AT_ONCE).get_page(request.GET.get("seeds"))
    progress = queries.progress(row, timezone.now())
    costs = queries.costs(row)
    context = {
        "run": row,
        "matrix": matrix,
        "page": prompts,
        "seeds": seeds,
        "progress": progress,
        "costs": costs,
        "dollars": sum(cost.dollars or 0 for cost in costs),
        "n_calls": sum(cost.n_calls for cost in costs),
        "n_unpriced": sum(cost.n_unpriced for cost in costs),
        "reasons": queries.reasons(row) if progress.n_failed else [],
        "grid": run_grid.grid(row, matrix, list(prompts.object_list), list(seeds.object_list)),
        "columns": min(len(matrix.methods), MOST_COLUMNS),
        "may_steer": _may_steer(request, row),
        "sentence": _sentence(row, progress),
        "is_short_of_room": not row.has_ended and is_short_of_room(),
        "patience": queries.patience(row, timezone.now()),
        "time_left": in_words(progress.seconds_left),
        "duration": in_words((row.ended_at - row.started_at).total_seconds())
        if row.ended_at and row.started_at
        else "",
        "address": request.get_full_path(),
    }
    if "HX-Request" in request.headers:
        return render(request, "generation/runs/_live.html", context)
    return render(request, "generation/runs/run.html", context | {"settings": _described(matrix)})


@never_cache
@may_import
@require_safe
def failures(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Every step that failed: what, why, the cure, and how often it was tried. `?as=csv` gives them as a table."""
    row = _run(run_id)
    rows = queries.failures(row)
    if request.GET.get("as") == "csv":
        return _csv(row, rows)
    page = Paginator(rows, FAILURES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"run": row, "page": page, "steps": list(page.object_list)}
    return render(request, "generation/runs/failures.html", context | {"may_steer": _may_steer(request, row)})


@may_import
@require_POST
def pause(request: HttpRequest, run_id: int) -> HttpResponse:
    return _steered(
        request, run_id, steering.pause, _("Paused. Steps in progress are finished and saved; no new ones start.")
    )


@may_import
@require_POST
def resume(request: HttpRequest, run_id: int) -> HttpResponse:
    return _steered(request, run_id, dispatch.resume_run, _("Resumed."))


@may_import
@require_POST
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    return _steered(request, run_id, steering.cancel, _("Cancelled. Everything made before is kept."))


@may_import
@require_POST
def retry(request: HttpRequest, run_id: int) -> HttpResponse:
    def again(*, run: Run) -> str:
        n = dispatch.retry_run(run=run)
        return ngettext("%(n)s step will be retried.", "%(n)s steps will be retried.", n) % {"n": n}

    return _steered(request, run_id, again, "")


def _steered(request: HttpRequest, run_id: int, act: Callable[..., Any], said: str) -> HttpResponse:
    """Do it, say so, and return to the run; if it cannot be done now, say why."""
    row = _run(run_id)
    if not _may_steer(request, row):
        raise PermissionDenied
    try:
        result = act(run=row)
    except NotNow as problem:
        messages.warning(request, str(problem))
    else:
        messages.success(request, said or str(result))
    return redirect("run", row.pk)


def _may_steer(request: HttpRequest, row: Run) -> bool:
    return queries.may_steer(signed_in(request), row)


def _run(run_id: int) -> Run:
    return get_object_or_404(Run.objects.select_related("owner", "prompt_set"), pk=run_id)


def _csv(row: Run, failed: QuerySet[Step]) -> StreamingHttpResponse:
    names = ("step", "kind", "prompt_key", "prompt", "method", "seed", "round", "message", "cure", "tries")
    cells = (
        (
            *(step.position, step.kind, step.prompt.key, step.prompt.text, str(step.method or "")),
            *(step.seed, step.round, step.message, step.cure, step.n_tries),
        )
        for step in failed.iterator()
    )
    name = f'attachment; filename="run-{row.pk}-failures.csv"'
    headers = {"Content-Disposition": name}
    return StreamingHttpResponse(csv_chunks(names, cells), content_type="text/csv; charset=utf-8", headers=headers)


def _sentence(row: Run, progress: queries.Progress) -> str:
    """The run in one sentence, next to its state."""
    if row.state == Run.State.PLANNING:
        return _("Its steps are being planned.")
    done, n = f"{progress.n_done:,}", f"{progress.n:,}"
    said = _("%(done)s of %(n)s steps are done.") % {"done": done, "n": n}
    if progress.n_failed:
        failed = ngettext("%(f)s step failed.", "%(f)s steps failed.", progress.n_failed)
        said += " " + failed % {"f": f"{progress.n_failed:,}"}
    if row.state == Run.State.RUNNING and not progress.n_running and progress.n_done < progress.n:
        return said + " " + _("The run is waiting for a worker.")
    if row.state == Run.State.RUNNING and (left := in_words(progress.seconds_left)):
        return said + " " + _("About %(left)s left.") % {"left": left}
    return said


def _described(matrix: Matrix) -> list[tuple[str, str]]:
    """What a run was given, as (label, value)."""
    drawing = matrix.drawing
    rows = [
        (_("Seeds"), ", ".join(map(str, matrix.seeds[:8])) + (" …" if len(matrix.seeds) > 8 else "")),
        (_("Steps"), str(drawing.n_steps)),
        (_("Guidance"), f"{drawing.guidance:g}"),
        (_("Size"), f"{drawing.width} × {drawing.height}"),
    ]
    roles = {"image": _("Drawn by"), "language": _("Decomposed and rewritten by"), "critic": _("Criticised by")}
    for role, spec in matrix.engines.items():
        model = spec.options.get("model") or spec.options.get("answerer", {}).get("engine", "")
        revision = str(spec.options.get("revision", ""))[:8]
        rows.append((roles.get(role, role), " ".join(filter(None, (spec.engine, str(model), revision)))))
    if matrix.metrics:
        rows.append((_("Metrics"), ", ".join(matrix.metrics)))
    return rows
