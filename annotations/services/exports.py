"""Files of all answers in a study: single ones as a stream, or all of them in one zip."""

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from math import isnan
from pathlib import Path
from typing import IO, BinaryIO, TextIO

import numpy as np
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils import timezone
from numpy.typing import NDArray

from annotations.kinds.protocols import protocol_of
from annotations.kinds.registry import KINDS
from annotations.models import Dimension, ReportSnapshot, Study
from annotations.queries import exports as queries
from annotations.queries import preferences
from annotations.queries.audits import exports as audits
from annotations.queries.exports import Rows
from annotations.queries.planning import looks
from annotations.queries.raters import consensus
from annotations.queries.results import StudyRows, study_rows
from annotations.queries.structured import parts
from annotations.reports.study.data import StudyData
from annotations.reports.study.files.items import column_of
from annotations.reports.study.files.questions import QUESTION_COLUMNS, question_rows
from annotations.version import code_version
from exchange.export import Column, TwoFiles, csv_chunks, data_dictionary, json_line_chunks, write_parquet
from exchange.tables.values import text_of


class NothingToRelease(ValueError):
    """A study that nobody has answered."""


@dataclass(frozen=True)
class Table:
    """One kind of rows in which a study can be exported."""

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
        """Writes the file; returns the number of rows."""
        return write_parquet(target, self.columns, self.rows(study))


COUNTING, EVERY = "answers", "answers-all-revisions"
TABLES = {
    table.name: table
    for table in (
        Table(
            COUNTING,
            "Answers that count, one per row",
            queries.RESPONSES,
            lambda study: queries.response_rows(study, all_revisions=False),
        ),
        Table(
            EVERY,
            "Every revision of every answer",
            queries.RESPONSES,
            lambda study: queries.response_rows(study, all_revisions=True),
        ),
        Table("votes", "Preferences as votes between methods", preferences.VOTES, preferences.vote_rows),
        Table("rankings", "Rankings of methods, one image per row", preferences.RANKINGS, preferences.ranking_rows),
        Table("best-worst", "Best and worst of each card", preferences.BEST_WORST, preferences.best_worst_rows),
        Table("parts", "Words, parts of prompts and places, one per row", parts.PARTS, parts.part_rows),
        Table("consensus", "What most raters say about each item", consensus.CONSENSUS, consensus.consensus_rows),
        Table("looks", "Looks at the comparison of two methods", looks.LOOKS, looks.look_rows),
        Table("late-answers", "Answers that came too late", queries.LATE, queries.late_rows),
        Table("checks", "Answers to hidden repeats and checks", queries.CHECKS, queries.check_rows),
        Table("raters", "Raters, and who is excluded why", queries.RATERS, queries.rater_rows),
        Table("verdicts", "Auditors' verdicts on the critic's claims", audits.VERDICTS, audits.verdict_rows),
        Table("missed-errors", "Errors that auditors listed", audits.MISSED, audits.missed_rows),
        Table("repair-judgements", "What refinement did to claimed errors", audits.REPAIRS, audits.repair_rows),
        Table("element-checks", "Which parts of the prompt are there", audits.ELEMENTS, audits.element_rows),
    )
}
NOTES = (
    "A row of answers-all-revisions with is_current true is one of answers, unless its card was given back",
    "Answers of excluded raters are in answers-all-revisions alone; the table raters says who is excluded and why",
    "An image is named by its source's own key, else by its number here",
    "Answers with is_further true came because of earlier answers: every figure leaves them out but the consensus",
    "Late answers belong to cards that others had answered in full by then; no figure counts them",
    "Where raters saw two images, value and label name the side as it was shown; preferred_method is the image's",
)
QUESTION_FIELDS = ("name", "question", "kind", "about", "levels", "parameters", "allows_unable")
RATING_COLUMNS = ("item", "rater", "rater_kind", "dimension", "value", "active_ms", "sequence")
UNABLE = "unable to answer"
ANALYZE_NOTE = (
    "The folder analyze holds the answers that count as `manage.py analyze` reads them, with the questions and the "
    "comparisons of the results page, whose figures it gives; on both sides of a pair, levels are turned back to the "
    "item's own first and second image; the answers of excluded raters are left out, and excluded-raters.csv names "
    "these raters for the report"
)


