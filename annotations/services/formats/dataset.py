"""A data-set folder that Hugging Face's libraries can load: Parquet tables, images with their table, card,
Croissant."""

import csv
import hashlib
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from annotations.models import Study
from annotations.reports.documents.study import StudyDocument
from annotations.reports.paper.limits import limits
from annotations.reports.paper.markdown import literal, plain
from annotations.reports.paper.methods import methods
from annotations.reports.paper.summary import summary
from annotations.reports.release.described import (
    COLUMNS,
    OTHER_COLUMN,
    TABLE_TITLES,
    card_head,
    licence_and_contact,
    responsible_ai,
)
from annotations.reports.release.recompute import recompute
from annotations.services.release import MISSING, missing_list, write_rows
from exchange.export import Column, ColumnType, csv_chunks, write_parquet
from exchange.formulas import restore
from exchange.writing.croissant import Field, data_set, file_object, file_records, file_set, record_set
from generation.models import Image
from generation.queries.stored_files import FileGone, opened

ROWS_AT_ONCE = 500
NUMBERS: dict[str, ColumnType] = {"active_ms": "integer", "sequence": "integer", "n_answers": "integer"}
IMAGE_COLUMNS = ("file_name", "key", "prompt", "prompt_key", "method", "seed", "round", "parent")
CROISSANT_TYPES = {"text": "Text", "integer": "Integer", "number": "Float"}
ENDINGS = {"JPEG": "jpg"}
MEDIA_TYPES = {"jpg": "image/jpeg"}
CARD = """Raters have aliases, and their comments are left out. Load it with

    from datasets import load_dataset
    ratings = load_dataset("FOLDER", "ratings")
    images = load_dataset("imagefolder", data_dir="FOLDER/images")

`item` of the ratings is `key` of the images. `croissant.json` describes every table for programs.
`python manage.py import_images FOLDER/images --set NAME` brings the images into another evalsite."""


def write(study: Study, target: IO[bytes]) -> None:
    """The folder as a zip. Raises NothingToRelease if nobody has answered.

    The images are the originals, byte for byte. Images held elsewhere are only in the tables; so are those whose files
    are missing, which missing-images.txt lists.
    """
    with tempfile.TemporaryDirectory() as held, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        folder = Path(held)
        settings = write_rows(study, folder)
        document = recompute(folder, settings, code_version=settings.code_version)
        tables: dict[str, tuple[list[Column], str]] = {}
        for path in sorted((folder / "data").glob("*.csv")):
            parquet = path.with_suffix(".parquet")
            columns = _columns(path)
            if write_parquet(parquet, columns, _rows(path, columns)):
                tables[path.stem] = columns, _sha256(parquet)
                archive.write(parquet, f"data/{parquet.name}", zipfile.ZIP_STORED)
        missing: list[str] = []
        rows = list(_add_images(study, archive, missing))
        if missing:
            archive.writestr(MISSING, missing_list(missing))
        metadata = "".join(csv_chunks(IMAGE_COLUMNS, rows)).encode() if rows else b""
        if rows:
            archive.writestr("images/metadata.csv", metadata)
        endings = sorted({str(row[0]).rpartition(".")[2] for row in rows})
        archive.writestr("README.md", _card(document, list(tables), len(missing)))
        archive.writestr("croissant.json", _croissant(document, tables, metadata, endings))


def _columns(path: Path) -> list[Column]:
    with path.open(encoding="utf-8", newline="") as file:
        header = [restore(name) for name in next(csv.reader(file))]
    types = NUMBERS | ({"value": "number"} if path.stem == "metrics" else {})
    return [Column(name, types.get(name, "text"), "", COLUMNS.get(name, OTHER_COLUMN)[1]) for name in header]


def _rows(path: Path, columns: list[Column]) -> Iterator[list[object]]:
    read: dict[str, Callable[[str], object]] = {"text": restore, "integer": int, "number": float}
    with path.open(encoding="utf-8", newline="") as file:
        for cells in islice(csv.reader(file), 1, None):
            yield [read[column.type](cell) if cell else None for column, cell in zip(columns, cells, strict=True)]


