"""Questions and comparisons from files, as a study's own export has them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from annotations.reports.study.data import DimensionData
from annotations.reports.study.scales import BadScale, Question, Scales, check_values, parse_kind
from exchange.identity import identity
from exchange.rejects import RejectLog, bad_file
from exchange.tables.coded import CodedTable, read_columns
from exchange.tables.headers import Columns
from exchange.tables.values import BadValue, parse_decimal, text_of

QUESTIONS = Columns(
    required=("dimension", "value"),
    optional=("kind", "label", "question"),
    aliases={"level": "value"},
    names=("dimension",),
    extra="drop",
)
QUESTION_COLUMNS = ("dimension", "kind", "value", "label", "question")
COMPARISONS = Columns(required=("baseline", "refined"), names=("baseline", "refined"), extra="drop")


def question_rows(dimensions: Sequence[DimensionData]) -> Iterator[tuple[object, ...]]:
    """One row per level, in QUESTION_COLUMNS, as `read_questions` reads them."""
    for data in dimensions:
        labels = data.labels or [""] * data.ratings.n_levels
        for value, label in zip(data.ratings.values.tolist(), labels, strict=True):
            yield data.name, data.kind, Decimal(text_of(value)), label, data.question


def read_questions(path: Path, declared: Scales, log: RejectLog) -> Scales:
    """The questions of a file with one row per level, in the order in which they first occur, before those declared.

    The kind is `ordinal` where none is given. Values must ascend within a question. Raises BadFile for a file that
    cannot be read or contradicts itself about a question, and for a question that is also declared.
    """
    table = read_columns(path, name=path.name, columns=QUESTIONS, log=log)
    rows_of: dict[str, list[int]] = {}
    for row in range(len(table)):
        rows_of.setdefault(identity(table["dimension"][row]), []).append(row)
    found: dict[str, Question] = {}
    for name, rows in rows_of.items():
        first = int(table.row_numbers[rows[0]])
        if not name:
            raise bad_file(path.name, "the dimension is missing", "name it", row=first, field="dimension")
        if name in declared.by_dimension:
            raise bad_file(path.name, f"{name!r} is declared by --scale as well", "keep one of the two", row=first)
        found[name] = _question(table, name, rows)
    if not found:
        raise bad_file(path.name, "there is no question in it", "export the study again")
    return replace(declared, by_dimension={**found, **declared.by_dimension})


def _question(table: CodedTable, name: str, rows: list[int]) -> Question:
    def cell(column: str, row: int) -> str:
        return table[column][row].strip() if column in table.columns else ""

    numbers = table.row_numbers
    for column in ("kind", "question"):
        differing = [row for row in rows if cell(column, row) != cell(column, rows[0])]
        if differing:
            problem = f"{name!r} has another {column} in row {numbers[rows[0]]}"
            cure, row = "say the same in all of its rows", int(numbers[differing[0]])
            raise bad_file(table.file, problem, cure, row=row, field=column)
    values = []
    for row in rows:
        text = cell("value", row)
        try:
            values.append(parse_decimal(text))
        except BadValue as bad:
            raise bad_file(
                table.file, bad.problem, bad.cure, row=int(numbers[row]), field="value", value=text
            ) from None
    try:
        kind = parse_kind(cell("kind", rows[0]) or "ordinal")
        check_values(values, name, "list every level once, the lowest first")
    except BadScale as problem:
        raise bad_file(table.file, str(problem), "correct the rows", row=int(numbers[rows[0]])) from None
    labels = tuple(cell("label", row) for row in rows)
    return Question(tuple(values), kind, labels if all(labels) else (), cell("question", rows[0]))


def read_comparisons(path: Path, log: RejectLog) -> list[tuple[str, str]]:
    """(baseline, refined) names of the methods to compare, in the order of the file, each pair once."""
    table = read_columns(path, name=path.name, columns=COMPARISONS, log=log)
    pairs: dict[tuple[str, str], None] = {}
    for row in range(len(table)):
        pair = identity(table["baseline"][row]), identity(table["refined"][row])
        if not all(pair):
            field = "refined" if pair[0] else "baseline"
            number = int(table.row_numbers[row])
            raise bad_file(path.name, f"the {field} is missing", "name the method", row=number, field=field)
        pairs[pair] = None
    return list(pairs)
