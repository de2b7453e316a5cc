"""A study's results: the answer first, each section a picture, and a download of exactly what is shown."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotations import dispatch
from annotations.models import ReportSnapshot, Study
from annotations.queries import reports as queries
from annotations.queries.live.kept import LARGE, is_large
from annotations.queries.studies import has_answers_of_excluded_alone
from annotations.reports.anchors import anchors
from annotations.reports.documents.conversion import to_text
from annotations.reports.documents.study import ReportedQuestion, StudyDocument
from annotations.reports.numbers import scale_value
from annotations.reports.page import page
from annotations.reports.paper.lead import with_lead
from annotations.reports.paper.limits import limits
from annotations.reports.paper.markdown import plain
from annotations.reports.paper.methods import methods as methods_section
from annotations.reports.paper.registered import registration_lines
from annotations.reports.paper.summary import summary
from annotations.reports.rendering import Links, blocks_html
from annotations.reports.study.analysis import pair_named
from annotations.reports.study.counted import counted_headline, counted_sections
from annotations.reports.study.latex import latex
from annotations.reports.study.sections.notices import notices
from annotations.reports.study.sections.report import headline, sections
from annotations.reports.study.sections.viewing import TITLE, viewing_headline, viewing_sections
from annotations.reports.study.tables import TABLES
from annotations.reports.view import Block, Section
from annotations.services.reports import DEFAULT_SEED, MOST_COMPARISONS
from annotations.views.downloads import attachment, file_name, streamed
from annotations.views.paper import figure_links, finished
from annotations.views.rights import researcher_of_study, signed_in
from exchange.export import csv_chunks

AT_WORK = (ReportSnapshot.State.WAITING, ReportSnapshot.State.RUNNING)


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def results(request: HttpRequest, study: Study, *, large: int = LARGE) -> HttpResponse:
    """The newest results. `?compare=A:B` adds a comparison of two methods; POST computes them again.

    For a study with more than `large` answers the page shows the latest results before anything is counted, and
    requests newer ones with `?count`.
    """
    if request.method != "POST" and not request.GET and not queries.is_counted(study) and is_large(study, large=large):
        return _before_counting(request, study)
    methods, linked = queries.methods_of(study)
    chosen = [
        pair for text in request.GET.getlist("compare") if (pair := pair_named(text, methods)) and pair not in linked
    ]
    comparisons = list(dict.fromkeys([*linked, *chosen]))[:MOST_COMPARISONS]
    if added := pair_named(f"{request.GET.get('baseline', '')}:{request.GET.get('refined', '')}", methods):
        pairs = dict.fromkeys([*chosen, added])
        query = urlencode({"compare": [":".join(pair) for pair in pairs]}, doseq=True)
        return redirect(f"{reverse('study-results', args=[study.token])}?{query}")
    if request.method == "POST":
        dispatch.find_report(study=study, comparisons=comparisons, user=signed_in(request), again=True)
        return redirect(request.get_full_path())
    found = dispatch.find_report(study=study, comparisons=comparisons, user=signed_in(request))
    snapshot = found.snapshot
    if request.headers.get("HX-Request"):
        return _news(request, study, found)
    shown = snapshot if snapshot.state == ReportSnapshot.State.DONE else queries.last_finished(study, DEFAULT_SEED)
    context = {
        "snapshot": snapshot,
        "is_at_work": snapshot.state in AT_WORK,
        "is_current": found.is_current,
        "methods": methods,
        "chosen": [f"{baseline}:{refined}" for baseline, refined in chosen],
    }
    return _page(request, study, shown, context)


def _before_counting(request: HttpRequest, study: Study) -> HttpResponse:
    """The latest results unchanged, and a request for newer ones unless they are already being computed."""
    snapshot, shown = queries.report_at_work(study), queries.last_finished(study, DEFAULT_SEED)
    context: dict[str, Any] = {"snapshot": snapshot, "is_at_work": snapshot is not None, "is_current": True}
    return _page(request, study, shown, context | {"chosen": [], "is_counting": snapshot is None})


def _news(request: HttpRequest, study: Study, found: dispatch.Found) -> HttpResponse:
    """The state of the results, for a page with results (`?shown=`) or without. The page reloads if there are others
    now."""
    is_done = found.snapshot.state == ReportSnapshot.State.DONE
    shown = request.GET.get("shown", "")
    if is_done and shown != str(found.snapshot.pk):
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {
        "study": study,
        "snapshot": found.snapshot,
        "shown": found.snapshot if is_done else shown,
        "is_at_work": found.snapshot.state in AT_WORK,
        "is_current": found.is_current,
    }
    return render(request, "annotations/results/_status.html", context)


def _can_compare_more(methods: Sequence[str], document: StudyDocument | None) -> bool:
    is_compared = document is not None and any(question.comparisons for question in document.dimensions)
    return len(methods) > 2 or (len(methods) == 2 and not is_compared)


def _page(request: HttpRequest, study: Study, shown: ReportSnapshot | None, context: dict[str, Any]) -> HttpResponse:
    """The results of a snapshot, or why there are none. A context without methods gets those of the results."""
    document = queries.readable(shown) if shown is not None else None
    shown = shown if document else None
    if document and "methods" not in context:
        context |= {"methods": document.single_methods}
    context |= {"can_compare_more": _can_compare_more(context.get("methods", ()), document)}
    said = summary(document) if document else []
    questions = _questions(study, shown, document) if shown and document else []
    found = {
        "study": study,
        "tab": "results",
        "shown": shown,
        "document": document,
        "notices": notices(document) if document else [],
        "summary": said,
        "methods_section": [plain(text) for text in methods_section(document)] if document else [],
        "limits": limits(document) if document else [],
        "registration": registration_lines(document) if document else [],
        "answers": [(one, question["picture"]) for one, question in zip(said, questions, strict=False)],
        "questions": questions,
        "tables": list(TABLES),
    }
    if not questions:
        found["are_all_excluded"] = has_answers_of_excluded_alone(study)
    return render(request, "annotations/results/page.html", found | context)


def _questions(study: Study, snapshot: ReportSnapshot, document: StudyDocument) -> list[dict[str, Any]]:
    """Each question with its sections."""
    found = sections(document)
    anchor = anchors([dimension.name for dimension in document.dimensions])
    links = figure_links(study, snapshot, found)
    further = [
        (part.question or part.name, counted_headline(part), counted_sections(part, f"counted-{number}"))
        for number, part in enumerate(document.counted, start=1)
    ]
    if document.viewing:
        further.append((TITLE, viewing_headline(document), viewing_sections(document)))
    leads = {
        dimension.name: with_lead(dimension, [one for one in found if one.question == dimension.name])
        for dimension in document.dimensions
    }
    return [
        {
            "name": dimension.name,
            "anchor": anchor[dimension.name],
            "question": dimension.asked,
            "headline": headline(dimension, document),
            "picture": _blocks([picture], links) if (picture := leads[dimension.name][0]) else "",
            "sections": [_section(study, snapshot, section, links) for section in leads[dimension.name][1]],
            "disputed": [
                vars(one) | {"bars": list(zip(_level_names(dimension), one.counts, strict=True))}
                for one in document.disputed.get(dimension.name, ())
            ],
            "is_ordinal": dimension.is_ordinal,
        }
        for dimension in document.dimensions
    ] + [
        {
            "name": title,
            "anchor": f"further-{number}",
            "question": title,
            "headline": said,
            "sections": [_section(study, snapshot, section, links) for section in its_sections],
        }
        for number, (title, said, its_sections) in enumerate(further, start=1)
    ]


def _level_names(dimension: ReportedQuestion) -> list[str]:
    if not dimension.is_ordinal:
        return dimension.level_names
    return [scale_value(value) for value in dimension.values]


def _blocks(blocks: Sequence[Block], links: Links) -> SafeString:
    # The template of the blocks escapes every text.
    return mark_safe(blocks_html(blocks, links))  # noqa: S308


def _section(study: Study, snapshot: ReportSnapshot, section: Section, links: Links) -> dict[str, str | SafeString]:
    place = reverse("study-results-table", args=[study.token, snapshot.pk, section.table])
    query = {"dimension": section.question} | ({"comparison": section.comparison} if section.comparison else {})
    html = _blocks(section.blocks, links)
    return {"id": section.id, "title": section.title, "html": html, "csv": f"{place}?{urlencode(query)}"}


@never_cache
@researcher_of_study
@require_safe
def state(request: HttpRequest, study: Study, snapshot_id: int) -> HttpResponse:
    """The progress of a report, for the page that waits for it; when it has ended, the page should reload."""
    snapshot = get_object_or_404(study.snapshots.defer("results"), pk=snapshot_id)
    if snapshot.state not in AT_WORK:
        return HttpResponse(headers={"HX-Refresh": "true"})
    shown = study.snapshots.filter(state=ReportSnapshot.State.DONE).exists()
    context = {"study": study, "snapshot": snapshot, "is_at_work": True, "shown": shown}
    return render(request, "annotations/results/_status.html", context)


@never_cache
@researcher_of_study
@require_safe
def table(request: HttpRequest, study: Study, snapshot_id: int, name: str) -> HttpResponseBase:
    """One table of a snapshot as CSV: all of it, or `?dimension=` (and `?comparison=` by number) of it."""
    document = finished(study, snapshot_id)
    if name not in TABLES:
        raise Http404
    if dimension := request.GET.get("dimension", ""):
        document = _narrowed(document, dimension, request.GET.get("comparison", ""))
    columns, rows = TABLES[name]
    return streamed(csv_chunks(columns, rows(document)), file_name(study, f"{name}.csv", dimension), "text/csv")


def _narrowed(document: StudyDocument, dimension: str, comparison: str) -> StudyDocument:
    kept = [one for one in document.dimensions if one.name == dimension]
    if comparison.isdecimal():
        number = int(comparison[:6])
        kept = [replace(one, comparisons=one.comparisons[number - 1 : number] if number else ()) for one in kept]
    counts = tuple(part for part in document.counted if part.name == dimension)
    return replace(document, dimensions=tuple(kept), counted=counts)


@never_cache
@researcher_of_study
@require_safe
def report_file(request: HttpRequest, study: Study, snapshot_id: int, ending: str) -> HttpResponseBase:
    """The whole snapshot as one file: html (self-contained), json, or tex; `?short` gives tables for one column."""
    if ending not in ("html", "json", "tex"):
        raise Http404
    document = finished(study, snapshot_id)
    name = file_name(study, f"report.{ending}")
    if ending == "html":
        return attachment(page(document), name, "text/html")
    if ending == "tex":
        is_short = "short" in request.GET
        name = file_name(study, "report-short.tex" if is_short else "report.tex")
        return attachment(latex(document, is_short=is_short), name, "application/x-tex")
    return attachment(to_text(document), name, "application/json")