def dictionary(study: Study) -> str:
    """The data dictionary of every table, as Markdown."""
    questions = [
        f"- {one.name} ({one.get_kind_display()}): “{one.question}” "
        + ", ".join(f"{level['value']} {level['label']}" for level in one.levels)
        for one in study.dimensions.all()
    ]
    tables = [
        data_dictionary(table.columns, title=f"{table.title} ({table.name})", notes=NOTES) for table in TABLES.values()
    ]
    title = f"# {' '.join(study.title.split())}"
    return "\n".join([title, "", "Questions and their scales:", "", *questions, "", *_structures(), "", *tables])


def _structures() -> list[str]:
    """The structure of answers that are not a single level."""
    notes = [f"- {Dimension.Kind(key).label}: {kind.in_files}" for key, kind in KINDS.items() if not kind.has_levels]
    parts = ", ".join(str(Dimension.Kind(key).label) for key, kind in KINDS.items() if kind.has_parts)
    return [
        "Answers that are not a single level, in the column answer:",
        "",
        *notes,
        "",
        f"The table parts has a row for each part of an answer, with its words. Answers with parts are: {parts}.",
    ]


def study_description(study: Study) -> str:
    """How the study was set up, as JSON."""
    fields = (
        *("title", "notes", "consent", "instructions", "exclusion_rule"),
        *("item_kind", "raters_per_item", "items_per_rater", "order"),
    )
    description = {name: getattr(study, name) for name in fields}
    description |= {
        "seed": study.seed,
        "pairing": _pairing(study),
        "protocol": _protocol(study),
        "is_simulated": study.is_simulated,
        "owner": study.owner.get_username(),
        "created_at": study.created_at.isoformat(),
        "exported_at": timezone.now().isoformat(timespec="seconds"),
        "code_version": code_version(),
        "dimensions": list(study.dimensions.order_by("position").values(*QUESTION_FIELDS)),
    }
    return json.dumps(description, ensure_ascii=False, indent=1)


def export_name(study: Study) -> str:
    """The name of the file that `export_study` writes."""
    return f"exports/{study.token}/study.zip"


def _protocol(study: Study) -> dict[str, object] | None:
    """The published protocol that the study follows word for word; None if there is none."""
    found = protocol_of(study, list(study.dimensions.order_by("position")))
    return {"key": found.key, "version": found.version, "source": found.source} if found else None


def _pairing(study: Study) -> dict[str, object] | None:
    """Which images meet in pairs; None if the study shows no pairs."""
    if study.item_kind != Study.ItemKind.PAIR:
        return None
    baseline = study.pair_baseline.name if study.pair_baseline else None
    is_sample = study.pairing == Study.Pairing.SAMPLE
    return {
        "rule": study.pairing,
        "baseline": baseline,
        "pairs_per_prompt": study.pairs_per_prompt if is_sample else None,
    }


