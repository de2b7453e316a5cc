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
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exchange.rejects import BadFile
from generation import jobs
from generation.jobs import MOST_TRIES, LeaseLost
from generation.models import Activity, ImportRun
from generation.queries.importers import Counts, Importer, Source
from generation.services.imports.importers import NothingTaken, RowCountingLog, importers, run_importer

LONGEST_LEASE = timedelta(seconds=30)
REJECTS_KEPT = 50


class Cancelled(Exception):
    """Somebody asked to end this import."""


def lease() -> timedelta:
    """How long a worker may be silent before its import goes to another. Short, because a person is waiting."""
    return min(jobs.lease(), LONGEST_LEASE)


def create_run(
    *,
    importer: Importer,
    uploads: Mapping[str, File],
    options: Mapping[str, str],
    owner: User,
    dry_run: bool,
    group: str = "",
) -> ImportRun:
    """Store the uploaded files and create the row that a worker will claim. Options have been checked.

    group  what files that were sent together have in common
    """
    main = importer.files[0].name
    kept = {
        role: {"name": Path(file.name or role).name[:300], "stored": default_storage.save(f"imports/{role}", file)}
        for role, file in uploads.items()
    }
    return ImportRun.objects.create(
        kind=importer.kind,
        options={
            "options": dict(options),
            "files": {role: file for role, file in kept.items() if role != main},
            **({"group": group} if group else {}),
        },
        is_dry_run=dry_run,
        owner=owner,
        file_name=kept[main]["name"],
        upload=kept[main]["stored"],
        lease_until=timezone.now() + lease(),
    )


def repeat_run(*, run: ImportRun, dry_run: bool, mapping: str | None = None, group: str = "") -> ImportRun:
    """A new run with the same files and options: for real after a dry run, or once more after a failure.

    mapping  how its main file is to be read this time, as JSON; None: as before
    """
    options = {name: part for name, part in run.options.items() if name not in ("told", "reading", "group", "made")}
    if group:
        options["group"] = group
    if mapping is not None:
        options["options"] = {**options.get("options", {}), "mapping": mapping}
    return ImportRun.objects.create(
        kind=run.kind,
        options=options,
        is_dry_run=dry_run,
        owner=run.owner,
        file_name=run.file_name,
        upload=run.upload.name,
        lease_until=timezone.now() + lease(),
    )


def leave_group(*, run: ImportRun) -> str:
    """Take a run out of those that were uploaded together; returns their group, "" for none."""
    group: str = run.options.pop("group", "")
    if group:
        run.save(update_fields=["options"])
    return group


def ask_to_cancel(*, run: ImportRun) -> None:
    """End a run that waits; ask the worker of one that runs. What was saved before stays."""
    with transaction.atomic():
        waiting = ImportRun.objects.select_for_update().filter(pk=run.pk, state=ImportRun.State.WAITING).first()
        if waiting is not None:
            waiting.cancel_asked = True
            waiting.end(ImportRun.State.CANCELLED, _("Cancelled before it started."))
        else:
            ImportRun.objects.filter(pk=run.pk, state=ImportRun.State.RUNNING).update(cancel_asked=True)


def claim(*, run_id: int, now: datetime | None = None) -> ImportRun | None:
    """Take a run by one conditional update; None when another worker has it, it has ended, or it is not its turn.

    One person's imports run one after the other, so that their files do not keep everybody else waiting.
    """
    now = now or timezone.now()
    at_work = ImportRun.objects.filter(state=ImportRun.State.RUNNING, lease_until__gte=now, is_by_command=False)
    has_turn = ~Exists(at_work.filter(owner=OuterRef("owner")))
    free = Q(has_turn, state=ImportRun.State.WAITING) | Q(jobs.expired(now), state=ImportRun.State.RUNNING)
    claim = jobs.take(ImportRun.objects.filter(free, pk=run_id), now=now, holds=lease(), started_at=now)
    return ImportRun.held(claim).select_related("owner").first() if claim else None


