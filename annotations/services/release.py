"""A study's release: its raw rows without personal data, all figures, and what is needed to compute them again."""

import hashlib
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone

from annotations.models import Item, ItemImage, Response, Study
from annotations.queries import reports as queries
from annotations.queries.planning.present import reported_registration
from annotations.queries.provenance import study_design
from annotations.queries.result_units import images_of, linked_methods
from annotations.queries.results import StudyRows, study_rows
from annotations.reports.anchors import slug
from annotations.reports.documents.conversion import to_json
from annotations.reports.documents.study import StudyDocument
from annotations.reports.outputs import report_files
from annotations.reports.release.described import codebook, croissant, readme
from annotations.reports.release.recompute import MANIFEST, SETTINGS, Settings, recompute
from annotations.reports.release.verify import manifest
from annotations.services.exports import NothingToRelease, analyze_files
from annotations.services.reports import DEFAULT_SEED
from annotations.version import code_version
from exchange.export import csv_chunks
from generation.models import Image
from generation.queries.stored_files import FileGone, opened

MOST_RATINGS_AT_ONCE = 50_000
"""With more ratings than this, a page does not write the release while somebody waits."""


def is_quickly_released(study: Study) -> bool:
    current = Response.objects.filter(assignment__study=study, is_current=True)
    return not current[MOST_RATINGS_AT_ONCE : MOST_RATINGS_AT_ONCE + 1].exists()


def has_few_images(study: Study) -> bool:
    """Whether a page can put the study's images into a release while somebody waits."""
    total = _held(study).aggregate(total=Sum("n_bytes"))["total"] or 0
    return total <= MOST_BYTES_AT_ONCE


def write_release(*, study: Study, target: IO[bytes], with_images: bool = False) -> StudyDocument:
    """Write the bundle as a zip into an open file, and return the document of its figures. Raises NothingToRelease.

    with_images: with the original image files in images/, named by their hashes. Files held elsewhere are left out;
    those that are missing are listed in missing-images.txt.

    Its figures are computed from its own rows, as `verify` computes them, so a bundle always passes `verify`. Files are
    written one after another; meanwhile the raw rows are in a temporary folder.
    """
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        settings = write_rows(study, folder)
        document = recompute(folder, settings, code_version=settings.code_version)
        tables = {f"data/{path.name}": path.read_bytes() for path in sorted((folder / "data").iterdir())}
        digests: list[str] = []
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in _files(document, settings, tables):
                archive.writestr(name, content)
                digests.append(manifest([(name, content)]))
            digests += _write_images(study, archive) if with_images else []
            archive.writestr(MANIFEST, "".join(digests))
    return document


def _write_images(study: Study, archive: zipfile.ZipFile) -> Iterator[str]:
    """Put each image file into the archive once, in chunks, and the list of those that are missing; yields the
    manifest's line for each."""
    missing = []
    for image in _held(study).order_by("pk").iterator(chunk_size=500):
        name = image_file(image.sha256, image.format)
        hasher = hashlib.sha256()
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_STORED
        try:
            source = opened(image.file)
        except FileGone:
            missing.append(name)
            continue
        with source, archive.open(info, "w") as part:
            for chunk in source.chunks():
                hasher.update(chunk)
                part.write(chunk)
        yield f"{hasher.hexdigest()}  {name}\n"
    if missing:
        listed = missing_list(missing)
        archive.writestr(MISSING, listed)
        yield manifest([(MISSING, listed)])


def missing_list(names: Sequence[str]) -> bytes:
    """The text of a file that lists the images whose files were missing, one per line after a line that says so."""
    return "\n".join(["The files of these images were missing on the site when this was written:", *names, ""]).encode()


def _held(study: Study) -> QuerySet[Image]:
    """The study's images whose files are held, one for each file."""
    held = images_of(study).exclude(file="")
    first = held.filter(sha256=OuterRef("sha256")).order_by("pk").values("pk")[:1]
    return held.filter(pk=Subquery(first))


def image_file(sha256: str, format: str) -> str:
    """An image's path in a bundle."""
    return f"images/{sha256}.{ENDINGS.get(format, 'bin')}"


ENDINGS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
MOST_BYTES_AT_ONCE = 200 * 2**20
MISSING = "missing-images.txt"


def _files(document: StudyDocument, settings: Settings, tables: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    yield "README.md", readme(document, settings).encode()
    yield SETTINGS, settings.to_json().encode()
    yield "codebook.md", codebook(tables).encode()
    yield "croissant.json", croissant(document, tables).encode()
    yield from tables.items()
    for name, content in report_files(document):
        yield f"report/{name}", content


def write_rows(study: Study, folder: Path) -> Settings:
    """Write the raw rows without names as CSV into `folder`/data; returns what else the figures depend on."""
    rows = without_names(study_rows(study))
    if not rows.data.dimensions:
        raise NothingToRelease("Nobody has answered yet: there is nothing to release.")
    data = folder / "data"
    data.mkdir()
    for name, chunks in analyze_files(study, rows):
        _write(data / name, chunks)
    _write(data / "images.csv", csv_chunks(("item", "image", "method", "sha256", "file"), _images(study)))
    design = study_design(study, rows.data.dimensions)
    registered = reported_registration(study, tuple(linked_methods(study)))
    return Settings(
        title=study.title,
        key=f"{slug(study.title, 'study')}-{slug(study.token, '')[:6]}",
        made_at=timezone.now().isoformat(timespec="seconds"),
        code_version=code_version(),
        seed=DEFAULT_SEED,
        extras={
            "design": to_json(design),
            "exclusion_rule": study.exclusion_rule,
            "n_late": queries.late_answers(study),
            **({"registration": to_json(registered)} if registered else {}),
        },
    )


def without_names(rows: StudyRows) -> StudyRows:
    """The rows with an alias for each rater. Aliases sort as the names do, so that no figure depends on the names."""
    data = rows.data
    answered = {name for dimension in data.dimensions for name in dimension.raters}
    answered |= {name for unable in rows.unable.values() for _unit, name in unable}
    digits = len(str(len(answered)))
    alias = {name: f"rater-{number:0{digits}d}" for number, name in enumerate(sorted(answered), start=1)}
    excluded = [
        replace(one, name=f"excluded-{number:0{len(str(len(data.excluded_raters)))}d}")
        for number, one in enumerate(data.excluded_raters, start=1)
    ]
    dimensions = [replace(one, raters=[alias[name] for name in one.raters]) for one in data.dimensions]
    return replace(
        rows,
        data=replace(data, dimensions=dimensions, excluded_raters=excluded),
        kind_of_rater={alias[name]: kind for name, kind in rows.kind_of_rater.items() if name in alias},
        unable={name: [(unit, alias[rater]) for unit, rater in found] for name, found in rows.unable.items()},
    )


def _images(study: Study) -> Iterator[tuple[str, str, str, str, str]]:
    shown = ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED).order_by("item__position", "slot")
    names = ("item__key", "image__key", "image__method__name", "image__sha256", "image__format")
    for item, key, method, digest, kind in shown.values_list(*names).iterator(chunk_size=2000):
        yield item, key, method or "", digest, image_file(digest, kind) if digest else ""


def _write(path: Path, chunks: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(chunks)
