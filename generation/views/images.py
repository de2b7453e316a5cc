"""An image's page with its lineage, and its picture as people see it."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from generation.models import Image
from generation.views.rights import may_import


@may_import
@require_safe
@cache_control(private=True, max_age=31_536_000, immutable=True)
def shown(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """The rendition that people see: pixels alone, in WebP. It never changes, so browsers may keep it."""
    image = get_object_or_404(Image, pk=image_id)
    if not image.shown:
        raise Http404
    return FileResponse(image.shown.open("rb"), content_type="image/webp", filename="image.webp")
