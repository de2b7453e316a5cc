"""Imports that run in a worker: a row is made, claimed, carried out with a lease, and ended."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from exchange.tables import BadFile
from generation.models import ImportRun
from generation.queries.importers import Counts, Importer, Source
from generation.services.importers import RowCountingLog, importers, run_importer

# A batch takes seconds; a worker that has not been heard of for this long is dead.
LEASE = timedelta(minutes=5)
REJECTS_KEPT = 50


class Cancelled(Exception):
    """Somebody asked to end this import."""


class LeaseLost(Exception):
    """Another worker has taken this import over: this one must write nothing more."""


def create_run(
    *,
    importer: Importer,
    uploads: Mapping[str, File],
    options: Mapping[str, str],
    owner: User,
    dry_run: bool,
) -> ImportRun:
    """Keep the uploaded files and make the row that a worker will claim. Options are checked already."""
    main = importer.files[0].name
    kept = {
        role: {"name": Path(file.name or role).name[:300], "stored": default_storage.save(f"imports/{role}", file)}
        for role, file in uploads.items()
    }
    return ImportRun.objects.create(
        kind=importer.kind,
        options={"options": dict(options), "files": {role: file for role, file in kept.items() if role != main}},
        is_dry_run=dry_run,
        owner=owner,
        file_name=kept[main]["name"],
        upload=kept[main]["stored"],
        lease_until=timezone.now() + LEASE,
    )


def repeat_run(*, run: ImportRun, dry_run: bool) -> ImportRun:
    """A new run with the same files and options: for real after a dry run, or once more after a failure."""
    return ImportRun.objects.create(
        kind=run.kind,
        options=run.options,
        is_dry_run=dry_run,
        owner=run.owner,
        file_name=run.file_name,
        upload=run.upload.name,
        lease_until=timezone.now() + LEASE,
    )


def ask_to_cancel(*, run: ImportRun) -> None:
    """End a run that waits; ask the worker of one that runs. What was saved before stays."""
    with transaction.atomic():
        waiting = ImportRun.objects.select_for_update().filter(pk=run.pk, state=ImportRun.State.WAITING).first()
        if waiting is not None:
            waiting.cancel_asked = True
            waiting.end(ImportRun.State.CANCELLED, _("Cancelled before it began."))
        else:
            ImportRun.objects.filter(pk=run.pk, state=ImportRun.State.RUNNING).update(cancel_asked=True)


def claim(*, run_id: int, now: datetime | None = None) -> ImportRun | None:
    """Take a run by one conditional update; None when another worker has it or it has ended."""
    now = now or timezone.now()
    free = Q(state=ImportRun.State.WAITING) | Q(state=ImportRun.State.RUNNING, lease_until__lt=now)
    taken = ImportRun.objects.filter(free, pk=run_id).update(
        state=ImportRun.State.RUNNING, lease_until=now + LEASE, started_at=now
    )
    return ImportRun.objects.select_related("owner").get(pk=run_id) if taken else None


def carry_out(*, run: ImportRun) -> None:
    """Do a claimed run's work and end it.

    DONE with its counts and rejects; FAILED with place and cure where a file cannot be taken; CANCELLED where that was
    asked for. Any other error ends it as FAILED too and is raised on. Counts are saved in each batch's transaction, so
    a run that a dead worker left goes on with true counts: what was created before is not counted as unchanged.
    """
    state, message, error = ImportRun.State.DONE, "", None
    with tempfile.TemporaryDirectory() as folder:
        rejects = Path(folder) / "rejects.csv"
        with RowCountingLog(rejects, keep=REJECTS_KEPT) as log:
            work = _Work(run, log)
            try:
                with _opened(run) as files:
                    counts = run_importer(
                        importers()[run.kind],
                        files,
                        options=run.options.get("options", {}),
                        owner=run.owner,
                        dry_run=run.is_dry_run,
                        progress=work.note,
                        log=log,
                    )
                work.save(counts)
                message = summary(counts, dry_run=run.is_dry_run)
            except LeaseLost:
                return
            except Cancelled:
                state, message = ImportRun.State.CANCELLED, _("Cancelled. What was imported before that stays.")
            except BadFile as bad:
                log.add(bad.reject)
                state, message = ImportRun.State.FAILED, str(bad)
            except Exception as problem:
                state, error = ImportRun.State.FAILED, problem
                message = _(
                    "The site failed, not your file (%(kind)s). What was imported before stays; start it again to go "
                    "on. The server's log has the rest."
                ) % {"kind": type(problem).__name__}
        _finish(work, state, message, rejects)
    if error is not None:
        raise error


class _Work:
    """Tells how far a run is and keeps its lease; knows the counts that a dead worker left."""

    def __init__(self, run: ImportRun, log: RowCountingLog) -> None:
        self.run, self.log = run, log
        self.lease_until = run.lease_until
        self._carried = 0 if run.is_dry_run else run.n_created

    def note(self, counts: Counts) -> None:
        """Save how far it is, in the batch's own transaction. Raises Cancelled and LeaseLost, which undo the batch."""
        if ImportRun.objects.filter(pk=self.run.pk, cancel_asked=True).exists():
            raise Cancelled
        self.save(counts)

    def save(self, counts: Counts) -> None:
        lease_until = timezone.now() + LEASE
        # The lease's end is also the proof that it is still ours: whoever takes the run over changes it.
        held = ImportRun.objects.filter(pk=self.run.pk, state=ImportRun.State.RUNNING, lease_until=self.lease_until)
        if not held.update(lease_until=lease_until, **self._figures(counts)):
            raise LeaseLost
        self.lease_until = lease_until

    def _figures(self, counts: Counts) -> dict[str, int]:
        """Counts as the row has them: rows that this very run created before it was taken over come first."""
        again = min(self._carried, counts.n_unchanged)
        return {
            "n_rows": counts.n_created + counts.n_unchanged + self.log.n_rows,
            "n_created": max(counts.n_created + again, self._carried),
            "n_unchanged": counts.n_unchanged - again,
            "n_rejected": self.log.n_rows,
        }


