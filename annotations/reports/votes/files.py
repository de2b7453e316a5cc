"""Votes from a file, checked while they are read, and the words in which such a file says who won."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from annotations.reports.bad_data import BadData
from annotations.reports.numbers import counted
from annotations.stats.preferences.votes import LOSES, TIE, WINS, Facet, Votes
from exchange.rejects import BadFile, RejectLog, bad_file
from exchange.tables.cells import Cells
from exchange.tables.headers import Columns, folded
from exchange.tables.row import Row
from exchange.tables.rows import read_rows
from exchange.tables.values import MAX_TEXT
from exchange.text import PLAIN, Dialect

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
_MORE = ("question", "rater", "prompt", "seed", *FACETS)
_FIRST = {"model_a", "method_a", "a", "left", "first"}
_SECOND = {"model_b", "method_b", "b", "right", "second"}
_BOTH_BAD = {"tie_(bothbad)", "tie_(both_bad)", "bothbad", "both_bad", "both_are_bad", "neither"}
_BOTH_GOOD = {"tie_(both_good)", "both_good", "both_are_good"}
_TIES = {"tie", "ties", "tied", "both", "draw", "equal", "same", "no_preference", *_BOTH_BAD, *_BOTH_GOOD}
_WINNER_WORDS = ("model_a", "method_a", "first"), ("model_b", "method_b", "second")
_SIDE_WORDS = ("left", "model_a", "first"), ("right", "model_b", "second")
_TIE_WORDS = {
    "tie": ("tie", "draw", "no preference"),
    "both good": ("both good", "tie (both good)", "both are good"),
    "both bad": ("both bad", "tie (bothbad)", "both are bad"),
}
"""Ways to write each, the usual one first; the two names of a pair can rule out only two of them."""
OnBadValue = Literal["error", "exclude"]
AsNames = dict[tuple[str, str], int]
"""Field and name → in how many votes it is read as a name although the convention means something else."""


class LeftOut(Protocol):
    """The raters whose answers are left out; `count` takes how many answers of each are. `nothing_left` is the error
    for a file without any other answer."""

    def __contains__(self, name: str) -> bool: ...

    def count(self, name: str, n: int = 1) -> None: ...

    def nothing_left(self, what: str) -> BadFile: ...


def read_votes(
    source: Path,
    *,
    on_bad_value: OnBadValue,
    log: RejectLog,
    excluded: LeftOut | None = None,
    dialect: Dialect = PLAIN,
) -> dict[str, Votes]:
    """The votes of a file by question, in the order in which questions first occur.

    excluded  raters whose votes are left out, and counted; dialect: what the user says about how the file is written

    winner  the name of one of the two methods, or in the arena convention "model_a", "model_b", "tie",
            "tie (bothbad)"; a method's own name wins over the convention. "left" and "right" are sides where the row
            says which method was on the left, else method_a and method_b. Without a winner, a row is a missing answer
    side    optional: which of the two was on the left, as "a" or "b", "left" or "right" (of method_a), or by name
    seed    optional: distinguishes several images of one prompt by the same two methods
    category, sub_category   optional: of the prompt
    A missing rater or prompt in some rows counts as a separate rater or prompt. The log's remarks and warnings say so,
    and name repeated votes and names that are nearly the same. Raises BadFile and BadData as `read_study`.
    """
    questions: dict[str, _Question] = {}
    as_names: AsNames = {}
    n_missing = n_unasked = 0
    n_left_out = 0
    for row in read_rows(source, name=source.name, columns=COLUMNS, dialect=dialect, log=log):
        cells = Cells(row, log)
        if excluded is not None and (rater := rater_of(row)) in excluded:
            n_left_out += cells.has("winner")
            excluded.count(rater, int(cells.has("winner")))
            continue
        first, second = (cells.known_text(name, max_length=LONGEST_NAME) for name in ("method_a", "method_b"))
        if cells.ok and first == second:
            cells.reject("method_b", f"the method {first!r} meets itself", "name two methods, or leave the vote out")
        side = _side(cells, first, second, as_names) if cells.ok else None
        if cells.ok and not cells.has("winner"):
            n_missing += 1
            continue
        winner = cells.known_text("winner", max_length=LONGEST_NAME)
        outcome = _outcome(cells, winner, first, second, side or 0, as_names) if cells.ok else None
        if not cells.ok or outcome is None or side is None:
            continue
        asked, rater, prompt, seed, *categories = (_optional(cells, name) for name in _MORE)
        n_unasked += not asked
        kind = _tie_kind(winner) if outcome == TIE else ""
        questions.setdefault(asked or ONE_QUESTION, _Question()).add(
            first, second, outcome, side, rater, prompt, seed, kind, categories, cells.row.number
        )
    if log.total and (on_bad_value == "error" or not questions):
        raise BadData(log, is_all=not questions)
    if not questions:
        if excluded is not None and n_left_out:
            raise excluded.nothing_left("vote")
        if n_missing:
            cure = "write in each row which method won, or tie"
            raise bad_file(source.name, "no row has a winner", cure, field="winner")
        raise bad_file(source.name, "there are no votes in it", "export the votes again")
    if n_missing:
        log.remark(f"{source.name}: {counted(n_missing, 'row')} without a winner: missing answers, which do not count.")
    if n_unasked and len(questions) > 1:
        log.warn(f"{source.name}: {_unasked(n_unasked)} under the question {ONE_QUESTION!r}.")
    for (field, name), n in as_names.items():
        log.warn(f"{source.name}, {field}: {name!r} is read as the method of this name in {counted(n, 'vote')}.")
    log.spellings.meet(source.name, "question", questions)
    for name, question in questions.items():
        question.check(source.name, f" of {name}" if len(questions) > 1 else "", log)
    return {name: question.votes() for name, question in questions.items()}


def _unasked(n: int) -> str:
    return "1 vote names no question; it counts" if n == 1 else f"{n:,} votes name no question; they count"


def rater_of(row: Row) -> str:
    """The row's rater, to see whether it is left out; "" without one, or if the name cannot be read."""
    return Cells(row, RejectLog(keep=0)).known_text("rater", max_length=MAX_TEXT, required=False)


