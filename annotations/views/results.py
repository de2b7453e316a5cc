"""A study's results: the answer first, each section a picture, and a download of exactly what is shown."""

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotations import dispatch
from annotations.models import ReportSnapshot, Study
from annotations.queries import reports as queries
from annotations.queries.result_units import linked_methods, study_methods
from annotations.reports.document import FORMAT
from annotations.reports.latex import latex
from annotations.reports.page import page
from annotations.reports.sections import Section, headline, sections
from annotations.reports.tables import TABLES
from annotations.services.reports import DEFAULT_SEED
from annotations.views.downloads import attachment, file_name, json_attachment, streamed
from annotations.views.rights import researcher_of_study, signed_in
from exchange.export import csv_chunks

MOST_COMPARISONS = 12
AT_WORK = (ReportSnapshot.State.WAITING, ReportSnapshot.State.RUNNING)
Pair = tuple[str, str]


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def results(request: HttpRequest, study: Study) -> HttpResponse:
    """The newest results. `?compare=A:B` adds a comparison of two methods; POST works them out once more."""
    methods = study_methods(study)
    linked = linked_methods(study)
    chosen = [pair for text in request.GET.getlist("compare") if (pair := _pair(text, methods)) and pair not in linked]
    comparisons = list(dict.fromkeys([*linked, *chosen]))[:MOST_COMPARISONS]
    if added := _pair(f"{request.GET.get('baseline', '')}:{request.GET.get('refined', '')}", methods):
        pairs = dict.fromkeys([*chosen, added])
        query = urlencode({"compare": [":".join(pair) for pair in pairs]}, doseq=True)
        return redirect(f"{reverse('study-results', args=[study.token])}?{query}")
    if request.method == "POST":
        dispatch.find_report(study=study, comparisons=comparisons, user=signed_in(request), again=True)
        return redirect(request.get_full_path())
    found = dispatch.find_report(study=study, comparisons=comparisons, user=signed_in(request))
    snapshot = found.snapshot
    shown = snapshot if snapshot.state == ReportSnapshot.State.DONE else queries.last_finished(study, DEFAULT_SEED)
    document = shown.results if shown is not None else None
    context = {
        "study": study,
        "tab": "results",
        "snapshot": snapshot,
        "shown": shown,
        "is_at_work": snapshot.state in AT_WORK,
        "is_current": found.is_current,
        "document": document,
        "dimensions": [_dimension(study, shown, one) for one in document["dimensions"]] if shown and document else [],
        "tables": list(TABLES),
        "methods": methods,
        "can_compare_more": len(methods) > 2 or (len(methods) == 2 and not comparisons),
        "chosen": [f"{baseline}:{refined}" for baseline, refined in chosen],
    }
    return render(request, "annotations/results.html", context)


def _pair(text: str, methods: list[str]) -> Pair | None:
    """Two different method names with a colon between them; names may have colons themselves."""
    for at, character in enumerate(text):
        if character == ":" and text[:at] in methods and text[at + 1 :] in methods and text[:at] != text[at + 1 :]:
            return text[:at], text[at + 1 :]
    return None


def _dimension(study: Study, snapshot: ReportSnapshot, dimension: Mapping[str, Any]) -> dict[str, Any]:
    document = snapshot.results or {}
    alone = {**document, "dimensions": [dimension]}
    return {
        "name": dimension["name"],
        "question": dimension["question"] or dimension["name"],
        "headline": headline(dimension, gettext),
        "sections": [_section(study, snapshot, dimension, section) for section in sections(alone, gettext)],
        "disputed": [
            {**one, "bars": list(zip(_level_names(dimension), one["counts"], strict=True))}
            for one in document.get("disputed", {}).get(dimension["name"], [])
        ],
        "is_ordinal": dimension["is_ordinal"],
    }


def _level_names(dimension: Mapping[str, Any]) -> list[str]:
    values = [f"{value:g}" for value in dimension["values"]]
    if not dimension["is_ordinal"]:
        return dimension["labels"] or values
    return values


def _section(
    study: Study, snapshot: ReportSnapshot, dimension: Mapping[str, Any], section: Section
) -> dict[str, str | SafeString]:
    address = ""
    if section.table:
        place = reverse("study-results-table", args=[study.token, snapshot.pk, section.table])
        query = {"dimension": dimension["name"]}
        if section.table == "comparisons":
            query["comparison"] = section.name.rpartition("-")[2]
        address = f"{place}?{urlencode(query)}"
    # `sections` escapes every text that it did not write itself.
    return {"name": section.name, "title": section.title, "html": mark_safe(section.html), "csv": address}  # noqa: S308


@never_cache
@researcher_of_study
@require_safe
def state(request: HttpRequest, study: Study, snapshot_id: int) -> HttpResponse:
    """How far a report is, for the page that waits for it; when it has ended, the page is to load itself anew."""
    snapshot = get_object_or_404(study.snapshots.defer("results"), pk=snapshot_id)
    if snapshot.state not in AT_WORK:
        return HttpResponse(headers={"HX-Refresh": "true"})
    shown = study.snapshots.filter(state=ReportSnapshot.State.DONE).exists()
    context = {"study": study, "snapshot": snapshot, "is_at_work": True, "shown": shown}
    return render(request, "annotations/_results_status.html", context)


@never_cache
@researcher_of_study
@require_safe
def table(request: HttpRequest, study: Study, snapshot_id: int, name: str) -> HttpResponseBase:
    """One table of a snapshot as CSV: all of it, or `?dimension=` (and `?comparison=` by number) of it."""
    document = _finished(study, snapshot_id).results or {}
    if name not in TABLES:
        raise Http404
    if dimension := request.GET.get("dimension", ""):
        document = _narrowed(document, dimension, request.GET.get("comparison", ""))
    columns, rows = TABLES[name]
    return streamed(csv_chunks(columns, rows(document)), file_name(study, f"{name}.csv", dimension), "text/csv")


def _narrowed(document: Mapping[str, Any], dimension: str, comparison: str) -> dict[str, Any]:
    kept = [one for one in document["dimensions"] if one["name"] == dimension]
    if comparison.isdecimal():
        number = int(comparison[:6]) - 1
        kept = [
            {**one, "comparisons": [each for i, each in enumerate(one["comparisons"]) if i == number]} for one in kept
        ]
    return {**document, "dimensions": kept}


@never_cache
@researcher_of_study
@require_safe
def report_file(request: HttpRequest, study: Study, snapshot_id: int, ending: str) -> HttpResponseBase:
    """The whole snapshot as one file: html (stands alone), json, or tex."""
    if ending not in ("html", "json", "tex"):
        raise Http404
    document = _finished(study, snapshot_id).results or {}
    name = file_name(study, f"report.{ending}")
    if ending == "html":
        return attachment(page(document), name, "text/html")
    if ending == "tex":
        return attachment(latex(document), name, "application/x-tex")
    return json_attachment(document, name)


def _finished(study: Study, snapshot_id: int) -> ReportSnapshot:
    done = study.snapshots.filter(state=ReportSnapshot.State.DONE, results__format=FORMAT)
    return get_object_or_404(done, pk=snapshot_id)