def next_of(owner: User | None) -> int | None:
    """The import of this person that has waited longest, by its id."""
    waiting = ImportRun.objects.filter(owner=owner, state=ImportRun.State.WAITING)
    return waiting.order_by("pk").values_list("pk", flat=True).first()


def renew(*, run: ImportRun) -> bool:
    """Keep a claimed run; False when another worker has it now, or it has ended."""
    return jobs.renew(ImportRun.held(run.claim), holds=lease())


def carry_out(*, run: ImportRun) -> None:
    """Do a claimed run's work and end it.

    DONE with its counts and rejects; FAILED with place and cure where a file, or every row of it, cannot be taken;
    CANCELLED where that was asked for. Any other error ends it as FAILED too and propagates. Counts are saved in each
    batch's transaction, so a run that a dead worker left goes on with true counts: what was created before is not
    counted as unchanged.
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
                        import_run=run,
                        dry_run=run.is_dry_run,
                        progress=work.note,
                        log=log,
                    )
                work.save(counts)
                message = summary(work.counts, log.n_rows, dry_run=run.is_dry_run)
            except LeaseLost:
                return
            except Cancelled:
                state, message = ImportRun.State.CANCELLED, _("Cancelled. Everything imported before that is kept.")
            except NothingTaken as nothing:
                state, message = ImportRun.State.FAILED, failure(nothing, work.counts, dry_run=run.is_dry_run)
            except BadFile as bad:
                log.add(bad.reject)
                log.reading = log.reading or bad.reading
                state, message = ImportRun.State.FAILED, failure(bad, work.counts, dry_run=run.is_dry_run)
            except Exception as problem:
                state, error = ImportRun.State.FAILED, problem
                message = _(
                    "The site failed, not your file (%(kind)s). Everything imported before is kept; start the "
                    "import again to continue. The server's log has the details."
                ) % {"kind": type(problem).__name__}
        _finish(work, state, message, rejects)
    if error is not None:
        raise error


class _Work:
    """Records a run's progress; knows the counts that a dead worker left.

    counts  what the run has made in all, by any worker, and how this worker's reading of the file went
    """

    def __init__(self, run: ImportRun, log: RowCountingLog) -> None:
        self.run, self.log = run, log
        self.counts = Counts()  # as saved last
        self._carried = 0 if run.is_dry_run else run.n_created
        self._made: dict[str, int] = {} if run.is_dry_run else run.options.get("made", {})

    def note(self, counts: Counts) -> None:
        """Save the progress, in the batch's own transaction. Raises Cancelled and LeaseLost, which undo the batch."""
        if ImportRun.objects.filter(pk=self.run.pk, cancel_asked=True).exists():
            raise Cancelled
        self.save(counts)

    def save(self, counts: Counts) -> None:
        so_far = Counts()
        so_far.add(counts)
        so_far.made.update(self._made)
        options = {**self.run.options, "made": dict(so_far.made)}
        figures = self._figures(counts)
        held = ImportRun.held(self.run.claim)
        if not held.update(lease_until=timezone.now() + lease(), options=options, **figures):
            raise LeaseLost
        self.counts = so_far

    def _figures(self, counts: Counts) -> dict[str, int]:
        """Counts as the row has them: rows that this very run created before it was taken over come first."""
        again = min(self._carried, counts.n_unchanged)
        return {
            "n_rows": counts.n_created
            + counts.n_unchanged
            + counts.n_missing
            + counts.skipped.total()
            + self.log.n_rows,
            "n_created": max(counts.n_created + again, self._carried),
            "n_unchanged": counts.n_unchanged - again,
            "n_rejected": self.log.n_rows,
        }