def _optional(cells: Cells, name: str) -> str:
    value = cells.row.values.get(name)
    return "" if value is None or value == "" else cells.known_text(name, max_length=MAX_TEXT, required=False)


@lru_cache(maxsize=10_000)
def _word(text: str) -> str:
    """The word as `folded` writes it; a file has the same few words in all its rows."""
    return folded(text)


def _outcome(cells: Cells, winner: str, first: str, second: str, side: int, as_names: AsNames) -> int | None:
    """How the first method fared."""
    by_name = {first: WINS, second: LOSES}
    meant = _word(winner)
    found = WINS if meant in _FIRST else LOSES if meant in _SECOND else TIE if meant in _TIES else None
    if side and meant in ("left", "right"):
        found = WINS if (meant == "left") == (side == 1) else LOSES
    if winner in by_name:
        if found not in (None, by_name[winner]):
            as_names["winner", winner] = as_names.get(("winner", winner), 0) + 1
        return by_name[winner]
    if found is None:
        problem = "neither of the two methods, and not a word for the outcome"
        cells.reject("winner", problem, f"write {first}, {second}, model_a, model_b, tie or tie (bothbad)")
        return None
    for name, outcome in by_name.items():
        if outcome != found and _word(name) == meant:
            other = "a tie" if found == TIE else f"a win of {first if found == WINS else second}"
            cure = f"write {first}, {second} or {_UNAMBIGUOUS[found]}"
            cells.reject("winner", f"it can mean the method {name} or {other}", cure)
            return None
    return found


_UNAMBIGUOUS = {WINS: "model_a", LOSES: "model_b", TIE: "draw"}


def _tie_kind(winner: str) -> str:
    """What kind of tie the word names, as in "tie (bothbad)"."""
    meant = _word(winner)
    return "both bad" if meant in _BOTH_BAD else "both good" if meant in _BOTH_GOOD else "tie"


def _side(cells: Cells, first: str, second: str, as_names: AsNames) -> int | None:
    """1 where the first was on the left, −1 on the right, 0 where the file does not say."""
    if not cells.has("side"):
        return 0
    name = cells.known_text("side", max_length=LONGEST_NAME)
    meant = _word(name)
    found = 1 if meant in _FIRST else -1 if meant in _SECOND else 0
    if name in (first, second):
        by_name = 1 if name == first else -1
        if found not in (0, by_name):
            as_names["side", name] = as_names.get(("side", name), 0) + 1
        return by_name
    if found:
        return found
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


def named_codes(codes: Mapping[str, int]) -> dict[int, str]:
    """Code → name, without the codes of rows that name nobody."""
    return {code: name for name, code in codes.items() if not name.startswith("\0")}


