"""Makes a row of work and, once it is committed, sends its message to a worker."""

import logging
from collections.abc import Mapping

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from kombu.exceptions import OperationalError

from generation.models import ImportRun
from generation.queries.importers import Importer
from generation.services import import_runs
from generation.tasks import run_import

logger = logging.getLogger(__name__)


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
            run_import.delay(run.pk)
        except OperationalError:
            # The row waits, and `resume_imports` sends it as soon as the broker is back.
            logger.exception("The broker does not answer; import %s waits", run.pk)

    transaction.on_commit(send)