def _finish(work: _Work, state: ImportRun.State, message: str, rejects: Path) -> None:
    with transaction.atomic():
        row = ImportRun.held(work.run.claim).select_for_update().first()
        if row is None:
            return  # taken over while we were ending it
        first = sorted(work.log.first, key=lambda reject: (reject.file, reject.row or 0))
        row.first_rejects = [asdict(reject) for reject in first]
        row.n_rejected = work.log.n_rows
        row.warnings = work.log.warnings
        row.options = {**row.options, "told": work.log.remarks, "reading": work.log.reading}
        if work.log:
            with rejects.open("rb") as stream:
                row.rejects.save(f"rejected-rows-{row.pk}.csv", File(stream), save=False)
        row.end(state, message)
        put_on_record(run=row, counts=work.counts)


def put_on_record(*, run: ImportRun, counts: Counts) -> None:
    """Record who added how many rows to what, however the import ended: rows saved before its end stay."""
    if run.is_dry_run or not run.n_created:
        return
    for touched, n in counts.touched.items():
        # An import that went on after its worker's death has counted what came since; the row has them all.
        rows = run.n_created if len(counts.touched) == 1 else n
        if rows:
            Activity.note(
                actor=run.owner,
                action=Activity.Action.ADDED,
                subject=touched.subject,
                key=touched.key,
                name=touched.name,
                **{"kind": run.kind, "rows": rows, "file": run.file_name, "import": run.pk},
            )


def summary(counts: Counts, n_refused: int, *, dry_run: bool = False) -> str:
    """What an import did, in a sentence or two."""
    made = ", ".join(f"{what} {n:,}" for what, n in counts.made.items() if n)
    if dry_run:
        said = _("Trial run. It would add: %(what)s.") % {"what": made} if made else _("Trial run: nothing to add.")
    else:
        said = _("Added: %(what)s.") % {"what": made} if made else _("Nothing was new; nothing was changed.")
    if counts.n_missing:
        said += " " + ngettext("%(n)s row has no value.", "%(n)s rows have no value.", counts.n_missing) % {
            "n": f"{counts.n_missing:,}"
        }
    if counts.skipped:
        reasons = ", ".join(f"{n:,} × {reason}" for reason, n in counts.skipped.most_common(6))
        said += " " + _("Skipped: %(reasons)s.") % {"reasons": reasons}
    if n_refused:
        refused = ngettext("%(n)s row was refused.", "%(n)s rows were refused.", n_refused)
        said += " " + refused % {"n": f"{n_refused:,}"}
    return said


def failure(problem: BadFile, counts: Counts, *, dry_run: bool = False) -> str:
    """Why an import ended early, and what it kept: batches of the file, and all of the files before it."""
    made = ", ".join(f"{what} {n:,}" for what, n in counts.made.items() if n)
    if not made:
        return str(problem)
    kept = _("Would be kept: %(what)s.") if dry_run else _("Kept: %(what)s.")
    return f"{str(problem).rstrip('.')}. {kept % {'what': made}}"


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

    A waiting run has a lease too, from the moment its message was sent: it may only be in a long queue. A run that
    has outlived several workers fails, and so does one by a command that was killed.
    """
    ended = ImportRun.objects.filter(lease_until__lt=now).exclude(state__in=ImportRun.ENDED)
    for run in ended.filter(is_by_command=True):
        said = _("The command was killed. The %(n)s rows that it had added are kept; run it again.")
        run.end(ImportRun.State.FAILED, said % {"n": f"{run.n_created:,}"})
    ended.filter(state=ImportRun.State.RUNNING, n_tries__gte=MOST_TRIES).update(
        state=ImportRun.State.FAILED,
        lease_until=None,
        ended_at=now,
        message=_(
            "The worker died %(n)s times during the import, possibly for lack of memory. Everything imported "
            "before is kept. Check the worker's log, or import the file in parts."
        )
        % {"n": MOST_TRIES},
    )
    waiting = list(ended.filter(state=ImportRun.State.WAITING).values_list("pk", flat=True))
    running = list(ended.filter(state=ImportRun.State.RUNNING).values_list("pk", flat=True))
    ImportRun.objects.filter(pk__in=waiting, state=ImportRun.State.WAITING).update(lease_until=now + lease())
    return sorted(waiting + running)
