"""Background work: a message carries a row's id, and the row says what is to be done."""

from celery import shared_task
from django.utils import timezone

from generation.services import import_runs


@shared_task
def run_import(run_id: int) -> None:
    """Carry out one import, unless another worker has it or it has ended: a message that comes twice does no harm."""
    run = import_runs.claim(run_id=run_id)
    if run is not None:
        import_runs.carry_out(run=run)


@shared_task
def resume_imports() -> int:
    """Send imports on their way again whose message was lost or whose worker died; how many."""
    abandoned = import_runs.take_abandoned(now=timezone.now())
    for run_id in abandoned:
        run_import.delay(run_id)
    return len(abandoned)
