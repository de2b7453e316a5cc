"""The critic on trial, for researchers: the report, its tables, and the ledger of claims."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotations.models import RepairJudgement, Study, Verdict
from annotations.queries.audits import ledger as queries
from annotations.queries.audits.ledger import LEDGER, OPEN, SETTLED, SOURCES, UNJUDGED, LedgerFilter
from annotations.reports.critic.notices import critic_notices
from annotations.reports.critic.sections import critic_headlines, critic_sections
from annotations.reports.critic.tables import CRITIC_TABLES
from annotations.reports.documents.conversion import to_text
from annotations.reports.page import page as report_page
from annotations.reports.paper.lead import without_lead
from annotations.reports.paper.manuscript import manuscript
from annotations.reports.rendering import blocks_html
from annotations.reports.view import Block, Section
from annotations.services.critic_reports import find_critic_report
from annotations.stats.critic.audit import PartlyCounts
from annotations.views.downloads import attachment, file_name, streamed
from annotations.views.paper import FILES, bytes_attachment
from annotations.views.rights import researcher_of_study
from exchange.export import csv_chunks, json_line_chunks

CLAIMS_PER_PAGE = 40
TYPESET = ("pdf", "docx")
PARTLY: tuple[PartlyCounts, ...] = get_args(PartlyCounts)
DEFAULT_PARTLY: PartlyCounts = "half"


@never_cache
@researcher_of_study
@require_safe
def critic(request: HttpRequest, study: Study) -> HttpResponse:
    """The answer first, then what it is compared with. `?partly=` says how a partly right claim counts."""
    partly = _partly(request)
    document = find_critic_report(study=study, partly=partly)
    picture, sections = without_lead(critic_sections(document)) if document else (None, [])
    context = {
        "study": study,
        "tab": "critic",
        "document": document,
        "made_at": datetime.fromisoformat(document.made.at) if document else None,
        "notices": critic_notices(document) if document else [],
        "headlines": critic_headlines(document) if document else [],
        "picture": _blocks([picture]) if picture else "",
        "sections": [_section(study, one, partly) for one in sections],
        "partly": partly,
        "conventions": [("right", gettext("right")), ("half", gettext("half")), ("wrong", gettext("wrong"))],
        "tables": [name for name, (_columns, rows) in CRITIC_TABLES.items() if any(True for _ in rows(document))]
        if document
        else [],
    }
    return render(request, "annotations/results/critic.html", context)


def _partly(request: HttpRequest) -> PartlyCounts:
    asked = request.GET.get("partly", "")
    return next((one for one in PARTLY if one == asked), DEFAULT_PARTLY)


def _section(study: Study, section: Section, partly: PartlyCounts) -> dict[str, Any]:
    query = {"partly": partly} | ({"facet": section.facet} if section.facet else {})
    address = f"{reverse('study-critic-table', args=[study.token, section.table])}?{urlencode(query)}"
    return {"id": section.id, "title": section.title, "html": _blocks(section.blocks), "csv": address}


def _blocks(blocks: Sequence[Block]) -> SafeString:
    # The template of the blocks escapes every text.
    return mark_safe(blocks_html(blocks))  # noqa: S308


@never_cache
@researcher_of_study
@require_safe
def table(request: HttpRequest, study: Study, name: str) -> HttpResponseBase:
    """One table as CSV; of the first table only `?facet=`, if given, where "overall" is everything without a group."""
    document = find_critic_report(study=study, partly=_partly(request))
    if name not in CRITIC_TABLES or document is None:
        raise Http404
    columns, rows = CRITIC_TABLES[name]
    chosen, facet = rows(document), request.GET.get("facet", "")
    if facet and "facet" in columns:
        place = columns.index("facet")
        chosen = (row for row in chosen if row[place] == facet)
    return streamed(csv_chunks(columns, chosen), file_name(study, f"{name}.csv", facet), "text/csv")


@never_cache
@researcher_of_study
@require_safe
def report_file(request: HttpRequest, study: Study, ending: str) -> HttpResponseBase:
    """The whole report as one file: html (self-contained), pdf, docx or json."""
    document = find_critic_report(study=study, partly=_partly(request))
    if ending not in ("html", "json", *TYPESET) or document is None:
        raise Http404
    name = file_name(study, f"critic.{ending}")
    if ending in TYPESET:
        kind, made = FILES[f"report.{ending}"]
        return bytes_attachment(made(manuscript(document)), name, kind)
    if ending == "html":
        return attachment(report_page(document), name, "text/html")
    return attachment(to_text(document), name, "application/json")


@never_cache
@researcher_of_study
@require_safe
def claims(request: HttpRequest, study: Study) -> HttpResponse:
    """The ledger: each claim with its image, the verdicts on it, and what happened to its error."""
    chosen = _filter(request)
    page = Paginator(queries.ledger(study, chosen), CLAIMS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "study": study,
        "tab": "critic",
        "page": page,
        "claims": [_entry(claim) for claim in queries.entries(study, list(page.object_list))],
        "chosen": chosen,
        "critics": queries.critics_in_ledger(study),
        "kinds": queries.kinds_in_ledger(study),
        "sources": SOURCES,
        "settled": [(value, settled_words(value)) for value in SETTLED],
        "has_repairs": queries.has_repairs(study),
        "query": request.GET.urlencode(),
    }
    return render(request, "annotations/results/critic_claims.html", context)


def _filter(request: HttpRequest) -> LedgerFilter:
    """The filter from the address; unknown values are ignored rather than an error."""
    source, settled = request.GET.get("source", ""), request.GET.get("settled", "")
    return LedgerFilter(
        critic=request.GET.get("critic", ""),
        source=source if source in dict(SOURCES) else "",
        settled=settled if settled in SETTLED else "",
        kind=request.GET.get("kind", ""),
        text=request.GET.get("q", "").strip(),
    )


def _entry(claim: Any) -> dict[str, Any]:
    outcome = queries.repaired([row.outcome for row in claim.counted_repairs])
    return {
        "claim": claim,
        "image": claim.critique.image,
        "source_words": {"wrong_image": gettext("wrong image"), "planted": gettext("planted")}.get(
            claim.critique.source, ""
        ),
        "settled": claim.settled,
        "settled_words": settled_words(claim.settled),
        "verdicts": claim.counted_verdicts,
        "group": claim.own_groups[0] if claim.own_groups else None,
        "outcome": outcome,
        "outcome_words": gettext("tied") if outcome == OPEN else dict(RepairJudgement.Outcome.choices).get(outcome, ""),
    }


def settled_words(value: str) -> str:
    """The result of the auditors' verdicts on a claim, in words."""
    words = {OPEN: gettext("open: auditors are tied"), UNJUDGED: gettext("not judged yet")}
    return str(words.get(value) or dict(Verdict.Value.choices)[value])


@never_cache
@researcher_of_study
@require_safe
def claims_file(request: HttpRequest, study: Study, ending: str) -> HttpResponseBase:
    """The ledger, all of it or as filtered, as CSV or JSON lines, as a stream."""
    if ending not in ("csv", "jsonl"):
        raise Http404
    names, rows = [column.name for column in LEDGER], queries.ledger_rows(study, _filter(request))
    if ending == "csv":
        return streamed(csv_chunks(names, rows), file_name(study, "claims.csv"), "text/csv")
    return streamed(json_line_chunks(names, rows), file_name(study, "claims.jsonl"), "application/jsonl")
