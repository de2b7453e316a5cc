"""`manage.py release`."""

import zipfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.services.activity import Action, note
from annotations.services.exports import NothingToRelease
from annotations.services.release import MISSING, write_release


class Command(StudyCommand):
    help = "Write a study's release into a zip: raw rows without names, report, checklists, and how to recompute it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("token", help="the study's token: the part of its address after /study/")
        parser.add_argument("--out", type=Path, required=True, help="the zip file; one of the same name is replaced")
        parser.add_argument("--images", action="store_true", help="with the image files, not only their hashes")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(token=options["token"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['token']!r}. Give the part of its address after /study/.")
        out: Path = options["out"]
        out.parent.mkdir(parents=True, exist_ok=True)
        part = out.with_name(f".{out.name}.part")
        try:
            with part.open("w+b") as file:
                write_release(study=study, target=file, with_images=options["images"])
        except NothingToRelease as problem:
            part.unlink()
            raise CommandError(str(problem)) from None
        part.replace(out)
        with zipfile.ZipFile(out) as bundle:
            n_missing = len(bundle.read(MISSING).splitlines()) - 1 if MISSING in bundle.namelist() else 0
        note(study=study, actor=None, action=Action.EXPORTED, file=str(out))
        if n_missing:
            files = "the files of 1 image are" if n_missing == 1 else f"the files of {n_missing} images are"
            self.stdout.write(self.style.WARNING(f"{files} missing; {MISSING} in the bundle lists them"))
        self.stdout.write(f"written to {out}; check it with: manage.py verify {out}")
