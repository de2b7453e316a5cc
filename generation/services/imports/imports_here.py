"""Imports that a command on the server carries out in its own process, on record like those that are uploaded."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from exchange.rejects import BadFile
from generation.models import ImportRun
from generation.queries.importers import Counts, Importer, Progress, Source
from generation.services.imports.import_runs import failure, put_on_record, summary
from generation.services.imports.importers import RowCountingLog, run_importer

QUIET = timedelta(minutes=10)
"""A command that has saved nothing for this long was killed."""


def import_here(
    importer: Importer,
    files: Mapping[str, Source],
    *,
    options: Mapping[str, str],
    owner: User | None,
    dry_run: bool,
    progress: Progress,
    log: RowCountingLog,
) -> Counts:
    """`run_importer`, with a row that records its outcome; a dry run has no row. Errors propagate."""
    if dry_run:
        return run_importer(importer, files, options=options, owner=owner, dry_run=True, progress=progress, log=log)
    run = ImportRun.objects.create(
        kind=importer.kind,
        options={"options": dict(options)},
        owner=owner,
        is_by_command=True,
        file_name=files[importer.files[0].name].name[-300:],
        state=ImportRun.State.RUNNING,
        started_at=timezone.now(),
        lease_until=timezone.now() + QUIET,
    )
    counts, state, message = Counts(), ImportRun.State.FAILED, ""

    def note(so_far: Counts) -> None:
        nonlocal counts
        counts = so_far
        ImportRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() + QUIET, **_figures(counts, log))
        progress(so_far)

    try:
        counts = run_importer(importer, files, options=options, owner=owner, import_run=run, progress=note, log=log)
        state, message = ImportRun.State.DONE, summary(counts, log.n_rows)
        return counts
    except BadFile as bad:
        message = failure(bad, counts)
        raise
    except KeyboardInterrupt:
        state, message = ImportRun.State.CANCELLED, _("Stopped. Everything imported before that is kept.")
        raise
    except Exception as problem:
        message = f"{type(problem).__name__}: {problem}"
        raise
    finally:
        for name, n in _figures(counts, log).items():
            setattr(run, name, n)
        run.warnings = log.warnings
        run.first_rejects = [asdict(reject) for reject in log.first]
        with transaction.atomic():
            run.end(state, message)
            put_on_record(run=run, counts=counts)


def _figures(counts: Counts, log: RowCountingLog) -> dict[str, int]:
    return {
        "n_rows": counts.n_created + counts.n_unchanged + counts.n_missing + counts.skipped.total() + log.n_rows,
        "n_created": counts.n_created,
        "n_unchanged": counts.n_unchanged,
        "n_rejected": log.n_rows,
    }
