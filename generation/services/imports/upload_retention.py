"""Files of imports are kept as long as somebody may want to repeat the import, and then removed."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet

from generation.models import ImportRun

FOLDER = "imports"
IN_TRANSIT = timedelta(days=1)
"""A younger file without a row may belong to an upload whose row is about to be saved."""


@dataclass(frozen=True)
class Removed:
    n_files: int
    n_bytes: int


def remove_unused(*, now: datetime) -> Removed:
    """Remove the files of trial, failed and cancelled imports that ended UPLOAD_DAYS ago, and files without a row."""
    before = now - timedelta(days=settings.UPLOAD_DAYS)
    of_no_use = Q(is_dry_run=True) | ~Q(state=ImportRun.State.DONE)
    unused = _release(_ended(before).filter(of_no_use))
    return _delete([*unused, *_without_a_row(now - IN_TRANSIT)])


def remove_older(*, than: datetime) -> Removed:
    """Remove the files of every import that ended before a time. Imported rows stay."""
    return _delete(_release(_ended(than)))


def older(*, than: datetime) -> int:
    """How many imports there are whose files `remove_older` would remove."""
    return _ended(than).count()


def _ended(before: datetime) -> QuerySet[ImportRun]:
    has_files = ~Q(upload="") | ~Q(rejects="")
    return ImportRun.objects.filter(has_files, state__in=ImportRun.ENDED, ended_at__lt=before)


def _release(runs: QuerySet[ImportRun]) -> list[str]:
    """Take their files from some runs; the names of those that no other run has: a repeated run shares its files."""
    freed: set[str] = set()
    for run in runs:
        freed.update(_names(run))
        files = {role: file | {"stored": ""} for role, file in run.options.get("files", {}).items()}
        options = run.options | {"files": files}
        # The rows first: what a crash leaves behind then is files without a row, which the next look removes.
        ImportRun.objects.filter(pk=run.pk).update(upload="", rejects="", options=options)
    return sorted(freed - _in_use()) if freed else []


def _in_use() -> set[str]:
    return {name for run in ImportRun.objects.exclude(upload="", rejects="").iterator() for name in _names(run)}


def _names(run: ImportRun) -> Iterator[str]:
    files = (file["stored"] for file in run.options.get("files", {}).values())
    yield from (name for name in (run.upload.name, run.rejects.name, *files) if name)


def _without_a_row(before: datetime) -> Iterator[str]:
    """Files that were saved for a row that never came."""
    with suppress(FileNotFoundError):
        there = {f"{FOLDER}/{name}" for name in default_storage.listdir(FOLDER)[1]}
        yield from (name for name in sorted(there - _in_use()) if default_storage.get_modified_time(name) < before)


def _delete(names: Iterable[str]) -> Removed:
    n_files = n_bytes = 0
    for name in names:
        with suppress(FileNotFoundError):
            size = default_storage.size(name)
            default_storage.delete(name)
            n_files, n_bytes = n_files + 1, n_bytes + size
    return Removed(n_files, n_bytes)
