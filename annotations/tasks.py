"""Background work: a message carries a snapshot's id, and the row says what is to be done."""

from celery import shared_task
from django.utils import timezone

from annotations.services import reports


@shared_task
def build_report(snapshot_id: int) -> None:
    """Work out one report, unless another worker has it or it has ended: a message that comes twice does no harm."""
    snapshot = reports.claim(snapshot_id=snapshot_id)
    if snapshot is not None:
        reports.build_report(snapshot=snapshot)


@shared_task
def resume_reports() -> int:
    """Send reports on their way again whose message was lost; how many."""
    lost = reports.lost_messages(now=timezone.now())
    for snapshot_id in lost:
        build_report.delay(snapshot_id)
    return len(lost)
