"""Files of everything that was answered in a study: single ones in a stream, or all of them in one zip."""

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils import timezone

from annotations.models import ReportSnapshot, Study
from annotations.queries import audit_exports as audits
from annotations.queries import exports as queries
from annotations.queries.exports import Rows
from annotations.queries.results import study_data
from annotations.reports.data import StudyData
from annotations.reports.files import ITEMS
from annotations.version import code_version
from exchange.export import Column, csv_chunks, data_dictionary, json_line_chunks, write_parquet


@dataclass(frozen=True)
class Table:
    """One kind of row that a study can be exported as."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Callable[[Study], Rows]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def csv(self, study: Study) -> Iterator[str]:
        return csv_chunks(self.names, self.rows(study))

    def json_lines(self, study: Study) -> Iterator[str]:
        return json_line_chunks(self.names, self.rows(study))

    def parquet(self, study: Study, target: Path | BinaryIO) -> int:
        """Writes the file; how many rows."""
        return write_parquet(target, self.columns, self.rows(study))


TABLES = {
    table.name: table
    for table in (
        Table(
            "answers",
            "Answers that count, one a row",
            queries.RESPONSES,
            lambda study: queries.response_rows(study, all_revisions=False),
        ),
        Table(
            "answers-all-revisions",
            "Every revision of every answer",
            queries.RESPONSES,
            lambda study: queries.response_rows(study, all_revisions=True),
        ),
        Table("late-answers", "Answers that came too late", queries.LATE, queries.late_rows),
        Table("verdicts", "Auditors' verdicts on the critic's claims", audits.VERDICTS, audits.verdict_rows),
        Table("missed-errors", "Errors that auditors listed", audits.MISSED, audits.missed_rows),
        Table("repair-judgements", "What refinement did to claimed errors", audits.REPAIRS, audits.repair_rows),
        Table("element-checks", "Which parts of the prompt are there", audits.ELEMENTS, audits.element_rows),
    )
}
NOTES = (
    "Rows of answers-all-revisions with is_current true are the rows of answers, unless their card was given back",
    "An image is named by its source's own key, else by its number here",
    "Late answers belong to cards that others had answered in full meanwhile; no figure counts them",
    "Where raters saw two images, value and label name the side as it was shown; preferred_method is the image's",
)
RESERVED = {*ITEMS.required, *ITEMS.optional, *ITEMS.aliases}
"""Names that the items file of `analyze` gives a meaning: no facet of it can be called so."""
ANALYZE_NOTE = (
    "The folder analyze holds the answers that count as `manage.py analyze` reads them; on both sides of a pair, "
    "levels are turned back to the item's own first and second image; “unable to answer” is left out"
)


def dictionary(study: Study) -> str:
    """The data dictionary of every table, as Markdown."""
    questions = [
        f"- {one.name}: “{one.question}” " + ", ".join(f"{level['value']} {level['label']}" for level in one.levels)
        for one in study.dimensions.all()
    ]
    parts = [
        data_dictionary(table.columns, title=f"{table.title} ({table.name})", notes=NOTES) for table in TABLES.values()
    ]
    return "\n".join(
        [f"# {' '.join(study.title.split())}", "", "Questions and their scales:", "", *questions, "", *parts]
    )


def study_description(study: Study) -> str:
    """How the study was set up, as JSON."""
    fields = ("title", "notes", "consent", "instructions", "item_kind", "raters_per_item", "items_per_rater", "order")
    description = {name: getattr(study, name) for name in fields}
    description |= {
        "seed": study.seed,
        "is_simulated": study.is_simulated,
        "owner": study.owner.get_username(),
        "created_at": study.created_at.isoformat(),
        "exported_at": timezone.now().isoformat(timespec="seconds"),
        "code_version": code_version(),
        "dimensions": list(
            study.dimensions.values("name", "question", "kind", "about", "levels", "allows_unable").order_by("position")
        ),
    }
    return json.dumps(description, ensure_ascii=False, indent=1)


def export_name(study: Study) -> str:
    """Where `export_study` puts its file."""
    return f"exports/{study.token}/study.zip"


def export_study(*, study: Study) -> str:
    """Put every file of the study into one zip in the default storage; returns its name there. Bounded memory.

    An earlier one is replaced. The study's random token keeps the name from being guessed.
    """
    name = export_name(study)
    with tempfile.TemporaryFile("w+b") as file:
        write_zip(study=study, target=file)
        file.seek(0)
        default_storage.delete(name)
        return default_storage.save(name, File(file))


def write_zip(*, study: Study, target: IO[bytes]) -> None:
    """The zip of `export_study` into an open file."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:

        def put(name: str, chunks: Iterable[str]) -> None:
            with archive.open(name, "w", force_zip64=True) as file:
                for chunk in chunks:
                    file.write(chunk.encode())

        _write_files(study, put)


def write_folder(*, study: Study, folder: Path) -> list[Path]:
    """The same files, and Parquet, into a folder; their paths in the order written.

    Each is written beside its place and moved there when it is whole.
    """
    written: list[Path] = []

    def put(name: str, chunks: Iterable[str]) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        with part.open("w", encoding="utf-8", newline="") as file:
            file.writelines(chunks)
        part.replace(path)
        written.append(path)

    folder.mkdir(parents=True, exist_ok=True)
    _write_files(study, put)
    for table in TABLES.values():
        part, path = folder / f".{table.name}.parquet.part", folder / f"{table.name}.parquet"
        table.parquet(study, part)
        part.replace(path)
        written.append(path)
    return written


def _write_files(study: Study, put: Callable[[str, Iterable[str]], None]) -> None:
    put("README.md", [dictionary(study), f"\n{ANALYZE_NOTE}.\n"])
    put("study.json", [study_description(study)])
    for table in TABLES.values():
        put(f"{table.name}.csv", table.csv(study))
    data = study_data(study)
    put("analyze/ratings.csv", csv_chunks(("item", "rater", "dimension", "value"), _rating_rows(data)))
    columns, rows = _items(data)
    put("analyze/items.csv", csv_chunks(columns, rows))
    put("analyze/metrics.csv", csv_chunks(("item", "metric", "value"), _score_rows(data)))
    report = study.snapshots.filter(state=ReportSnapshot.State.DONE).first()
    if report is not None:
        put("report.json", [json.dumps(report.results, ensure_ascii=False, allow_nan=False, indent=1)])


def _rating_rows(data: StudyData) -> Rows:
    for dimension in data.dimensions:
        ratings = dimension.ratings
        values = [f"{value:g}" for value in ratings.values]
        for i in range(len(ratings)):
            unit = data.units[dimension.units[ratings.unit[i]]]
            yield unit, dimension.raters[ratings.rater[i]], dimension.name, values[ratings.level[i]]


def _items(data: StudyData) -> tuple[list[str], Rows]:
    facets = [name for name in data.facets if name not in RESERVED]

    def rows() -> Rows:
        for i, unit in enumerate(data.units):
            prompt, method = data.prompt[i], data.method[i]
            named = (data.prompts[prompt] if prompt >= 0 else "", data.methods[method] if method >= 0 else "")
            yield (unit, *named, *(data.facets[name][i] for name in facets))

    return ["item", "prompt_id", "method", *facets], rows()


def _score_rows(data: StudyData) -> Rows:
    for name, scores in zip(data.metrics, data.scores, strict=True):
        for unit in np.flatnonzero(np.isfinite(scores)):
            yield data.units[int(unit)], name, float(scores[unit])
