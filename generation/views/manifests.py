"""How a run's images were made, as a file."""

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generation.models import Run
from generation.services.manifests import manifest_of
from generation.views.rights import may_import


@never_cache
@may_import
@require_safe
def of_run(request: HttpRequest, run_id: int) -> StreamingHttpResponse:
    """A run's manifest, from which `manage.py reproduce` makes its images again, here or elsewhere."""
    return manifest_of(get_object_or_404(Run, pk=run_id))