def export_study(*, study: Study) -> str:
    """Put every file of the study into one zip in the default storage; returns its name there. Memory is bounded.

    An earlier zip is replaced. The study's random token keeps the name from being guessed.
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

        _put_descriptions(study, put)
        for table in TABLES.values():
            put(f"{table.name}.csv", table.csv(study))
        _put_results(study, put)


def write_folder(*, study: Study, folder: Path) -> list[Path]:
    """The same files, and Parquet, into a folder; their paths in the order written.

    Each is written to a temporary file and moved when it is complete. Rows are read once for all files that contain
    them.
    """
    written: list[Path] = []

    def done(*names: str) -> None:
        for name in names:
            _part(folder / name).replace(folder / name)
            written.append(folder / name)

    def put(name: str, chunks: Iterable[str]) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with _open_csv(folder / name) as file:
            file.writelines(chunks)
        done(name)

    folder.mkdir(parents=True, exist_ok=True)
    _put_descriptions(study, put)
    with _both(folder, TABLES[COUNTING]) as counting, _both(folder, TABLES[EVERY]) as every:
        for does_count, row in queries.marked_rows(study):
            every.add(row)
            if does_count:
                counting.add(row)
    for table in TABLES.values():
        if table.name not in (COUNTING, EVERY):
            with _both(folder, table) as files:
                for row in table.rows(study):
                    files.add(row)
        done(f"{table.name}.csv", f"{table.name}.parquet")
    _put_results(study, put)
    return written


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _open_csv(path: Path) -> TextIO:
    return _part(path).open("w", encoding="utf-8", newline="")


@contextmanager
def _both(folder: Path, table: Table) -> Iterator[TwoFiles]:
    """The unfinished CSV and Parquet of a table."""
    with (
        _open_csv(folder / f"{table.name}.csv") as file,
        TwoFiles(file, _part(folder / f"{table.name}.parquet"), table.columns) as files,
    ):
        yield files


def _put_descriptions(study: Study, put: Callable[[str, Iterable[str]], None]) -> None:
    put("README.md", [dictionary(study), f"\n{ANALYZE_NOTE}.\n"])
    put("study.json", [study_description(study)])


def _put_results(study: Study, put: Callable[[str, Iterable[str]], None]) -> None:
    rows = study_rows(study)
    for name, chunks in analyze_files(study, rows):
        put(f"analyze/{name}", chunks)
    report = study.snapshots.filter(state=ReportSnapshot.State.DONE).first()
    if report is not None:
        put("report.json", [json.dumps(report.results, ensure_ascii=False, allow_nan=False, indent=1)])


def analyze_files(study: Study, rows: StudyRows) -> Iterator[tuple[str, Iterator[str]]]:
    """(name, CSV in pieces) of the files that `manage.py analyze` reads."""
    from annotations.services.reports import default_comparisons  # takes half a second, and one table does not need it

    data = rows.data
    yield "questions.csv", csv_chunks(QUESTION_COLUMNS, question_rows(data.dimensions))
    yield "ratings.csv", csv_chunks(RATING_COLUMNS, _rating_rows(rows))
    columns, item_rows = _items(data)
    yield "items.csv", csv_chunks(columns, item_rows)
    yield "metrics.csv", csv_chunks(("item", "metric", "value"), _score_rows(data))
    yield "comparisons.csv", csv_chunks(("baseline", "refined"), default_comparisons(study, data))
    if data.excluded_raters:
        excluded = ((one.name, one.reason, one.n_answers) for one in data.excluded_raters)
        yield "excluded-raters.csv", csv_chunks(("rater", "reason", "n_answers"), excluded)


def _rating_rows(rows: StudyRows) -> Rows:
    """One row per answer, with "unable to answer" after answers that are a level."""
    data, kinds = rows.data, rows.kind_of_rater
    for dimension in data.dimensions:
        ratings, name = dimension.ratings, dimension.name
        values = [Decimal(text_of(value)) for value in ratings.values.tolist()]
        raters = [(rater, kinds[rater]) for rater in dimension.raters]
        units = [data.units[unit] for unit in dimension.units]
        milliseconds = _whole_numbers(dimension.seconds, 1000.0, len(ratings))
        places = _whole_numbers(dimension.order, 1.0, len(ratings))
        for i in range(len(ratings)):
            rater, kind = raters[ratings.rater[i]]
            yield units[ratings.unit[i]], rater, kind, name, values[ratings.level[i]], milliseconds[i], places[i]
        for unit, rater in rows.unable[name]:
            yield data.units[unit], rater, kinds[rater], name, UNABLE, None, None


def _whole_numbers(values: NDArray[np.float64] | None, factor: float, n: int) -> list[int | None]:
    """(n,) the values times the factor, None if they are unknown."""
    if values is None:
        return [None] * n
    return [None if isnan(value) else round(value * factor) for value in values.tolist()]


def _items(data: StudyData) -> tuple[list[str], Rows]:
    def rows() -> Rows:
        for i, unit in enumerate(data.units):
            prompt, method = data.prompt[i], data.method[i]
            named = (data.prompts[prompt] if prompt >= 0 else "", data.methods[method] if method >= 0 else "")
            yield (unit, *named, *(column[i] for column in data.facets.values()))

    return ["item", "prompt_id", "method", *map(column_of, data.facets)], rows()


def _score_rows(data: StudyData) -> Rows:
    for name, scores in zip(data.metrics, data.scores, strict=True):
        for unit in np.flatnonzero(np.isfinite(scores)):
            yield data.units[int(unit)], name, float(scores[unit])
