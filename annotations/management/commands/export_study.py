"""`manage.py export_study`: all files of a study, or one of them, or the study in another program's format."""

import zipfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandError

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.services.activity import Action, note
from annotations.services.exports import TABLES, NothingToRelease, write_folder
from annotations.services.formats.registry import FORMATS

ENDINGS = ("csv", "jsonl", "parquet")


class Command(StudyCommand):
    help = "Write every answer of a study, with its data dictionary, into a folder: CSV, Parquet, and for `analyze`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("token", help="the study's token: the part of its address after /study/")
        parser.add_argument(
            "--as",
            dest="form",
            choices=[*FORMATS, *(f"{name}.{ending}" for name in TABLES for ending in ENDINGS)],
            metavar="FORMAT",
            help=f"one file instead: {', '.join(FORMATS)}, or a table such as answers.csv or votes.parquet",
        )
        parser.add_argument(
            "--out",
            type=Path,
            required=True,
            help="the folder; files of the same name are replaced. With --as, the file; the data set is a folder "
            "unless the name ends in .zip",
        )

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(token=options["token"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['token']!r}. Give the part of its address after /study/.")
        note(study=study, actor=None, action=Action.EXPORTED, file=str(options["out"]))
        if options["form"]:
            self._write_one(study, options["form"], options["out"])
            return
        for path in write_folder(study=study, folder=options["out"]):
            self.stdout.write(str(path))

    def _write_one(self, study: Study, form: str, path: Path) -> None:
        part = path.with_name(f".{path.name}.part")
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                if form in FORMATS:
                    FORMATS[form].write(study, file)
                else:
                    _write_table(study, form, file)
            if form == "dataset" and path.suffix != ".zip":
                with zipfile.ZipFile(part) as archive:
                    archive.extractall(path)
            else:
                part.replace(path)
        except NothingToRelease as problem:
            raise CommandError(str(problem)) from None
        finally:
            part.unlink(missing_ok=True)
        self.stdout.write(str(path))


def _write_table(study: Study, form: str, file: BinaryIO) -> None:
    name, _, ending = form.rpartition(".")
    table = TABLES[name]
    if ending == "parquet":
        table.parquet(study, file)
        return
    for chunk in table.csv(study) if ending == "csv" else table.json_lines(study):
        file.write(chunk.encode())
