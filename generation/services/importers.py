"""All kinds of import that the site offers, and running one with all its files."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module

from django.apps import apps
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext as _

from exchange.rejects import Reject, RejectLog
from generation.queries.importers import Counts, Importer, Job, Progress, Source, no_progress

MANY_ROWS = 1000


@cache
def importers() -> dict[str, Importer]:
    """Kind → importer, in the order of their pages: what each installed app lists in `services/imports.py`.

    So this app runs imports of apps that build on it without knowing them.
    """
    found: list[Importer] = []
    for config in apps.get_app_configs():
        if module_has_submodule(config.module, "services"):
            services = import_module(f"{config.name}.services")
            if module_has_submodule(services, "imports"):
                found.extend(getattr(import_module(f"{config.name}.services.imports"), "IMPORTERS", ()))
    return {importer.kind: importer for importer in sorted(found, key=lambda importer: importer.position)}


class RowCountingLog(RejectLog):
    """A log of rejects that also counts the rows they are about: faults of one row come one after another."""

    n_rows = 0
    _last: tuple[str, int | None] = "", None

    def add(self, reject: Reject) -> None:
        here = reject.file, reject.row
        if here != self._last or reject.row is None:
            self.n_rows += 1
        self._last = here
        super().add(reject)


def check_options(importer: Importer, options: Mapping[str, str], owner: User | None) -> None:
    """Raises ValidationError ({option: message}) for what is missing, unknown, too long, or wrong by its own rule."""
    known = {option.name: option for option in importer.options}
    errors: dict[str, str] = {}
    for name in options:
        if name not in known:
            errors[name] = _("There is no such option. Understood: %(names)s.") % {"names": ", ".join(known)}
    for option in importer.options:
        value = options.get(option.name, "")
        if option.required and not value.strip():
            errors[option.name] = _("This is needed.")
        elif len(value) > option.max_length:
            errors[option.name] = _("At most %(n)d characters.") % {"n": option.max_length}
    if errors:
        raise ValidationError(errors)
    importer.check(options, owner)


def run_importer(
    importer: Importer,
    files: Mapping[str, Source],
    *,
    options: Mapping[str, str],
    owner: User | None,
    dry_run: bool = False,
    progress: Progress = no_progress,
    log: RejectLog,
) -> Counts:
    """Run one import with all its files, in their order; the counts of all of them together.

    files  by the names of the importer's roles; the main one must be there
    Raises BadFile where a file as a whole cannot be taken; what was saved before stays, and repeating goes on there.
    """
    main = importer.files[0].name
    steps = [(role, kind) for role, kind in importer.before.items() if role in files]
    steps.append((main, importer.kind))
    steps += [(role, kind) for role, kind in importer.after.items() if role in files]
    options = importer.complete(options)
    total = Counts()
    for role, kind in steps:

        def tell(counts: Counts) -> None:
            so_far = Counts()
            so_far.add(total)
            so_far.add(counts)
            progress(so_far)

        job = Job(files[role], options, owner, log, dry_run, tell, known=total.keys)
        total.add(importers()[kind].run(job))
    if total.n_created >= MANY_ROWS and not dry_run:
        _count_rows_anew()
    return total


def _count_rows_anew() -> None:
    """Let PostgreSQL plan by what the tables hold now.

    Until it counts by itself, within a minute or so, it plans by what it counted last: if that was an empty table, it
    takes a report's query for a matter of one row, loops over all rows within all rows, and needs hours.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
