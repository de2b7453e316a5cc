"""The work that happens in Celery workers: imports, and the steps of runs. Messages are hints, rows are the truth."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from celery import shared_task
from django.db import DatabaseError
from django.utils import timezone

from generation import availability
from generation.jobs import Pulse, lease, load_celery_app, send_or_wait
from generation.models import Run
from generation.recipes.matrix.matrix import Matrix
from generation.services import reproduction_runs
from generation.services.disk import is_full
from generation.services.imports import import_runs, upload_retention
from generation.services.runs import claiming, planning, steering, work

logger = logging.getLogger(__name__)
load_celery_app()


@shared_task
def run_import(run_id: int) -> None:
    """Carry out one import, unless another worker has it, it has ended, or its owner has another one at work.

    A message that comes twice does no harm. The owner's next one is sent on its way at the end.
    """
    run = import_runs.claim(run_id=run_id)
    if run is None:
        return
    try:
        with Pulse(partial(import_runs.renew, run=run), lease=import_runs.lease(), name=f"import-{run.pk}"):
            import_runs.carry_out(run=run)
    finally:
        following = import_runs.next_of(run.owner)
        if following is not None:
            send_import(following)


def send_import(run_id: int) -> None:
    """Send an import to a worker; if the broker does not answer, its row waits for `resume_imports`."""
    send_or_wait(run_import, run_id, waits=f"import {run_id}")


@shared_task
def resume_imports() -> int:
    """Send imports on their way again whose message was lost or whose worker died; how many."""
    abandoned = import_runs.take_abandoned(now=timezone.now())
    for run_id in abandoned:
        send_import(run_id)
    return len(abandoned)


@shared_task
def remove_unused_uploads() -> int:
    """Remove files of imports that nobody will repeat; returns how many."""
    return upload_retention.remove_unused(now=timezone.now()).n_files


@shared_task
def plan_run(run_id: int) -> None:
    """Make a run's steps and have workers begin, unless another worker is at it or it was cancelled."""
    run = planning.claim_planning(run_id)
    if run is None:
        return
    with _full_disk_named():
        planning.plan_run(run=run)
        steering.end_if_done(run_id=run_id)
    for queue in claiming.ready_queues():
        hint(queue)


def send_planning(run_id: int) -> None:
    """Have a worker plan a run; where the broker does not answer, its row waits for `resume_runs`."""
    send_or_wait(plan_run, run_id, waits=f"run {run_id}")


@shared_task
def advance(queue: str, *, hints: bool = True) -> int:
    """Do the next steps on a queue; returns how many. If there are none left, nothing happens.

    hints  whether to tell workers that there is more

    One message per queue keeps all its workers busy: a worker that begins a step wakes the next one if there is more.
    """
    with _full_disk_named():
        claim = claiming.claim(queue=queue)
        return 0 if claim is None else _carry_out(claim, queue, hints=hints)


def _carry_out(claim: claiming.Claim, queue: str, *, hints: bool) -> int:
    is_hinted = hints and queue in claiming.ready_queues() and hint(queue)
    try:
        renew = partial(claiming.renew, token=claim.token)
        with Pulse(renew, lease=lease(), name=claim.token[:6]) as pulse:
            if has_what_it_needs(claim.run_id, queue):
                work.carry_out(
                    claim=claim,
                    engine_for=availability.engine_for,
                    on_step=pulse.on_step,
                    make_room=availability.make_room,
                )
            else:
                claiming.give_back(token=claim.token)
    finally:
        # Whatever is left is nobody's: without this it would wait for its lease to end.
        claiming.give_back(token=claim.token)
        steering.end_if_done(run_id=claim.run_id)
        for other in claiming.ready_queues() if hints else []:
            is_known = is_hinted if other == queue else claiming.somebody_is_at_work(other)
            if not is_known:
                hint(other)
    return len(claim.steps)


@contextmanager
def _full_disk_named() -> Iterator[None]:
    """Log that the database has no space. The run cannot be paused then: it continues once its lease ends."""
    try:
        yield
    except DatabaseError as error:
        if is_full(error):
            logger.error("There is no room left on the database's disk. Free space; runs then go on by themselves.")
        raise


@shared_task
def resume_runs() -> int:
    """Free what dead workers held, and remind workers of what can be done while nobody is at it; how many reminders."""
    n_freed = claiming.reap()
    for run_id in planning.waiting_for_planner():
        send_planning(run_id)
    for run_id in claiming.running_runs():
        steering.end_if_done(run_id=run_id)
    queues = [queue for queue in claiming.ready_queues() if n_freed or not claiming.somebody_is_at_work(queue)]
    for reproduction_id in reproduction_runs.take_abandoned(now=timezone.now()):
        send_reproduction(reproduction_id)
    # So that a worker that is busy elsewhere does not come back to a heap of reminders.
    return sum(hint(queue, expires_s=lease().total_seconds()) for queue in queues)


@shared_task
def reproduce_image(reproduction_id: int) -> None:
    """Make one image again and record how near it came, unless another worker has it or it has ended."""
    reproduction = reproduction_runs.claim(reproduction_id=reproduction_id)
    if reproduction is not None:
        reproduction_runs.carry_out(reproduction=reproduction, engine_for=availability.engine_for)


def send_reproduction(reproduction_id: int) -> None:
    """Tell a worker that draws to make an image again. When the broker does not answer, `resume_runs` tries later."""
    if not send_or_wait(reproduce_image, reproduction_id, waits=f"reproduction {reproduction_id}", queue="gpu"):
        reproduction_runs.was_not_sent(reproduction_id=reproduction_id)


def hint(queue: str, *, expires_s: float | None = None) -> bool:
    """Tell a worker of a queue that there is something to do; False when the broker does not answer."""
    options: dict[str, Any] = {} if expires_s is None else {"expires": expires_s}
    return send_or_wait(advance, queue, waits=f"what is ready on {queue}", queue=queue, **options)


def has_what_it_needs(run_id: int, queue: str) -> bool:
    """Whether this worker has what a run needs on a queue. If not, the run is paused and says what would bring it."""
    if (run_id, queue) in _complete:
        return True
    run = Run.objects.get(pk=run_id)
    missing = availability.missing_for(Matrix.from_json(run.matrix), queue)
    if not missing:
        _complete.add((run_id, queue))
        return True
    try:
        steering.pause(
            run=run,
            message=" ".join(part.what for part in missing),
            cure="\n".join(dict.fromkeys(part.cure for part in missing)),
        )
    except steering.NotNow:
        logger.info("Run %s is no longer running", run_id)
    return False


# Runs and queues that were checked in this process: what a machine has does not change while a worker lives.
_complete: set[tuple[int, str]] = set()