class _Question:
    """The votes on one question, collected row by row."""

    def __init__(self) -> None:
        self._names: tuple[dict[str, int], ...] = ({}, {}, {}, {})
        self._columns: tuple[list[int], ...] = ([], [], [], [], [], [], [], [], [])
        self._kinds: dict[str, int] = {}
        self._facets = {name: FacetColumn() for name in FACETS}
        self._n_without = [0, 0]

    def add(
        self,
        first: str,
        second: str,
        outcome: int,
        side: int,
        rater: str,
        prompt: str,
        seed: str,
        tie_kind: str,
        categories: Sequence[str],
        row_number: int,
    ) -> None:
        methods, raters, prompts, seeds = self._names
        self._n_without[0] += not rater
        self._n_without[1] += not prompt
        alone = len(self._columns[0])
        row = (
            methods.setdefault(first, len(methods)),
            methods.setdefault(second, len(methods)),
            outcome,
            side,
            raters.setdefault(rater or f"\0{alone}", len(raters)),
            prompts.setdefault(prompt or f"\0{alone}", len(prompts)),
            self._kinds.setdefault(tie_kind, len(self._kinds)) if tie_kind else -1,
            seeds.setdefault(seed, len(seeds)),
            row_number,
        )
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
        for facet, text in zip(self._facets.values(), categories, strict=True):
            facet.add(text)

    def check(self, file: str, of_question: str, log: RejectLog) -> None:
        """Names in the log what counts but may not be intended."""
        methods, raters, prompts, _seeds = self._names
        for what, names in (("method", methods), ("rater", raters), ("prompt", prompts)):
            log.spellings.meet(file, what, [name for name in names if not name.startswith("\0")])
        n = len(self._columns[0])
        if 0 < (n_alone := self._n_without[0]) < n:
            log.warn(f"{file}: {counted(n_alone, 'vote')}{of_question} without a rater: each has a rater of its own.")
        if 0 < (n_alone := self._n_without[1]) < n:
            log.warn(f"{file}: {counted(n_alone, 'vote')}{of_question} without a prompt: each has a prompt of its own.")
        self._check_repeats(file, of_question, log)

    def _check_repeats(self, file: str, of_question: str, log: RejectLog) -> None:
        if max(self._n_without) == len(self._columns[0]):
            return
        first, second, outcome, _side, rater, prompt, _kind, seed, number = map(np.array, self._columns)
        is_turned = first > second
        outcome = np.where(is_turned & (outcome != TIE), 1 - outcome, outcome)
        pair = np.minimum(first, second) * len(self._names[0]) + np.maximum(first, second)
        order = np.lexsort((seed, prompt, rater, pair))
        same = np.ones(len(order) - 1, bool)
        for column in (pair, rater, prompt, seed):
            same &= np.diff(column[order]) == 0
        if not same.any():
            return
        later, earlier = order[1:][same], order[:-1][same]
        at = int(np.argmin(later))
        n, n_differ = len(later), int((outcome[later] != outcome[earlier]).sum())
        repeats = "1 vote repeats" if n == 1 else f"{n:,} votes repeat"
        log.warn(
            f"{file}: {repeats} an earlier vote{of_question} of the same rater on the same prompt and methods, "
            f"{n_differ:,} of them with another outcome; the first is row {number[later[at]]}, as row "
            f"{number[earlier[at]]}. All of them count. Remove rows that are in the file twice. If there are several "
            "images per prompt, add a column seed."
        )

    def votes(self) -> Votes:
        first, second, outcome, side, rater, prompt, kind = (np.array(column, np.int64) for column in self._columns[:7])
        n = len(first)
        _methods, raters, prompts, _seeds = self._names
        return Votes(
            list(self._names[0]),
            first,
            second,
            outcome,
            rater if self._n_without[0] < n else None,
            prompt if self._n_without[1] < n else None,
            side,
            tie_kind=kind if self._kinds else None,
            tie_kinds=list(self._kinds),
            facets={name: column.facet() for name, column in self._facets.items() if column.names},
            names={"raters": named_codes(raters), "prompts": named_codes(prompts)},
        )


@dataclass(frozen=True)
class Written:
    """How a file writes the votes on two methods so that each is read as it was meant, whatever their names are.

    winners     that the first, and the second method won: its name, unless that is a word for an outcome
    first_side  where the first method was: on the left, on the right
    ties        kind of tie → its words
    """

    winners: tuple[str, str]
    first_side: tuple[str, str]
    ties: dict[str, str]


@lru_cache(maxsize=10_000)
def written(first: str, second: str) -> Written:
    taken = {_word(first), _word(second)}

    def free(ways: tuple[str, ...]) -> str:
        return next(way for way in ways if _word(way) not in taken)

    words = _FIRST | _SECOND | _TIES
    by_word = free(_WINNER_WORDS[0]), free(_WINNER_WORDS[1])
    return Written(
        winners=(
            by_word[0] if _word(first) in words else first,
            by_word[1] if _word(second) in words else second,
        ),
        first_side=(free(_SIDE_WORDS[0]), free(_SIDE_WORDS[1])),
        ties={kind: free(ways) for kind, ways in _TIE_WORDS.items()},
    )
