"""Writes a document's files into one folder."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from annotations.reports.page import page
from annotations.reports.tables import TABLES
from exchange.export import csv_chunks


def write_report(document: Mapping[str, Any], folder: Path, excluded: Sequence[str] = ()) -> list[Path]:
    """Every table as CSV, report.json and report.html; the files in the order written.

    A table that the data do not allow (no metrics, no comparison) is written with its header alone, so that who reads
    it by script finds a file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (columns, rows) in TABLES.items():
        written.append(_write(folder / f"{name}.csv", csv_chunks(columns, rows(document))))
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    written.append(_write(folder / "report.json", [text]))
    written.append(_write(folder / "report.html", [page(document, list(excluded))]))
    return written


def _write(path: Path, chunks: Iterable[str]) -> Path:
    # Written beside and moved: a reader never meets half a file, and a failure leaves the old one.
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        file.writelines(chunks)
    part.replace(path)
    return path
