"""Everything that was answered, as files in a stream."""

import tempfile

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotations.models import Study
from annotations.queries.audit_exports import audit_counts
from annotations.queries.exports import counts
from annotations.services import exports as services
from annotations.views.downloads import attachment, file_name, streamed
from annotations.views.rights import researcher_of_study

FORMATS = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
}


@never_cache
@researcher_of_study
@require_safe
def index(request: HttpRequest, study: Study) -> HttpResponse:
    """What there is to download, with the number of rows."""
    n = counts(study) | audit_counts(study)
    words = {
        "answers": _("The current answer of every rater to every question, one a row: start here."),
        "answers-all-revisions": _("The same with every earlier answer that a rater changed."),
        "late-answers": _("Came after others had answered the item in full: kept, counted nowhere."),
        "verdicts": _("What auditors say of the critic's claims, with all revisions."),
        "missed-errors": _("What auditors found wrong in the images, in their own words."),
        "repair-judgements": _("What auditors say refinement did to each claimed error."),
        "element-checks": _("Which parts of the prompt auditors found in the images."),
    }
    tables = [{"name": name, "words": words[name], "n": n[name]} for name in services.TABLES]
    context = {
        "study": study,
        "tab": "exports",
        "tables": tables,
        "formats": list(FORMATS),
        "scales": [f"{one.name}={','.join(level['value'] for level in one.levels)}" for one in study.dimensions.all()],
    }
    return render(request, "annotations/exports.html", context)


@never_cache
@researcher_of_study
@require_safe
def table(request: HttpRequest, study: Study, name: str, ending: str) -> HttpResponseBase:
    """One table as CSV, JSON lines (both as they are read) or Parquet (whole, by way of the disk)."""
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
def dictionary(request: HttpRequest, study: Study) -> HttpResponse:
    """What every column means."""
    return attachment(services.dictionary(study), file_name(study, "data-dictionary.md"), "text/markdown")


@never_cache
@researcher_of_study
@require_safe
def everything(request: HttpRequest, study: Study) -> HttpResponseBase:
    """All tables, the set-up, the dictionary and the files for `analyze`, in one zip."""
    file = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (the response closes it)
    services.write_zip(study=study, target=file)
    file.seek(0)
    return FileResponse(
        file, as_attachment=True, filename=file_name(study, "study.zip"), content_type="application/zip"
    )
