"""Background work: a message contains a snapshot's id, and the row says what to do."""

from functools import partial

from celery import shared_task
from django.utils import timezone

from annotations.services import renditions, reports
from annotations.services.benchmarks import ends
from annotations.services.hooks import deliveries
from annotations.services.panels import polling
from annotations.services.planning import close_pairs
from annotations.services.raters import retention
from generation.jobs import Pulse, lease, load_celery_app, send_or_wait

load_celery_app()


@shared_task
def build_report(snapshot_id: int) -> None:
    """Compute one report, unless another worker has it or it has ended: a duplicate message does no harm."""
    snapshot = reports.claim(snapshot_id=snapshot_id)
    if snapshot is not None:
        with Pulse(partial(reports.renew, snapshot=snapshot), lease=lease(), name=f"report-{snapshot.pk}"):
            reports.build_report(snapshot=snapshot)


def send_report(snapshot_id: int) -> None:
    """Have a worker compute a report; if the broker does not answer, its row waits for `resume_reports`."""
    send_or_wait(build_report, snapshot_id, waits=f"report {snapshot_id}")


@shared_task
def resume_reports() -> int:
    """Send reports again whose message was lost or whose worker died; returns how many."""
    abandoned = reports.take_abandoned(now=timezone.now())
    for snapshot_id in abandoned:
        send_report(snapshot_id)
    return len(abandoned)


@shared_task
def tend_studies() -> int:
    """Close studies whose deadline has passed, look at comparisons, note complete studies, send events; returns how
    many events were sent."""
    now = timezone.now()
    ends.close_due(now=now)
    close_pairs.take_looks(now=now)  # before the study's completion is noted, since a look may release further prompts
    ends.note_completed(now=now)
    return deliveries.send_due()


@shared_task
def forget_old_deliveries() -> int:
    """Delete the log of events that were sent long ago; returns how many."""
    return deliveries.forget_old(now=timezone.now())


@shared_task
def poll_panels() -> int:
    """Ask Prolific about the visits of raters who are at work; returns how many had ended."""
    return polling.poll_all(now=timezone.now())


@shared_task
def keep_retention_rules() -> int:
    """Erase data whose retention time is over: identities of raters, and files of deleted studies; returns how many."""
    now = timezone.now()
    return retention.keep_rules(now=now) + retention.remove_files_of_deleted_studies(now=now)


@shared_task
def make_renditions(study_id: int) -> None:
    """Make smaller images of an open study ahead, a few seconds' worth at a time, so that others get a turn."""
    if renditions.make_ahead(study_id=study_id):
        send_or_wait(make_renditions, study_id, waits=f"images of study {study_id}")


@shared_task
def prepare_images() -> int:
    """Have missing smaller images of open studies made; returns in how many studies."""
    studies = renditions.studies_to_prepare()
    for study_id in studies:
        send_or_wait(make_renditions, study_id, waits=f"images of study {study_id}")
    return len(studies)
