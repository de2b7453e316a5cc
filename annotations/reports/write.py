"""Writes a document's files into one folder."""

from collections.abc import Sequence
from pathlib import Path

from annotations.reports.documents.conversion import Document
from annotations.reports.outputs import report_files


def write_report(
    document: Document, folder: Path, excluded: Sequence[str] = (), *, is_quick: bool = False
) -> list[Path]:
    """The files of a report (see `outputs`) in the order written."""
    files = report_files(document, excluded, is_quick=is_quick)
    return [_write(folder / name, content) for name, content in files]


def _write(path: Path, content: bytes) -> Path:
    # Written to a temporary file and then moved: a reader never sees half a file, and a failure keeps the old one.
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
    return path
