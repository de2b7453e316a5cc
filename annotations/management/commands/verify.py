"""`manage.py verify`."""

import tempfile
import zipfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotations.reports.release.recompute import BadBundle
from annotations.reports.release.verify import Verified, verify
from annotations.version import code_version

MOST_SHOWN = 500
"""Rows of tables."""
MOST_BYTES = 8 * 2**30
"""Unpacked; a zip that claims more is refused."""


class Command(BaseCommand):
    help = "Recompute every figure of a release bundle, and print “equal” or what differs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("bundle", type=Path, help="the zip, or the folder it was unpacked into")

    def handle(self, **options: Any) -> None:
        bundle: Path = options["bundle"]
        try:
            if bundle.is_dir():
                found = verify(bundle, code_version=code_version())
            else:
                with tempfile.TemporaryDirectory() as folder:
                    _unpack(bundle, Path(folder))
                    found = verify(Path(folder), code_version=code_version())
        except BadBundle as problem:
            raise CommandError(str(problem)) from None
        self._tell(found)
        if not found.is_equal:
            raise CommandError("The bundle is not equal: see the differences above.")

    def _tell(self, found: Verified) -> None:
        for note in found.notes:
            self.stdout.write(note)
        for name in found.changed:
            self.stdout.write(f"changed file: {name}")
        for name in found.missing:
            self.stdout.write(f"missing file: {name}")
        lines = found.lines()
        for line in lines[:MOST_SHOWN]:
            self.stdout.write(f"differs: {line}")
        if len(lines) > MOST_SHOWN:
            self.stdout.write(f"… and {len(lines) - MOST_SHOWN:,} more rows.")
        if found.is_equal:
            self.stdout.write(f"equal: all {found.n_figures:,} figures, and every file matches its hash")


def _unpack(bundle: Path, folder: Path) -> None:
    """Raises BadBundle."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise BadBundle(f"{bundle.name} is larger than {MOST_BYTES:,} bytes when unpacked")
            archive.extractall(folder)
    except (OSError, zipfile.BadZipFile) as problem:
        raise BadBundle(f"{bundle} cannot be opened as a zip ({problem})") from None
