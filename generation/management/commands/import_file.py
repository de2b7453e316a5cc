"""`manage.py import_file KIND`: any kind of import that an installed app offers."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from generation.management.import_command import ImportCommand, add_common_arguments
from generation.services.imports.importers import importers


class Command(ImportCommand):
    help = "Import files of any kind that this site knows; the other import commands are its short forms."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=list(importers()), help="what is imported")
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument(
            "--with", dest="others", action="append", default=[], metavar="NAME=FILE", help="a file next to it"
        )
        parser.add_argument(
            "--option", dest="values", action="append", default=[], metavar="NAME=VALUE", help="an option of this kind"
        )
        add_common_arguments(parser)

    def handle(self, **options: Any) -> None:
        importer = importers()[options["kind"]]
        others = {name: Path(file) for name, file in _pairs(options["others"])}
        roles = [role.name for role in importer.files[1:]]
        for name in others:
            if name not in roles:
                raise CommandError(
                    f"--with: this kind of import takes no file {name!r}. Its further files: "
                    f"{', '.join(roles) or 'none'}."
                )
        values: dict[str, str] = {}
        for name, value in _pairs(options["values"]):
            values[name] = f"{values[name]}\n{value}" if name in values else value
        self.import_all(importer, [Path(file) for file in options["files"]], others, values, options)


def _pairs(given: list[str]) -> list[tuple[str, str]]:
    for text in given:
        if "=" not in text:
            raise CommandError(f"{text!r}: write NAME=VALUE.")
    return [(name, value) for name, _, value in (text.partition("=") for text in given)]
