"""All answers as files, as a stream."""

import tempfile

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotations.models import Study
from annotations.queries.audits.exports import audit_counts
from annotations.queries.exports import counts
from annotations.queries.live.kept import LARGE, is_large
from annotations.queries.planning.looks import look_counts
from annotations.queries.preferences import counts as preference_counts
from annotations.queries.raters.consensus import counts as consensus_counts
from annotations.queries.structured.parts import counts as part_counts
from annotations.services import exports as services
from annotations.services.exports import NothingToRelease
from annotations.services.formats.registry import FORMATS as OTHER_FORMATS
from annotations.services.formats.registry import Format
from annotations.services.release import MOST_RATINGS_AT_ONCE, is_quickly_released
from annotations.views.downloads import attachment, file_name, streamed
from annotations.views.rights import researcher_of_study

PREFERENCES = {"votes": "--votes", "rankings": "--rankings", "best-worst": "--rankings"}
"""By table: the option of `analyze` that reads it."""
FORMATS = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}


@never_cache
@researcher_of_study
@require_safe
def index(request: HttpRequest, study: Study, *, large: int = LARGE) -> HttpResponse:
    """The list of downloads, with their numbers of rows; for more than `large` answers only whether there are any."""
    is_counted = not is_large(study, large=large)
    n: dict[str, int | None] = {**audit_counts(study), **look_counts(study)}
    for counted in (counts, preference_counts, part_counts, consensus_counts):
        n |= counted(study, is_counted=is_counted)
    words = {
        "answers": _("The current answer of every rater to every question, one per row: start here."),
        "answers-all-revisions": _("The same, with the earlier answers that raters changed."),
        "votes": _("Which of two images was chosen, by method."),
        "rankings": _("The place of each image in each ranking."),
        "best-worst": _("The best and the worst image of every card."),
        "parts": _("Each word, each question of a decomposition, and each place on an image, one per row."),
        "consensus": _("What most raters say about each item, further raters included, and whether it may change."),
        "looks": _("Each look at the comparison of two methods: its difference, bound and decision."),
        "late-answers": _("Answers that arrived after the item was complete: kept, but not counted."),
        "checks": _("Answers to hidden repeats, gold items and attention checks; no figure counts them."),
        "raters": _("Who rates, how much they answered, and who is excluded from the results and why."),
        "verdicts": _("Auditors’ verdicts on the critic's claims, with all revisions."),
        "missed-errors": _("What auditors found wrong in the images, in their own words."),
        "repair-judgements": _("Auditors’ judgements of what refinement did to each claimed error."),
        "element-checks": _("Which parts of the prompt auditors found in the images."),
    }
    tables = [
        {"name": name, "words": words[name], "n": n[name], "option": PREFERENCES.get(name, "")}
        for name in services.TABLES
    ]
    context = {
        "study": study,
        "tab": "exports",
        "tables": tables,
        "can_release": is_counted and 0 < (n["answers"] or 0) <= MOST_RATINGS_AT_ONCE,
        "is_counted": is_counted,
        "formats": list(FORMATS),
        "other_formats": list(OTHER_FORMATS.values()),
        "format_names": ", ".join(OTHER_FORMATS),
        "preferences": [table for table in tables if table["name"] in PREFERENCES and table["n"] != 0],
        "api_address": request.build_absolute_uri(reverse("api-study-results", args=[study.token])),
        "has_excluded": study.raters.filter(excluded_at__isnull=False).exists(),
    }
    return render(request, "annotations/study/exports.html", context)


@never_cache
@researcher_of_study
@require_safe
def table(request: HttpRequest, study: Study, name: str, ending: str) -> HttpResponseBase:
    """One table as CSV, JSON lines (both streamed) or Parquet (written to disk first)."""
    found = services.TABLES.get(name)
    if found is None or ending not in FORMATS:
        raise Http404
    return export_response(study, found, ending)


def export_response(study: Study, table: services.Table, ending: str) -> HttpResponseBase:
    """The file; `ending` is one of FORMATS."""
    download = file_name(study, f"{table.name}.{ending}")
    if ending == "csv":
        return streamed(table.csv(study), download, FORMATS[ending])
    if ending == "jsonl":
        return streamed(table.json_lines(study), download, FORMATS[ending])
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (the response closes it)
    table.parquet(study, file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=download, content_type=FORMATS[ending])


@never_cache
@researcher_of_study
@require_safe
def other_format(request: HttpRequest, study: Study, name: str) -> HttpResponseBase:
    """The study in another program's format; a large study is written by the command."""
    found = OTHER_FORMATS.get(name)
    if found is None:
        raise Http404
    if not is_quickly_released(study):
        return HttpResponse(
            _("This study is large. Export it with the command manage.py export_study --as."), status=409
        )
    return format_response(study, found)


def format_response(study: Study, found: Format) -> FileResponse:
    """The file, written to disk first. Raises Http404 if there is nothing to write."""
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (the response closes it)
    try:
        found.write(study, file)
    except NothingToRelease as problem:
        file.close()
        raise Http404(str(problem)) from None
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=file_name(study, found.file), content_type=found.media_type)


@never_cache
@researcher_of_study
@require_safe
def dictionary(request: HttpRequest, study: Study) -> HttpResponse:
    """What every column means."""
    return attachment(services.dictionary(study), file_name(study, "data-dictionary.md"), "text/markdown")


@never_cache
@researcher_of_study
@require_safe
def everything(request: HttpRequest, study: Study) -> HttpResponseBase:
    """All tables, the set-up, the dictionary and the files for `analyze`, in one zip."""
    return zip_response(study)


def zip_response(study: Study) -> HttpResponseBase:
    """The zip, written to disk first."""
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (the response closes it)
    services.write_zip(study=study, target=file)
    file.seek(0)
    return FileResponse(
        file, as_attachment=True, filename=file_name(study, "study.zip"), content_type="application/zip"
    )
