"""The images that a run gave, and which of them were requested."""

from typing import Any

from django.db.models import QuerySet

from generation.models import Method, Run, Step


def images_of_run(run_id: int) -> QuerySet[Step, Any]:
    """The row ids of a run's images, for `pk__in`: also those that only led to others."""
    made = Step.objects.filter(run=run_id, kind__in=[Step.Kind.DRAW, Step.Kind.CHOOSE], image__isnull=False)
    return made.order_by().values("image")


def asked_methods(run: Run) -> list[Method]:
    """The methods that the run's matrix names and that gave an image, without those that only led to theirs."""
    asked = run.matrix["methods"]
    used = Method.objects.filter(steps__run=run, steps__image__isnull=False).distinct()
    return [method for method in used if method.parameters.get("method") in asked]
