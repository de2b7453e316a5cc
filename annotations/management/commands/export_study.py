"""`manage.py export_study`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotations.models import Study
from annotations.services.exports import write_folder


class Command(BaseCommand):
    help = "Write every answer of a study, with its data dictionary, into a folder: CSV, Parquet, and for `analyze`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("token", help="the study's token: what stands in its address after /study/")
        parser.add_argument("--out", type=Path, required=True, help="the folder; files of the same name are replaced")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(token=options["token"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['token']!r}: take what its address has after /study/.")
        for path in write_folder(study=study, folder=options["out"]):
            self.stdout.write(str(path))
