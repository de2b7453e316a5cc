"""Files in a temporary folder, and small tables and bundles to import."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from pytest_django import Settings

from exchange.rejects import RejectLog
from generation.queries.importers import Source


@pytest.fixture(autouse=True)
def _temporary_storage(settings: Settings, tmp_path: Path) -> None:
    settings.STORAGES = {
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "media")},
        },
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def log() -> RejectLog:
    return RejectLog(keep=1_000)


Table = Callable[..., Source]


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """Writes text, rows (CSV with the first row's keys) or objects (JSON lines) into a file, as a source."""

    def write(content: str | Sequence[Mapping[str, object]], name: str = "table.csv") -> Source:
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif name.endswith(".jsonl"):
            path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
        else:
            stream = io.StringIO()
            writer = csv.DictWriter(stream, list(content[0]))
            writer.writeheader()
            writer.writerows(content)
            path.write_text(stream.getvalue(), encoding="utf-8")
        return Source(name, path)

    return write


Bundle = Callable[..., Source]


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """Packs files (name → bytes or text) into a zip, as a source."""

    def pack(files: Mapping[str, bytes | str], name: str = "images.zip") -> Source:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w") as archive:
            for entry, content in files.items():
                archive.writestr(entry, content)
        return Source(name, path)

    return pack
