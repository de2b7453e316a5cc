"""A study's items as a gallery, and image files for people with a right to them."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from annotations.kinds.registry import kind_of
from annotations.models import Dimension, Item, Study
from annotations.queries import items as queries
from annotations.queries.items import Histogram, ItemFilter
from annotations.queries.studies import may_see_image
from annotations.views.rights import researcher_of_study, signed_in
from generation.models import Image
from generation.queries.stored_files import opened

ITEMS_PER_PAGE = 24
BAR_WIDTH, BAR_GAP, BAR_HEIGHT, UNABLE_GAP = 20, 4, 40, 12
CONTENT_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}


@never_cache
@researcher_of_study
@require_safe
def gallery(request: HttpRequest, study: Study) -> HttpResponse:
    """Every item: its picture first, then the histogram of its ratings."""
    dimensions = list(study.dimensions.all())
    names = {dimension.name: dimension for dimension in dimensions}
    dimension = names.get(request.GET.get("dimension", ""), dimensions[0] if dimensions else None)
    chosen = _filter(request)
    page = Paginator(queries.gallery(study, chosen, dimension), ITEMS_PER_PAGE).get_page(request.GET.get("page"))
    items = list(page.object_list)
    by_key = queries.histograms(items, dimension) if dimension else {}
    context = {
        "study": study,
        "tab": "items",
        "page": page,
        "cards": [_card(item, dimension, by_key) for item in items],
        "chosen": chosen,
        "dimension": dimension,
        "dimensions": dimensions,
        "methods": list(queries.methods_of(study)),
        "categories": queries.categories_of(study),
        "can_sort": dimension is not None and queries.can_sort(study, dimension),
    }
    return render(request, "annotations/study/items.html", context)


@login_required
@require_safe
@cache_control(private=True, max_age=86_400, immutable=True)
def image_file(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """The original file, for people with a right to it. It never changes, so browsers may keep it for a day."""
    image = get_object_or_404(Image, pk=image_id)
    if not may_see_image(signed_in(request), image_id):
        raise PermissionDenied
    if not image.file or image.format not in CONTENT_TYPES:
        raise Http404
    # The import determined the type from the bytes; it is one of a few that cannot contain scripts;
    # X-Content-Type-Options is set.
    return FileResponse(opened(image.file), content_type=CONTENT_TYPES[image.format])


def _filter(request: HttpRequest) -> ItemFilter:
    """The filter from the address; unreadable values are ignored."""
    method = request.GET.get("method", "")
    return ItemFilter(
        method=int(method) if method.isdecimal() and len(method) < 18 else None,
        category=request.GET.get("category", ""),
        progress=request.GET.get("progress", ""),
        text=request.GET.get("q", "").strip(),
        sort=request.GET.get("sort", queries.BY_POSITION),
    )


def _card(item: Item, dimension: Dimension | None, by_key: dict[tuple[int, int | None], Histogram]) -> dict[str, Any]:
    pictures = [
        {"image": row.image, "chart": _chart(by_key.get((item.pk, row.image_id)), dimension)}
        for row in item.item_images.all()
    ]
    return {"item": item, "pictures": pictures, "chart": _chart(by_key.get((item.pk, None)), dimension)}


def _chart(histogram: Histogram | None, dimension: Dimension | None) -> dict[str, Any] | None:
    """A histogram as numbers for an SVG: one bar per level; the bar for "unable" is separate and hollow."""
    if histogram is None or dimension is None:
        return None
    most = max(*histogram.counts, histogram.n_unable, 1)
    bars = []
    for code, ((value, label), count) in enumerate(
        zip(kind_of(dimension).bars(dimension), histogram.counts, strict=True)
    ):
        bars.append(_bar(code * (BAR_WIDTH + BAR_GAP), value, label, count, most))
    width = len(bars) * (BAR_WIDTH + BAR_GAP) - BAR_GAP
    unable = None
    if dimension.allows_unable:
        unable = _bar(width + UNABLE_GAP, "?", "", histogram.n_unable, most)
        width += UNABLE_GAP + BAR_WIDTH
    return {"n": histogram.n, "n_unable": histogram.n_unable, "bars": bars, "unable": unable, "width": width}


def _bar(x: int, value: str, label: str, count: int, most: int) -> dict[str, Any]:
    height = round(BAR_HEIGHT * count / most)
    return {
        "x": x,
        "middle": x + BAR_WIDTH // 2,
        "top": 12 + BAR_HEIGHT - height,
        "height": height,
        "value": value,
        "label": label,
        "count": count,
    }
