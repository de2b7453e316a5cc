"""`manage.py export_manifest`: how each image of a run was made, as a file from which all can be made again."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from generation.models import Run
from generation.recipes.matrix import manifest
from generation.services.manifests import ids_of_run, records


class Command(BaseCommand):
    help = "Write a run's manifest: for each image its engine, parameters, prompt, seed and starting point."
    requires_system_checks: tuple[str, ...] = ()  # they load every page of the site

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=int, help="the run's number")
        parser.add_argument("--out", type=Path, help="the file to write; without it the manifest is printed")

    def handle(self, *, run: int, out: Path | None, **options: Any) -> None:
        if not Run.objects.filter(pk=run).exists():
            raise CommandError(f"There is no run {run}. `generate list` shows all runs.")
        found = records(ids_of_run(run))
        if out is None:
            manifest.write(found, sys.stdout)
            return
        try:
            with out.open("w", encoding="utf-8") as stream:
                n = manifest.write(found, stream)
        except OSError as error:
            raise CommandError(f"{out}: {error.strerror}.") from error
        self.stdout.write(f"Images written to {out}: {n}.")
