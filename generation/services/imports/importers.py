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
from django.utils.translation import ngettext

from exchange.identity import identity
from exchange.rejects import BadFile, Reject, RejectLog, bad_file
from generation.models import ImportRun, PromptSet
from generation.queries.importers import Counts, Importer, Job, Progress, Source, no_progress
from generation.services.origin import not_yours

MANY_ROWS = 1000


@cache
def importers() -> dict[str, Importer]:
    """Kind → importer, in the order of their pages: what each installed app lists in `services/imports/kinds.py`.

    So this app runs imports of apps that build on it without knowing them.
    """
    found: list[Importer] = []
    for config in apps.get_app_configs():
        if module_has_submodule(config.module, "services"):
            services = import_module(f"{config.name}.services")
            if module_has_submodule(services, "imports"):
                found.extend(import_module(f"{config.name}.services.imports.kinds").IMPORTERS)
    return {importer.kind: importer for importer in sorted(found, key=lambda importer: importer.position)}


class NothingTaken(BadFile):
    """A file of which no row could be imported: none is good, and none existed before."""

    def __init__(self, reject: Reject, message: str) -> None:
        super().__init__(reject)
        self.message = message

    def __str__(self) -> str:
        return self.message


class RowCountingLog(RejectLog):
    """A log of rejects that also counts the rows they are about: faults of one row come one after another.

    first_of_step  the first reject since `begin_step`
    """

    n_rows = 0
    first_of_step: Reject | None = None
    _last: tuple[str, int | None, int] = "", None, 0

    def begin_step(self) -> None:
        self.first_of_step = None

    def add(self, reject: Reject) -> None:
        self.first_of_step = self.first_of_step or reject
        here = reject.file, reject.row, self.place
        if here != self._last or reject.row is None:
            self.n_rows += 1
        self._last = here
        super().add(reject)


def check_options(
    importer: Importer, options: Mapping[str, str], owner: User | None, *, is_by_command: bool = False
) -> None:
    """Raises ValidationError ({option: message}) for what is missing, unknown, too long, or wrong by its own rule.

    So is the name of a prompt set that the owner may not add to; a command on the server may add to all.
    """
    options = spelled(importer, options)
    known = {option.name: option for option in importer.options}
    errors: dict[str, str] = {}
    for name in options:
        if name not in known:
            errors[name] = _("There is no such option. The options are: %(names)s.") % {"names": ", ".join(known)}
    for option in importer.options:
        value = options.get(option.name, "")
        if option.required and not value:
            errors[option.name] = _("This field is required.")
        elif len(value) > option.max_length:
            errors[option.name] = _("At most %(n)d characters.") % {"n": option.max_length}
    if errors:
        raise ValidationError(errors)
    name = options.get(importer.writes_into, "")
    prompt_set = PromptSet.objects.select_related("owner").filter(name=name).first() if name else None
    if prompt_set is not None and not is_by_command and not prompt_set.may_be_changed_by(owner):
        problem, cure = not_yours(prompt_set)
        raise ValidationError({importer.writes_into: f"{problem[:1].upper()}{problem[1:]}: {cure}."})
    importer.check(options, owner)


def run_importer(
    importer: Importer,
    files: Mapping[str, Source],
    *,
    options: Mapping[str, str],
    owner: User | None,
    import_run: ImportRun | None = None,
    dry_run: bool = False,
    progress: Progress = no_progress,
    log: RowCountingLog,
) -> Counts:
    """Run one import with all its files, in their order; the counts of all of them together.

    files    by the names of the importer's roles; the main one must be there
    options  are names as well, and spelled like those of the files (`exchange.identity`)
    Raises BadFile where a file as a whole cannot be taken, and NothingTaken where none of its rows can; what was saved
    before stays, and repeating goes on there.
    """
    with importer.derive(files, spelled(importer, options)) as derived:
        return _run_steps(
            importer,
            {**derived, **files},
            options=options,
            owner=owner,
            import_run=import_run,
            dry_run=dry_run,
            progress=progress,
            log=log,
        )


