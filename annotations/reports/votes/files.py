"""Votes from a file, checked while they are read."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from annotations.reports.bad_data import BadData
from annotations.stats.preferences.votes import LOSES, TIE, WINS, Facet, Votes
from exchange.rejects import BadFile, Reject, RejectLog
from exchange.tables.cells import Cells
from exchange.tables.headers import Columns, folded
from exchange.tables.rows import read_rows

ONE_QUESTION = "preference"
FACETS = ("category", "sub_category")
"""Columns that put votes and rankings into categories."""
LONGEST_NAME = 200
COLUMNS = Columns(
    required=("method_a", "method_b", "winner"),
    optional=("rater", "prompt", "side", "seed", "question", *FACETS),
    aliases={
        "model_a": "method_a",
        "model_b": "method_b",
        "annotator": "rater",
        "rater_id": "rater",
        "judge": "rater",
        "prompt_id": "prompt",
        "question_id": "prompt",
        "dimension": "question",
        "left": "side",
        "prompt_category": "category",
    },
    names=("method_a", "method_b", "winner", "rater", "prompt", "question", *FACETS),
    extra="drop",
)
_FIRST = {"model_a", "method_a", "a", "left", "first"}
_SECOND = {"model_b", "method_b", "b", "right", "second"}
_TIES = {"tie", "ties", "both", "both_good", "both_bad", "tie_(bothbad)", "tie_(both_bad)", "bothbad", "draw", "equal"}
OnBadValue = Literal["error", "exclude"]


def read_votes(source: Path, *, on_bad_value: OnBadValue, log: RejectLog) -> dict[str, Votes]:
    """The votes of a file by question, in the order in which questions first occur.

    winner  the name of one of the two methods, or in the arena convention "model_a", "model_b", "tie",
            "tie (bothbad)"; a method's own name wins over the convention
    side    optional: which of the two was on the left, as "a" or "b", "left" or "right" (of method_a), or by name
    category, sub_category   optional: of the prompt
    A missing rater or prompt in some rows counts as a separate rater or prompt. Raises BadFile and BadData as
    `read_study`.
    """
    questions: dict[str, _Question] = {}
    n_rows = 0
    for cells in _rows(source, log):
        n_rows += 1
        first, second = (cells.name(name, max_length=LONGEST_NAME) for name in ("method_a", "method_b"))
        winner = cells.name("winner", max_length=LONGEST_NAME)
        if cells.ok and first == second:
            cells.reject("method_b", f"the method {first!r} meets itself", "name two methods, or leave the vote out")
        outcome = _outcome(cells, winner, first, second) if cells.ok else None
        kind = _tie_kind(winner) if outcome == TIE else ""
        side = _side(cells, first, second) if cells.ok else None
        if not cells.ok or outcome is None or side is None:
            continue
        question = cells.text("question", required=False) or ONE_QUESTION
        questions.setdefault(question, _Question()).add(
            first,
            second,
            outcome,
            side,
            cells.text("rater", required=False),
            cells.text("prompt", required=False),
            kind,
            [cells.text(name, required=False) for name in FACETS],
        )
    if log.total and (on_bad_value == "error" or not questions):
        raise BadData(log, is_all=not questions)
    if not questions:
        raise BadFile(Reject(source.name, None, "", "", "there are no votes in it", "export the votes again"))
    return {name: question.votes() for name, question in questions.items()}


def _rows(source: Path, log: RejectLog) -> Iterator[Cells]:
    for row in read_rows(source, name=source.name, columns=COLUMNS, log=log):
        yield Cells(row, log)


def _outcome(cells: Cells, winner: str, first: str, second: str) -> int | None:
    by_name: Mapping[str, int] = {first: WINS, second: LOSES}
    if winner in by_name:
        return by_name[winner]
    word = folded(winner)
    for words, outcome in ((_FIRST, WINS), (_SECOND, LOSES), (_TIES, TIE)):
        if word in words:
            return outcome
    cells.reject(
        "winner",
        "neither of the two methods, and not a word for the outcome",
        f"write {first}, {second}, model_a, model_b, tie or tie (bothbad)",
    )
    return None


def _tie_kind(winner: str) -> str:
    """What kind of tie the word names, as in "tie (bothbad)"."""
    word = folded(winner)
    return "both bad" if "bad" in word else "both good" if "good" in word else "tie"


def _side(cells: Cells, first: str, second: str) -> int | None:
    """1 where the first was on the left, −1 on the right, 0 where the file does not say."""
    if not cells.has("side"):
        return 0
    name = cells.text("side")
    if name in (first, second):
        return 1 if name == first else -1
    word = folded(name)
    if word in _FIRST:
        return 1
    if word in _SECOND:
        return -1
    cells.reject("side", "it does not say which method was on the left", "write a or b: the method on the left")
    return None


class FacetColumn:
    """The categories of one facet, collected row by row."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self._codes: list[int] = []

    def add(self, text: str) -> None:
        self._codes.append(self.names.setdefault(text, len(self.names)) if text else -1)

    def facet(self) -> Facet:
        return Facet.coded(list(self.names), np.array(self._codes, np.int64))


class _Question:
    """The votes on one question, collected row by row."""

    def __init__(self) -> None:
        self._names: tuple[dict[str, int], dict[str, int], dict[str, int]] = ({}, {}, {})
        self._columns: tuple[list[int], ...] = ([], [], [], [], [], [], [])
        self._kinds: dict[str, int] = {}
        self._facets = {name: FacetColumn() for name in FACETS}
        self._has_rater = self._has_prompt = False

    def add(
        self,
        first: str,
        second: str,
        outcome: int,
        side: int,
        rater: str,
        prompt: str,
        tie_kind: str = "",
        categories: Sequence[str] = ("", ""),
    ) -> None:
        methods, raters, prompts = self._names
        self._has_rater, self._has_prompt = self._has_rater or bool(rater), self._has_prompt or bool(prompt)
        alone = len(self._columns[0])
        row = (
            methods.setdefault(first, len(methods)),
            methods.setdefault(second, len(methods)),
            outcome,
            side,
            raters.setdefault(rater or f"\0{alone}", len(raters)),
            prompts.setdefault(prompt or f"\0{alone}", len(prompts)),
            self._kinds.setdefault(tie_kind, len(self._kinds)) if tie_kind else -1,
        )
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        for facet, text in zip(self._facets.values(), categories, strict=True):
            facet.add(text)

    def votes(self) -> Votes:
        first, second, outcome, side, rater, prompt, kind = (np.array(column, np.int64) for column in self._columns)
        return Votes(
            list(self._names[0]),
            first,
            second,
            outcome,
            rater if self._has_rater else None,
            prompt if self._has_prompt else None,
            side,
            tie_kind=kind if self._kinds else None,
            tie_kinds=list(self._kinds),
            facets={name: column.facet() for name, column in self._facets.items() if column.names},
        )
