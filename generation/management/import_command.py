"""Shared by all import commands: files and folders in, progress and refused rows out."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.rejects import BadFile
from exchange.tables.packed import PACKED_ENDINGS, TABLE_ENDINGS
from generation.queries.importers import Counts, Importer, Source
from generation.services.imports.import_runs import failure, summary
from generation.services.imports.importers import RowCountingLog, check_options, importers
from generation.services.imports.imports_here import import_here

REJECTS_PRINTED = 20
PROGRESS_EVERY_S = 2.0
TABLES = tuple(ending for ending in (*TABLE_ENDINGS, *PACKED_ENDINGS) if ending != ".txt")
"""What is taken from a folder: a text there is more often a note than a table. By its own name it is taken, too."""


class ImportCommand(BaseCommand):
    """Imports files of one kind through the same service as the web page and the API."""

    requires_system_checks: tuple[str, ...] = ()  # they load every page of the site
    kind = ""

    def add_arguments(self, parser: CommandParser) -> None:
        importer = importers()[self.kind]
        main, *others = importer.files
        parser.add_argument("files", nargs="+", metavar=main.name.upper(), help=str(main.help))
        for role in others:
            parser.add_argument(f"--{role.name}", metavar="FILE", help=str(role.help))
        for option in importer.options:
            flags = [f"--{option.name.replace('_', '-')}"] + (["--set"] if option.name == "prompt_set" else [])
            action = "append" if option.several else "store"
            parser.add_argument(*flags, dest=option.name, action=action, help=str(option.help))
        add_common_arguments(parser)

    def handle(self, **options: Any) -> None:
        importer = importers()[self.kind]
        values = {option.name: options[option.name] for option in importer.options if options[option.name]}
        self.import_all(
            importer,
            [Path(file) for file in options["files"]],
            {role.name: Path(options[role.name]) for role in importer.files[1:] if options[role.name]},
            {name: "\n".join(value) if isinstance(value, list) else value for name, value in values.items()},
            options,
        )

    def import_all(
        self,
        importer: Importer,
        paths: Sequence[Path],
        beside: dict[str, Path],
        values: dict[str, str],
        options: dict[str, Any],
    ) -> None:
        """Import every main file, one after another, with the same options and the same files next to it."""
        owner = self._owner(options["owner"])
        try:
            check_options(importer, values, owner, is_by_command=True)
        except ValidationError as error:
            flags = [f"--{name.replace('_', '-')}: {' '.join(texts)}" for name, texts in error.message_dict.items()]
            raise CommandError("\n".join(flags)) from error
        main = importer.files[0]
        for path in _expanded(paths, is_bundle=".zip" in main.accepts):
            files = {main.name: Source(str(path), path)}
            files |= {role: Source(str(other), other) for role, other in beside.items()}
            self._import_one(importer, files, values, owner, options)

    def _import_one(
        self,
        importer: Importer,
        files: dict[str, Source],
        values: dict[str, str],
        owner: User | None,
        options: dict[str, Any],
    ) -> None:
        began = last_said = time.monotonic()
        said_last = Counts()
        name = files[importer.files[0].name].name

        def say(counts: Counts) -> None:
            nonlocal last_said, said_last
            said_last = counts
            if options["verbosity"] and time.monotonic() - last_said >= PROGRESS_EVERY_S:
                last_said = time.monotonic()
                self.stdout.write(f"{name}: {counts.n_created + counts.n_unchanged + log.n_rows:,} rows so far")
                self.stdout.flush()

        failed: BadFile | None = None
        with RowCountingLog(Path(options["rejects"]) if options["rejects"] else None, keep=REJECTS_PRINTED) as log:
            try:
                counts = import_here(
                    importer,
                    files,
                    options=values,
                    owner=owner,
                    dry_run=options["dry_run"],
                    progress=say,
                    log=log,
                )
            except BadFile as bad:
                failed = bad
            except KeyboardInterrupt:
                raise CommandError(
                    "Stopped. What was imported before that stays; the same command continues."
                ) from None
        for reject in log.first:
            self.stderr.write(str(reject))
        if log.n_left_off:
            where = (
                "are in " + str(options["rejects"])
                if options["rejects"]
                else "can be written to a file with --rejects FILE"
            )
            self.stderr.write(f"… {log.n_left_off:,} more rejects; all of them {where}")
        if options["verbosity"]:
            for sentence in log.remarks:
                self.stdout.write(sentence)
        for warning in log.warnings:
            self.stderr.write(f"Please check: {warning}")
        if failed is not None:
            raise CommandError(failure(failed, said_last, dry_run=options["dry_run"])) from failed
        if options["verbosity"]:
            said = summary(counts, log.n_rows, dry_run=options["dry_run"])
            self.stdout.write(
                f"{name}: {counts.n_created:,} rows new, {counts.n_unchanged:,} unchanged, {log.n_rows:,} refused, "
                f"in {time.monotonic() - began:.1f} s. {said}"
            )
            n_read, n_skipped = counts.n_created + counts.n_unchanged, counts.n_missing + counts.skipped.total()
            self.stdout.write(
                f"{n_read + log.n_rows + n_skipped:,} rows or answers: {n_read:,} read, {log.n_rows:,} refused, "
                f"{n_skipped:,} skipped."
            )

    def _owner(self, username: str | None) -> User | None:
        if not username:
            return None
        owner = User.objects.filter(username=username).first()
        if owner is None:
            raise CommandError(f"--owner: there is no account with the user name {username!r}.")
        return owner


def add_common_arguments(parser: CommandParser) -> None:
    """The arguments that every import has."""
    parser.add_argument("--owner", metavar="USER", help="the account that owns what is made")
    parser.add_argument("--dry-run", action="store_true", help="report what would happen, and write nothing")
    parser.add_argument("--rejects", type=Path, metavar="FILE", help="write every refused row to this CSV file")


def _expanded(paths: Sequence[Path], *, is_bundle: bool) -> list[Path]:
    """The files; a folder means the tables in it, except where the folder itself is the bundle."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise CommandError(f"There is no file or folder {path}.")
        if path.is_dir() and not is_bundle:
            tables = sorted(file for file in path.iterdir() if file.suffix.casefold() in TABLES)
            if not tables:
                raise CommandError(f"The folder {path} has no table in it ({', '.join(TABLES)}).")
            found += tables
        else:
            found.append(path)
    return found
