"""`manage.py reproduce`: makes images again from a manifest, a run or a single image, and says how close they are."""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from generation import dispatch
from generation.models import Image, Run
from generation.recipes.matrix import manifest
from generation.recipes.matrix.manifest import BadManifest, Record
from generation.services.manifests import file_of, ids_of_run, records
from generation.services.reproduction import Reproduction


class Command(BaseCommand):
    help = (
        "Make images again and compare: bit-equal, or how different (largest level, 1 − MS-SSIM). "
        "Ends with status 1 when one is not bit-equal. Nothing on the site is changed."
    )
    requires_system_checks: tuple[str, ...] = ()  # they load every page of the site

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--manifest", type=Path, help="a file of `export_manifest`, also from another site")
        what.add_argument("--run", type=int, help="every image of a run")
        what.add_argument("--image", type=int, help="one image, with those that it began from")
        parser.add_argument("--originals", type=Path, help="with --manifest: a folder with the files, named by SHA-256")
        parser.add_argument("--out", type=Path, help="a folder for the images made again and report.json")

    def handle(self, **options: Any) -> None:
        wanted = self._records(options)
        out: Path | None = options["out"]
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
        report: list[Reproduction] = []
        with _folder() as folder:
            for result in dispatch.reproduce_here(records=wanted, original=_original(options), folder=folder):
                report.append(result)
                self.stdout.write(_line(result))
                self.stdout.flush()
                if out is not None and result.png:
                    (out / f"{_file_name(result.record)}.png").write_bytes(result.png)
        n_equal = sum(result.is_equal is True for result in report)
        if out is not None:
            text = json.dumps([result.as_json() for result in report], indent=1, ensure_ascii=False)
            (out / "report.json").write_text(text + "\n", encoding="utf-8")
        summary = f"{n_equal} of {len(report)} images are bit-equal."
        if n_equal < len(report):
            raise CommandError(summary)
        self.stdout.write(summary)

    def _records(self, options: dict[str, Any]) -> list[Record]:
        if path := options["manifest"]:
            try:
                with path.open(encoding="utf-8") as stream:
                    return manifest.read(stream)
            except (OSError, UnicodeDecodeError) as error:
                raise CommandError(f"{path}: {error}.") from error
            except BadManifest as problem:
                raise CommandError(f"{path}: {problem}") from problem
        if options["run"] is not None:
            if not Run.objects.filter(pk=options["run"]).exists():
                raise CommandError(f"There is no run {options['run']}. `generate list` shows all runs.")
            ids = ids_of_run(options["run"])
        else:
            if not Image.objects.filter(pk=options["image"]).exists():
                raise CommandError(f"There is no image {options['image']}.")
            ids = [options["image"]]
        found = {record.id: record for record in records(ids)}
        if not found:
            raise CommandError("There is no image yet.")
        return list(manifest.in_order(found))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _original(options: dict[str, Any]) -> Any:
    """Where the original images are: on this site, in a folder, or nowhere."""
    if options["manifest"] is None:
        return lambda record: file_of(int(record.id))
    folder: Path | None = options["originals"]

    def in_folder(record: Record) -> bytes | None:
        files = sorted(folder.glob(f"{record.sha256}.*")) if folder is not None and record.sha256.isalnum() else []
        return files[0].read_bytes() if files else None

    return in_folder


def _file_name(record: Record) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", record.id)[:100]


def _line(result: Reproduction) -> str:
    record = result.record
    if result.is_equal:
        verdict = "bit-equal"
    elif not result.png:
        verdict = f"not made: {result.problem}"
    elif result.difference is None:
        verdict = "different" if result.is_equal is False else "made; nothing to compare with"
    elif result.difference.reason:
        verdict = f"different: {result.difference.reason}"
    else:
        apart = result.difference
        verdict = (
            f"different by at most {apart.max_level:.0f} of 255, in {apart.share_differing:.2%} of the pixels, "
            f"1 − MS-SSIM {apart.structural_distance:.2g}"
        )
    if result.png and result.problem:
        verdict += f" ({result.problem})"
    return f"{record.id}  {record.method}, seed {record.seed}: {verdict}"
