"""Who did what in a study, for its owner."""

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotations.models import Study
from annotations.queries import studies as queries
from annotations.views.downloads import file_name, streamed
from annotations.views.rights import researcher_of_study, signed_in
from exchange.export import csv_chunks
from generation.queries.activity import COLUMNS, rows

LINES_PER_PAGE = 50


@never_cache
@researcher_of_study
@require_safe
def index(request: HttpRequest, study: Study) -> HttpResponse:
    """The record, the newest entry first."""
    _refuse_others(request, study)
    page = Paginator(queries.activity_of(study), LINES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"study": study, "tab": "activity", "page": page, "lines": list(page.object_list)}
    return render(request, "annotations/study/activity.html", context)


@never_cache
@researcher_of_study
@require_safe
def as_csv(request: HttpRequest, study: Study) -> HttpResponseBase:
    """The whole record as CSV, the oldest entry first."""
    _refuse_others(request, study)
    chunks = csv_chunks(COLUMNS, rows(queries.activity_of(study)))
    return streamed(chunks, file_name(study, "activity.csv"), "text/csv")


def _refuse_others(request: HttpRequest, study: Study) -> None:
    if not queries.may_read_activity(signed_in(request), study):
        raise PermissionDenied
