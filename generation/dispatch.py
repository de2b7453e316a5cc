"""Makes a row of work and, once it is committed, sends its message to a worker."""

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.db.models import QuerySet

from generation import availability, tasks
from generation.models import Image, ImportRun, Prompt, PromptSet, Run
from generation.models import Reproduction as ReproductionRow
from generation.queries.importers import Importer
from generation.recipes.matrix.manifest import Record
from generation.recipes.matrix.matrix import Matrix
from generation.services import reproduction, reproduction_runs
from generation.services.imports import import_runs
from generation.services.reproduction import Original, Reproduction
from generation.services.runs import claiming, planning, steering

QUEUES = ("cpu", "gpu")
WAIT_S = 0.5


def start_import(
    *, importer: Importer, uploads: Mapping[str, File], options: Mapping[str, str], owner: User, dry_run: bool
) -> ImportRun:
    """Store the files, create the run, and send it to a worker."""
    with transaction.atomic():
        run = import_runs.create_run(importer=importer, uploads=uploads, options=options, owner=owner, dry_run=dry_run)
        _send(run)
    return run


def start_imports(
    *,
    importer: Importer,
    uploads: Sequence[Mapping[str, File]],
    options: Mapping[str, str],
    owner: User,
    dry_run: bool,
) -> list[ImportRun]:
    """An import for each of several files that were uploaded together, in their order."""
    group = uuid.uuid4().hex if len(uploads) > 1 else ""
    with transaction.atomic():
        runs = [
            import_runs.create_run(
                importer=importer, uploads=files, options=options, owner=owner, dry_run=dry_run, group=group
            )
            for files in uploads
        ]
        for run in runs:
            _send(run)
    return runs


def repeat_imports(*, runs: Sequence[ImportRun]) -> list[ImportRun]:
    """A real import of the same files and options, after dry runs of files that were uploaded together."""
    group = uuid.uuid4().hex
    with transaction.atomic():
        again = [import_runs.repeat_run(run=run, dry_run=False, group=group) for run in runs]
        for run in again:
            _send(run)
    return again


def repeat_import(*, run: ImportRun, dry_run: bool, mapping: str | None = None) -> ImportRun:
    """A new run of the same files and options, optionally with another mapping of the main file."""
    with transaction.atomic():
        # Read in another way, it replaces the wrongly read dry run among those uploaded together.
        group = import_runs.leave_group(run=run) if mapping is not None else ""
        again = import_runs.repeat_run(run=run, dry_run=dry_run, mapping=mapping, group=group)
        _send(again)
    return again


def _send(run: ImportRun) -> None:
    transaction.on_commit(lambda: tasks.send_import(run.pk))


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
    availability.check_engines(matrix)
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
        transaction.on_commit(lambda: tasks.send_planning(run.pk))
    return run


def resume_run(*, run: Run) -> None:
    """Resume a paused run. Raises steering.NotNow if it is not paused."""
    steering.resume(run=run)
    transaction.on_commit(_remind)


def retry_run(*, run: Run) -> int:
    """Retry failed steps; returns how many. Raises steering.NotNow if the run's state does not allow it."""
    n = steering.retry_failed(run=run)
    transaction.on_commit(_remind)
    return n


def _remind() -> None:
    for queue in claiming.ready_queues():
        tasks.hint(queue)


def work_here(*, run: Run, after_each: Callable[[], object] = lambda: None) -> None:
    """Plan a run and do its steps in this process until it ends or pauses: for scripts, and machines without a worker.

    Other workers may take part. Waits if a server asked for it.
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
    return reproduction.reproduce(records, engine_for=availability.engine_for, original=original, folder=folder)


def make_again(*, image: Image, owner: User | None) -> tuple[ReproductionRow, bool]:
    """Have a worker make an image again and compare it, one at a time; returns the row, and whether it is new."""
    with transaction.atomic():
        row, is_new = reproduction_runs.ask(image=image, owner=owner)
        if is_new:
            transaction.on_commit(lambda: tasks.send_reproduction(row.pk))
    return row, is_new