def _add_images(study: Study, archive: zipfile.ZipFile, missing: list[str]) -> Iterator[tuple[object, ...]]:
    """Adds every image that the study shows and whose file is held; yields its row of metadata.csv.

    The keys of images whose files are missing are appended to `missing`.
    """
    names: dict[int, str] = {}
    shown = Image.objects.filter(items__study=study).exclude(sha256="").distinct()
    images = shown.order_by("round", "pk").select_related("prompt", "method")
    for number, image in enumerate(images.iterator(chunk_size=ROWS_AT_ONCE), start=1):
        ending = ENDINGS.get(image.format, image.format.lower())
        key = image.key or f"image {image.pk}"
        name = f"image-{number:06d}.{ending}"
        try:
            with opened(image.file) as file:
                archive.writestr(zipfile.ZipInfo(f"images/{name}"), file.read(), zipfile.ZIP_STORED)
        except FileGone:
            missing.append(key)
            continue
        names[image.pk] = name
        made_from = names.get(image.parent_id or 0, "")
        round_ = image.round if made_from or not image.round else None
        yield name, key, image.prompt.text, image.prompt.key, image.method.name, image.seed, round_, made_from


def _card(document: StudyDocument, tables: list[str], n_missing: int) -> str:
    n = sum(dimension.n_ratings for dimension in document.dimensions)
    head = card_head(document.title, n, {name: f"data/{name}.parquet" for name in tables})
    body = [
        f"# {literal(document.title)}",
        *map(literal, summary(document)),
        CARD,
        *([f"The files of {n_missing} of the images are missing; `{MISSING}` lists them."] if n_missing else []),
        "## How it was collected",
        *(literal(plain(paragraph)) for paragraph in methods(document)),
        "## Limits",
        "\n".join(f"- {literal(line)}" for line in limits(document)),
        "## Licence and contact",
        licence_and_contact(document),
    ]
    return "\n".join(head) + "\n" + "\n\n".join(body) + "\n"


def _croissant(
    document: StudyDocument, tables: dict[str, tuple[list[Column], str]], metadata: bytes, endings: list[str]
) -> str:
    distribution: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    for name, (columns, sha256) in tables.items():
        file = f"{name}.parquet"
        distribution.append(
            file_object(file, address=f"data/{file}", media_type="application/x-parquet", sha256=sha256)
        )
        fields = [Field(column.name, CROISSANT_TYPES[column.type], column.meaning) for column in columns]
        records.append(record_set(name, description=TABLE_TITLES.get(f"data/{name}.csv", ""), file=file, fields=fields))
    if metadata:
        digest = hashlib.sha256(metadata).hexdigest()
        distribution.append(
            file_object("metadata.csv", address="images/metadata.csv", media_type="text/csv", sha256=digest)
        )
        for ending in endings:  # readers decode by type, and a file set has only one type
            media_type = MEDIA_TYPES.get(ending, f"image/{ending}")
            distribution.append(file_set(f"{ending}-files", pattern=f"images/*.{ending}", media_type=media_type))
            about = f"The images themselves, those in {ending}"
            records.append(file_records(f"pictures-{ending}", description=about, files=f"{ending}-files"))
        fields = [Field(name, "Text", _meaning(name)) for name in IMAGE_COLUMNS]
        about = "Each image with its file, prompt and method"
        records.append(record_set("image-table", description=about, file="metadata.csv", fields=fields))
    made = data_set(
        name=document.key,
        description=" ".join(summary(document)),
        published=document.made.at[:10],
        facts=responsible_ai(document),
        distribution=distribution,
        record_sets=records,
    )
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _meaning(column: str) -> str:
    return {
        "file_name": "The image's file, next to the table",
        "key": "The image's name, which ratings call it by",
        "prompt": "The prompt's text",
        "prompt_key": "The prompt's identifier in its source",
        "method": "What made the image",
        "seed": "The seed with which it was made",
        "round": "How many refinements deep it is",
        "parent": "The file that it was refined from",
    }[column]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
