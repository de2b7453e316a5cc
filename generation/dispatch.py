"""Makes a row of work and, once it is committed, sends its message to a worker."""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.db.models import QuerySet
from kombu.exceptions import OperationalError

from generation import tasks
from generation.models import Image, ImportRun, Prompt, PromptSet, Run
from generation.models import Reproduction as ReproductionRow
from generation.queries.importers import Importer
from generation.recipes.manifest import Record
from generation.recipes.matrix import Matrix
from generation.recipes.requests import Missing
from generation.services import import_runs, reproduction, reproduction_runs
from generation.services.reproduction import Original, Reproduction
from generation.services.runs import claiming, planning, steering

logger = logging.getLogger(__name__)
QUEUES = ("cpu", "gpu")
WAIT_S = 0.5


def start_import(
    *, importer: Importer, uploads: Mapping[str, File], options: Mapping[str, str], owner: User, dry_run: bool
) -> ImportRun:
    """Keep the files, make the run, and have a worker begin with it."""
    with transaction.atomic():
        run = import_runs.create_run(importer=importer, uploads=uploads, options=options, owner=owner, dry_run=dry_run)
        _send(run)
    return run


def repeat_import(*, run: ImportRun, dry_run: bool) -> ImportRun:
    """A new run of the same files and options."""
    with transaction.atomic():
        again = import_runs.repeat_run(run=run, dry_run=dry_run)
        _send(again)
    return again


def _send(run: ImportRun) -> None:
    def send() -> None:
        try:
            tasks.run_import.delay(run.pk)
        except OperationalError:
            # The row waits, and `resume_imports` sends it as soon as the broker is back.
            logger.exception("The broker does not answer; import %s waits", run.pk)

    transaction.on_commit(send)


def start_run(
    *,
    name: str,
    owner: User | None,
    prompt_set: PromptSet,
    prompts: QuerySet[Prompt] | Collection[int],
    matrix: Matrix,
    priority: int = 0,
    may_reuse: bool = True,
) -> Run:
    """Make a run of a matrix over prompts of one set (rows or ids), and have a worker plan it. Raises BadMatrix."""
    with transaction.atomic():
        run = planning.create_run(
            name=name,
            owner=owner,
            prompt_set=prompt_set,
            prompts=prompts,
            matrix=matrix,
            priority=priority,
            may_reuse=may_reuse,
        )

        def send() -> None:
            try:
                tasks.plan_run.apply_async(args=(run.pk,), retry=False)
            except OperationalError:
                # The row waits, and `resume_runs` sends it as soon as the broker is back.
                logger.exception("The broker does not answer; run %s waits", run.pk)

        transaction.on_commit(send)
    return run


def resume_run(*, run: Run) -> None:
    """Go on with a paused run. Raises steering.NotNow when it is not paused."""
    steering.resume(run=run)
    transaction.on_commit(_remind)


def retry_run(*, run: Run) -> int:
    """Try again what failed; how many steps. Raises steering.NotNow where that cannot be."""
    n = steering.retry_failed(run=run)
    transaction.on_commit(_remind)
    return n


def pause_run(*, run: Run) -> None:
    steering.pause(run=run)


def cancel_run(*, run: Run) -> None:
    steering.cancel(run=run)


def what_is_missing(matrix: Matrix) -> list[Missing]:
    """What the engines of a matrix need and this machine does not have. A worker may stand elsewhere: it checks too."""
    return tasks.missing_for(matrix.as_json())


def _remind() -> None:
    for queue in claiming.ready_queues():
        tasks.hint(queue)


def work_here(*, run: Run, after_each: Callable[[], object] = lambda: None) -> None:
    """Plan a run and do its steps in this process until it ends or pauses: for scripts, and machines without a worker.

    Other workers may take part. Waits where a server asked for it.
    """
    tasks.plan_run(run.pk)
    while True:
        n_done = sum(tasks.advance(queue, hints=False) for queue in QUEUES)
        after_each()
        run.refresh_from_db()
        if run.has_ended or run.state == Run.State.PAUSED:
            return
        if not n_done:
            time.sleep(WAIT_S)
            claiming.reap()
            steering.end_if_done(run_id=run.pk)


def reproduce_here(*, records: Sequence[Record], original: Original, folder: Path) -> Iterator[Reproduction]:
    """Make the images of a manifest again in this process; see `services.reproduction.reproduce`."""
    return reproduction.reproduce(records, engine_for=tasks.engine_for, original=original, folder=folder)


def make_again(*, image: Image, owner: User | None) -> tuple[ReproductionRow, bool]:
    """Have a worker make an image again and compare it; the row, and whether it is new: one at a time for an image."""
    with transaction.atomic():
        row, is_new = reproduction_runs.ask(image=image, owner=owner)
        if is_new:
            transaction.on_commit(lambda: tasks.send_reproduction(row.pk))
    return row, is_new