def _finish(work: _Work, state: ImportRun.State, message: str, rejects: Path) -> None:
    with transaction.atomic():
        row = ImportRun.objects.select_for_update().get(pk=work.run.pk)
        if row.lease_until != work.lease_until:
            return  # taken over while we were ending it
        first = sorted(work.log.first, key=lambda reject: (reject.file, reject.row or 0))
        row.first_rejects = [asdict(reject) for reject in first]
        row.n_rejected = work.log.n_rows
        if work.log:
            with rejects.open("rb") as stream:
                row.rejects.save(f"rejected-rows-{row.pk}.csv", File(stream), save=False)
        row.end(state, message)


def summary(counts: Counts, *, dry_run: bool = False) -> str:
    """What an import did, in a sentence."""
    made = ", ".join(f"{what} {n:,}" for what, n in counts.made.items() if n)
    if dry_run:
        return _("Trial run. It would add: %(what)s.") % {"what": made} if made else _("Trial run: nothing to add.")
    return _("Added: %(what)s.") % {"what": made} if made else _("Nothing was new; nothing was changed.")


@contextmanager
def _opened(run: ImportRun) -> Iterator[dict[str, Source]]:
    """The run's files, read from the storage."""
    with ExitStack() as stack:
        main = importers()[run.kind].files[0].name
        opened = {main: Source(run.file_name, cast("BinaryIO", stack.enter_context(run.upload.open("rb"))))}
        for role, file in run.options.get("files", {}).items():
            stream = stack.enter_context(default_storage.open(file["stored"], "rb"))
            opened[role] = Source(file["name"], cast("BinaryIO", stream))
        yield opened


def take_abandoned(*, now: datetime) -> list[int]:
    """Runs whose worker died or whose message was lost, by their ids; each is handed out once in the time of a lease.

    A waiting run has a lease too, from the moment its message was sent: it may only stand in a long queue.
    """
    ended = ImportRun.objects.filter(lease_until__lt=now).exclude(state__in=ImportRun.ENDED)
    waiting = list(ended.filter(state=ImportRun.State.WAITING).values_list("pk", flat=True))
    running = list(ended.filter(state=ImportRun.State.RUNNING).values_list("pk", flat=True))
    ImportRun.objects.filter(pk__in=waiting, state=ImportRun.State.WAITING).update(lease_until=now + LEASE)
    return sorted(waiting + running)