def _run_steps(
    importer: Importer,
    files: Mapping[str, Source],
    *,
    options: Mapping[str, str],
    owner: User | None,
    import_run: ImportRun | None,
    dry_run: bool,
    progress: Progress,
    log: RowCountingLog,
) -> Counts:
    main = importer.files[0].name
    steps = [(role, kind) for role, kind in importer.before.items() if role in files]
    steps.append((main, importer.kind))
    steps += [(role, kind) for role, kind in importer.after.items() if role in files]
    options = importer.complete(spelled(importer, options))
    total = Counts()
    for role, kind in steps:

        def show_progress(counts: Counts) -> None:
            so_far = Counts()
            so_far.add(total)
            so_far.add(counts)
            progress(so_far)

        job = Job(files[role], options, owner, log, import_run, dry_run, show_progress, known=total.keys)
        n_refused_before = log.n_rows
        log.begin_step()
        counts = importers()[kind].run(job)
        nothing = _nothing_taken(
            files[role].name, counts, log.n_rows - n_refused_before, log, dry_run=dry_run, before=total
        )
        if nothing is not None:
            show_progress(counts)  # without what was taken back when nothing came
            raise nothing
        total.add(counts)
    if total.n_created >= MANY_ROWS and not dry_run:
        _count_rows_anew()
    return total


def spelled(importer: Importer, options: Mapping[str, str]) -> dict[str, str]:
    """The options as names are compared; one that holds several has one per line, which its reader splits."""
    several = {option.name for option in importer.options if option.several}
    return {name: value if name in several else identity(value) for name, value in options.items()}


def _nothing_taken(
    file: str, counts: Counts, n_refused: int, log: RowCountingLog, *, dry_run: bool, before: Counts
) -> BadFile | None:
    """The error for a file of which no row was taken; None for others.

    before  what came of the files before it, which stays
    """
    if counts.n_created or counts.n_unchanged:
        return None
    if not n_refused and not counts.n_missing:
        return bad_file(file, "the file has no rows", "check that the right file was chosen and fully written")
    first, n = log.first_of_step, n_refused or counts.n_missing
    if first is None:
        first = Reject(file, None, "value", "", "no row has a value", "export the file again")
        said = ngettext(
            "Nothing was imported: the only row of %(file)s has no value.",
            "Nothing was imported: none of the %(n)s rows of %(file)s has a value.",
            n,
        )
        if dry_run and before.n_created:
            said = ngettext(
                "Trial run. Nothing of %(file)s would be imported: its only row has no value.",
                "Trial run. Nothing of %(file)s would be imported: none of its %(n)s rows has a value.",
                n,
            )
        elif dry_run:
            said = ngettext(
                "Trial run. Nothing would be imported: the only row of %(file)s has no value.",
                "Trial run. Nothing would be imported: none of the %(n)s rows of %(file)s has a value.",
                n,
            )
        elif before.n_created:
            said = ngettext(
                "Nothing of %(file)s was imported: its only row has no value.",
                "Nothing of %(file)s was imported: none of its %(n)s rows has a value.",
                n,
            )
    else:
        said = ngettext(
            "Nothing was imported: the only row of %(file)s was refused. %(first)s",
            "Nothing was imported: all %(n)s rows of %(file)s were refused. The first: %(first)s",
            n,
        )
        if dry_run and before.n_created:
            said = ngettext(
                "Trial run. Nothing of %(file)s would be imported: its only row was refused. %(first)s",
                "Trial run. Nothing of %(file)s would be imported: all its %(n)s rows were refused. The first: "
                "%(first)s",
                n,
            )
        elif dry_run:
            said = ngettext(
                "Trial run. Nothing would be imported: the only row of %(file)s was refused. %(first)s",
                "Trial run. Nothing would be imported: all %(n)s rows of %(file)s were refused. The first: %(first)s",
                n,
            )
        elif before.n_created:
            said = ngettext(
                "Nothing of %(file)s was imported: its only row was refused. %(first)s",
                "Nothing of %(file)s was imported: all its %(n)s rows were refused. The first: %(first)s",
                n,
            )
    return NothingTaken(first, said % {"n": f"{n:,}", "file": file, "first": first})


def _count_rows_anew() -> None:
    """Let PostgreSQL plan with the tables' present sizes.

    Until it collects statistics by itself, within a minute or so, it plans with the last ones. If the table was empty
    then, it expects one row for a report's query, loops over all rows within all rows, and needs hours.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
