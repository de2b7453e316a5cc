"""What made a run's images, as a file."""

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generation.models import Run
from generation.recipes import manifest
from generation.services.manifests import ids_of_run, records
from generation.views.rights import may_import


@never_cache
@may_import
@require_safe
def of_run(request: HttpRequest, run_id: int) -> StreamingHttpResponse:
    """A run's manifest, from which `manage.py reproduce` makes its images again, here or elsewhere."""
    run = get_object_or_404(Run, pk=run_id)
    lines = manifest.lines(records(ids_of_run(run.pk)))
    name = f"run-{run.pk}-manifest.jsonl"
    return StreamingHttpResponse(
        lines,
        content_type="application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
