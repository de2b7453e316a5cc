"""Surveys: a row for each person, a column for each question, and the image in the question's text.

Qualtrics puts the questions' texts and its own identifiers into two rows under the header; Google Forms puts the text
into the header, with the row of a grid in brackets.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from exchange.identity import identity
from exchange.rejects import bad_file
from exchange.tables.headers import folded
from exchange.tables.row import JsonValue, Row
from exchange.tables.values import text_of
from exchange.wording import listed

from . import column_names as names
from .references import image_in
from .shape import ONLY_QUESTION, Answer, Parts, Shape, Sheet, Skipped

_QUALTRICS = frozenset(
    (
        *("startdate", "enddate", "status", "ipaddress", "progress", "duration_(in_seconds)", "finished"),
        *("recordeddate", "responseid", "recipientlastname", "recipientfirstname", "recipientemail"),
        *("externalreference", "externaldatareference", "locationlatitude", "locationlongitude"),
        *("distributionchannel", "userlanguage", "response_id", "start_date", "end_date", "response_type"),
    )
)
_NOT_MEANT = {
    "survey preview": "a preview",
    "1": "a preview",
    "survey test": "a test",
    "2": "a test",
    "spam": "spam",
    "8": "spam",
}
_PERSON = re.compile(r"prolific|worker.?id|participant|e-?mail|user.?name|your (?:name|id|code)|respondent|subject.?id")
_TIMESTAMPS = frozenset(
    (
        "timestamp",
        "zeitstempel",
        "horodateur",
        "marca_temporal",
        "carimbo_de_data/hora",
        "informazioni_cronologiche",
        "tijdstempel",
        "tidsstämpel",
        "отметка_времени",
        "zaman_damgası",
        "タイムスタンプ",
        "时间戳记",
        "타임스탬프",
    )
)
MOST_CHARACTERS = 120


def recognised(sheet: Sheet) -> Shape | None:
    return _qualtrics(sheet) or _form(sheet)


@dataclass(frozen=True)
class _About:
    """What a column asks: the image, the question, and its wording."""

    item: str
    question: str


def _qualtrics(sheet: Sheet) -> Shape | None:
    folds = {folded(column) for column in sheet.columns}
    if not folds & {"responseid", "response_id"} or len(folds & _QUALTRICS) < 3 or not sheet.head:
        return None
    n_header = 1
    if len(sheet.head) > 1 and any("ImportId" in text_of(cell) for cell in sheet.head[1].values.values()):
        n_header = 2
    elif any("ImportId" in text_of(cell) for cell in sheet.head[0].values.values()):
        n_header = 1
    elif not _is_text_row(sheet.head[0]):
        n_header = 0
    texts = sheet.head[0].values if n_header else {}
    columns = [column for column in sheet.columns if folded(column) not in _QUALTRICS]
    about = _about({column: text_of(texts.get(column)) or column for column in columns}, fallback=columns)
    if not about:
        asked = [f"{column}: {text_of(texts.get(column))}" for column in columns]
        raise bad_file(
            sheet.file,
            f"this is a Qualtrics export, and no question names the image that it is about; there are {listed(asked)}",
            'say it in a mapping: {"items": {"Q1": "p1.png", "Q2": "p2.png"}}',
        )
    rows = sheet.head[n_header:]
    people = [c for c in columns if c not in about and _names_people(c, rows)]
    own = next(column for column in sheet.columns if folded(column) in ("responseid", "response_id"))
    by_name = {folded(column): column for column in sheet.columns}
    status = by_name.get("status", by_name.get("response_type", ""))

    def parts(row: Row) -> Parts:
        cells = row.values
        reason = _NOT_MEANT.get(identity(text_of(cells.get(status))).casefold()) if status else None
        if reason:
            yield Skipped(reason, len(about))
            return
        rater = next((text for c in people if (text := identity(text_of(cells.get(c))))), text_of(cells.get(own)))
        yield from _answers(row, about, rater, cells.get(by_name.get("recordeddate", by_name.get("enddate", ""))))

    unused = [column for column in columns if column not in about and column not in people]
    return Shape("Qualtrics", parts, questions=_words(about), unused=unused, header_rows=n_header)


def _is_text_row(row: Row) -> bool:
    """Whether a row only explains the header, as Qualtrics writes under its own columns' names."""
    return any(folded(text_of(cell)) in _QUALTRICS for cell in row.values.values())


def _names_people(column: str, rows: Sequence[Row]) -> bool:
    if folded(column) not in names.RATER and not _PERSON.search(column.casefold()):
        return False
    return any(identity(text_of(row.values.get(column))) for row in rows)


def _form(sheet: Sheet) -> Shape | None:
    is_form = bool(sheet.columns) and folded(sheet.columns[0]) in _TIMESTAMPS
    columns = [column for column in sheet.columns if folded(column) not in _TIMESTAMPS]
    about = _about({column: column for column in columns}, fallback=())
    if len(about) < 2 and not (is_form and about):
        return None
    people = [c for c in columns if c not in about and _names_people(c, sheet.head)]
    time = sheet.columns[0] if is_form else ""

    def parts(row: Row) -> Parts:
        cells = row.values
        rater = next((text for c in people if (text := identity(text_of(cells.get(c))))), f"respondent {row.number}")
        yield from _answers(row, about, rater, cells.get(time) if time else None)

    name = "Google Forms" if is_form else "a column for each image, a row for each rater"
    unused = [column for column in columns if column not in about and column not in people]
    if not people:
        name += ", whose respondents have no names and are numbered by row"
    return Shape(name, parts, questions=_words(about), unused=unused)


def _answers(row: Row, about: Mapping[str, _About], rater: str, when: JsonValue) -> Parts:
    single = len({one.question for one in about.values()}) == 1
    moment = text_of(when) if re.fullmatch(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?(\.\d+)?", text_of(when)) else ""
    more = {"answered_at": moment.replace(" ", "T")} if moment else {}
    for column, one in about.items():
        question = ONLY_QUESTION if single else one.question
        yield Answer(one.item, rater, question, row.values.get(column), column, more)


def _words(about: Mapping[str, _About]) -> dict[str, str]:
    asked = list(dict.fromkeys(one.question for one in about.values()))
    return {ONLY_QUESTION: asked[0]} if len(asked) == 1 else {question: question for question in asked}


def _about(texts: Mapping[str, str], *, fallback: Sequence[str]) -> dict[str, _About]:
    """Column → what it is about, for every column whose text, or otherwise whose name, has the name of one image."""
    found: dict[str, _About] = {}
    for column, text in texts.items():
        item = image_in(text)
        if item:
            found[column] = _About(item, _question(text, item))
        elif column in fallback and image_in(column):
            found[column] = _About(image_in(column), _question(text, image_in(column)))
    return found


def _question(text: str, item: str) -> str:
    """The question's text without its image: the same for all images."""
    rest = re.sub(rf"\s*[\[(<\"'“]?\s*\S*{re.escape(item)}\s*[\])>\"'”]?", " … ", text)
    rest = " ".join(rest.replace(" … ?", " …?").replace(" … .", " ….").split())
    rest = re.sub(r"^[\s…:–—-]+|[\s…:–—-]+$", "", rest) or "rating"
    return rest if len(rest) <= MOST_CHARACTERS else f"{rest[: MOST_CHARACTERS - 1]}…"
