"""The record of who did what on the whole site, for administrators."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from exchange.export import csv_chunks
from generation.queries import activity as queries
from generation.views.rights import administrators_only

LINES_PER_PAGE = 100


@never_cache
@administrators_only
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The record, the newest line first."""
    page = Paginator(queries.everything(), LINES_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "generation/activity.html", {"page": page, "lines": list(page.object_list)})


@never_cache
@administrators_only
@require_safe
def as_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The whole record as CSV, the oldest line first."""
    chunks = csv_chunks(queries.COLUMNS, queries.rows(queries.everything()))
    response = StreamingHttpResponse((chunk.encode() for chunk in chunks), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="activity.csv"'
    return response
