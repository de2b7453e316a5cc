"""Files that are not ratings although a user may import them as ratings: what they are, and where they belong."""

import re
from collections.abc import Collection

from exchange.identity import identity
from exchange.rejects import BadFile, bad_file
from exchange.tables.headers import folded
from exchange.tables.values import text_of

from .shape import Sheet

_RANK = re.compile(r"(?:.*[_\s])?(?:rank(?:s|ed|ing)?|rang|placement|place|ordering)(?:[_\s].*)?|rank.*|.*ranking")
_PLACE = re.compile(
    r"(?:rank|place|pos(?:ition)?|choice|top)?[_\s]*#?(\d+)(?:st|nd|rd|th)?|(first|second|third|fourth|"
    r"fifth)(?:_choice|_place)?|(best|worst)"
)
_TO_RANKINGS = (
    "use analyze --rankings FILE, which reads mean ranks, first places, pairs and Plackett–Luce worths of them"
)
_PROLIFIC = {"submission_id", "participant_id", "status", "completion_code", "time_taken", "completed_at", "started_at"}


def is_rank_name(name: str) -> bool:
    """Whether a question or a column is called after ranks: rank, ranking, rank_overall, my ranking."""
    return bool(_RANK.fullmatch(folded(name)))


def refuse_other(sheet: Sheet, declared: Collection[str] = ()) -> None:
    """Raises BadFile, with what to do, for a file that clearly does not hold ratings.

    declared: questions whose scale is known, so that a name that sounds like ranks says nothing
    """
    columns = {folded(column) for column in sheet.columns}
    found = _ranks(sheet, declared) or _votes(sheet, columns) or _people(sheet, columns) or _regions(sheet, columns)
    found = found or _scores(sheet, columns)
    if found is not None:
        raise found


def _ranks(sheet: Sheet, declared: Collection[str]) -> BadFile | None:
    places = [column for column in sheet.columns if _PLACE.fullmatch(folded(column))]
    worded = [column for column in places if re.search(r"[a-z]", folded(column))]
    if len(worded) > 1 and all(not _is_number(text_of(cell)) for column in worded for cell in sheet.values(column)):
        return bad_file(sheet.file, f'these are rankings: "{worded[0]}" names what came there', _TO_RANKINGS)
    dimension = next((c for c in sheet.columns if folded(c) in ("dimension", "question", "criterion", "aspect")), None)
    questions = {text_of(cell) for cell in sheet.values(dimension)} if dimension is not None else set()
    ranked = [question for question in questions if is_rank_name(question) and identity(question) not in declared]
    if questions and len(ranked) == len(questions):
        return ranks_fault(sheet.file, ranked[0])
    value = next((c for c in sheet.columns if folded(c) in ("rank", "ranking")), None)
    answers = {"value", "rating", "score", "answer"} & {folded(column) for column in sheet.columns}
    if value is not None and not answers and identity(value) not in declared:
        return ranks_fault(sheet.file, value)
    return None


def ranks_fault(file: str, name: str) -> BadFile:
    """The refusal of a question of ranks."""
    return bad_file(
        file,
        f'"{name[:100]}" holds ranks, which say how items compare with each other and are not ratings of each',
        f"{_TO_RANKINGS}; if these are ratings, rename it",
        field=name[:100],
    )


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"-?\d+([.,]\d+)?", identity(text)))


def _votes(sheet: Sheet, columns: set[str]) -> BadFile | None:
    pairs = ({"model_a", "model_b"}, {"method_a", "method_b"}, {"left_model", "right_model"}, {"model_1", "model_2"})
    if any(pair <= columns for pair in pairs) and columns & {"winner", "vote", "vote_type", "preference", "choice"}:
        cure = "use analyze --votes FILE, which reads win rates and strengths of them"
        return bad_file(sheet.file, "these are votes between two methods, not ratings", cure)
    return None


def _people(sheet: Sheet, columns: set[str]) -> BadFile | None:
    if len(columns & _PROLIFIC) >= 4 and "participant_id" in columns:
        problem = "these are Prolific's submissions: who took part, not ratings"
        return bad_file(sheet.file, problem, "give the survey's own export, which has the answers")
    return None


def _regions(sheet: Sheet, columns: set[str]) -> BadFile | None:
    is_coco = {"images", "annotations"} <= columns and "data" not in columns
    if is_coco or {"bbox", "image_id", "category_id"} <= columns:
        problem = "these are regions of images in COCO's format, not ratings"
        return bad_file(sheet.file, problem, "give the file that holds the answers")
    return None


def _scores(sheet: Sheet, columns: set[str]) -> BadFile | None:
    if "metric" in columns and columns & {"value", "score"} and not columns & {"rater", "annotator", "worker", "user"}:
        problem = "these are scores of metrics, not ratings: no column says who rated"
        return bad_file(sheet.file, problem, "give them as --metrics, with the ratings")
    return None
