"""Rankings from a file, in every supported layout, checked while they are read."""

import re
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path

from annotations.reports.bad_data import BadData
from annotations.reports.numbers import counted
from annotations.reports.votes.files import FACETS, LONGEST_NAME, LeftOut, OnBadValue, rater_of
from annotations.reports.votes.item_names import Placed, places_of, read_places
from annotations.reports.votes.ranking_rows import RankingRows, listed, screen_position
from annotations.stats.preferences.rankings import Rankings
from exchange.identity import identity
from exchange.rejects import RejectLog, bad_file
from exchange.tables.cells import Cells
from exchange.tables.headers import Columns, folded
from exchange.tables.rows import read_rows
from exchange.text import PLAIN, Dialect
from exchange.wording import is_or_are
from exchange.wording import listed as quoted

ONE_QUESTION = "ranking"
COLUMNS = Columns(
    optional=(
        *("prompt", "rater", "question", "seed", "item", "method", "rank", "ranking", "best", "worst", "shown"),
        *(*FACETS, "screen_order", "screen_position"),
    ),
    aliases={
        "prompt_id": "prompt",
        "prompt_category": "category",
        "annotator": "rater",
        "rater_id": "rater",
        "worker": "rater",
        "judge": "rater",
        "user": "rater",
        "dimension": "question",
        "model": "method",
        "image": "item",
        "position": "rank",
        "place": "rank",
        "value": "rank",
        "order": "ranking",
        "options": "shown",
        "candidates": "shown",
        "methods": "shown",
    },
    names=("prompt", "rater", "question", "item", "method", *FACETS),
)
SHAPES = (
    "prompt, rater, 1st, 2nd, 3rd … (methods in the cells)",
    "prompt, rater and a column for each method (ranks in the cells)",
    "prompt, rater, method, rank (one row per rank)",
    "item, rater, rank, with an items file of prompts and methods",
    "prompt, rater, ranking (such as a > b = c)",
    "prompt, rater, best, worst, shown (such as a; b; c; d)",
)
_KNOWN = {*COLUMNS.optional}
_WORDS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8}
_PLACE = re.compile(r"(?:rank|place|position|choice|top)?_?(\d{1,2})(?:st|nd|rd|th)?")
_NOT_METHODS = {"index", "id", "row", "timestamp", "time", "seconds", "comment", "answered_at", ""}


def read_rankings(
    source: Path,
    *,
    on_bad_value: OnBadValue,
    log: RejectLog,
    items: Path | None = None,
    excluded: LeftOut | None = None,
    dialect: Dialect = PLAIN,
) -> dict[str, Rankings]:
    """The rankings of a file by question, in the order in which questions first occur; for the layouts see `SHAPES`.

    items  columns item, prompt, method: what the items of the fourth shape show. Without it, names such as p1_sdxl are
           split if there is only one way to do it.
    Only the order of ranks counts: 1, 2, 2 and 1, 2.5, 2.5 are the same. A method that a ranking does not name was not
    ranked, which says nothing about it. A missing rater or prompt counts as a separate one. Two different rankings of
    one prompt by one rater are refused. Raises BadFile and BadData as `read_study`.

    Any layout may have `category` and `sub_category` of the prompt, and may say where each method was on the screen:
    `screen_order` (a; b; c, the first one first) or, in layouts with one row per rank, `screen_position`, 1 for the
    first.

    excluded, dialect   as for `read_votes`
    """
    reader: _Reader | None = None
    left_out: _Reader | None = None
    quiet = RejectLog(keep=0)
    for row in read_rows(source, name=source.name, columns=COLUMNS, dialect=dialect, log=log):
        cells = Cells(row, log)
        if reader is None:
            reader = _reader_for(list(row.values), source.name)
            if unused := [name for name in row.values if name not in _KNOWN | reader.columns]:
                columns = f"column{'s' * (len(unused) > 1)} {quoted(unused)}"
                log.warn(f"{source.name}: the {columns} {is_or_are(unused)} not used.")
        if excluded is not None and rater_of(row) in excluded:
            left_out = left_out or _reader_for(list(row.values), source.name)
            left_out.take(Cells(row, quiet))
        else:
            reader.take(cells)
    if reader is None:
        if log.total:
            raise BadData(log, is_all=True)
        raise bad_file(source.name, "there are no rankings in it", "export the rankings again")
    places = read_places(items, log) if items else None
    questions = reader.questions(places, log)
    n_left_out = _count(left_out, reader.places or places, excluded) if left_out and excluded is not None else 0
    if reader.n_missing:
        rows = counted(reader.n_missing, "row")
        log.remark(f"{source.name}: {rows} without a ranking: missing answers, which do not count.")
    reader.found.check(source.name, log)
    if log.total and (on_bad_value == "error" or not questions):
        raise BadData(log, is_all=not questions)
    if not questions and excluded is not None and n_left_out:
        raise excluded.nothing_left("ranking")
    if not questions and reader.n_missing:
        raise bad_file(source.name, "no row has a ranking", "write in each row which methods are first, second, …")
    if not questions:
        raise bad_file(source.name, "no ranking names two methods", "check that the columns hold what they say")
    return questions


def _count(left_out: "_Reader", places: Mapping[str, Placed] | None, excluded: LeftOut) -> int:
    """Count the rankings of raters who are left out; the number of all of them."""
    n = 0
    for found in left_out.questions(places, RejectLog(keep=0)).values():
        codes = [] if found.rater is None else found.rater.tolist()
        for code in codes:
            excluded.count(found.names["raters"][code])
        n += len(codes)
    return n


class _Reader:
    """Takes the rows of one layout. places: what the items show, where the layout has items and this is known."""

    is_best_worst = False

    def __init__(self) -> None:
        self.found = RankingRows(is_best_worst=self.is_best_worst)
        self.n_missing = 0
        self.columns: set[str] = set()
        self.places: Mapping[str, Placed] | None = None

    def take(self, cells: Cells) -> None:
        """Adds one row; every layout has its own way."""
        raise NotImplementedError

    def questions(self, places: Mapping[str, Placed] | None, log: RejectLog) -> dict[str, Rankings]:
        del places, log
        return self.found.rankings()


class _ByPlace(_Reader):
    """A column for each place, methods in the cells."""

    def __init__(self, places: Mapping[str, int]) -> None:
        super().__init__()
        self._places = sorted(places, key=lambda name: places[name])
        self._rank = places
        self.columns = set(places)

    def take(self, cells: Cells) -> None:
        ranks: dict[str, float] = {}
        for column in self._places:
            if not cells.has(column):
                continue
            method = cells.name(column, max_length=LONGEST_NAME)
            if method in ranks:
                cells.reject(column, f"{method!r} has two places", "name each method once")
            ranks[method] = self._rank[column]
        if cells.ok and not ranks:
            self.n_missing += 1
        elif cells.ok:
            self.found.add(cells, _key(cells), ranks, self._places[0])


class _ByMethod(_Reader):
    """A column for each method, ranks in the cells."""

    def __init__(self, methods: Sequence[str]) -> None:
        super().__init__()
        self._methods = methods
        self.columns = set(methods)

    def take(self, cells: Cells) -> None:
        ranks = {method: _rank(cells, method) for method in self._methods if cells.has(method)}
        for method, rank in ranks.items():
            if rank > len(self._methods):
                problem = f"a rank above {len(self._methods)}, the number of methods"
                cells.reject(method, problem, "count ranks from 1; remove the column if it is not a method's")
        if cells.ok and not ranks:
            self.n_missing += 1
        elif cells.ok:
            self.found.add(cells, _key(cells), ranks, self._methods[0])


class _AsText(_Reader):
    """One column with the methods from best to worst: a > b = c, or a; b; c."""

    def take(self, cells: Cells) -> None:
        if not cells.has("ranking"):
            self.n_missing += 1
            return
        text = cells.text("ranking")
        ranks: dict[str, float] = {}
        for place, tied in enumerate(re.split(r"[>;|]" if re.search(r"[>;|]", text) else ",", text), start=1):
            for method in map(identity, tied.split("=")):
                if not method:
                    cells.reject("ranking", "a place in it is empty", "write it as: a > b = c")
                elif method in ranks:
                    cells.reject("ranking", f"{method!r} is in it twice", _once(text))
                ranks.setdefault(method, place)
        if cells.ok:
            self.found.add(cells, _key(cells), ranks, "ranking")


def _once(text: str) -> str:
    """How to fix a ranking that names a method twice: the same ranking with each method at its first place."""
    signs = re.split(r"\s*([>;|=,])\s*", text.strip())
    kept: list[str] = []
    for at, method in enumerate(signs[::2]):
        if method not in kept[::2]:
            kept += [signs[2 * at - 1], method] if kept else [method]
    said = "".join(f" {part} " if at % 2 else part for at, part in enumerate(kept))
    if len(kept) < 3:
        return "name two methods or more, each once, or leave the row out"
    return f"name each method once; if its first place counts: {said}"


class _BestWorst(_Reader):
    """The best and the worst of those shown."""

    is_best_worst = True

    def take(self, cells: Cells) -> None:
        if not cells.has("best") and not cells.has("worst"):
            self.n_missing += 1
            return
        best, worst = (cells.name(name, max_length=LONGEST_NAME) for name in ("best", "worst"))
        shown = listed(cells.text("shown"))
        if not cells.ok:
            return
        if best == worst:
            cells.reject("worst", f"{best!r} is both best and worst", "name two methods")
        for field, method in (("best", best), ("worst", worst)):
            if method not in shown:
                cells.reject(field, f"{method!r} is not among those shown", "list all that were shown: a; b; c; d")
        if len(set(shown)) < len(shown):
            cells.reject("shown", "a method is in it twice", "list each method once")
        if cells.ok:
            ranks = dict.fromkeys(shown, 2.0) | {best: 1.0, worst: 3.0}
            if len(shown) == 2:
                ranks = {best: 1.0, worst: 3.0}
            self._add(cells, ranks)

    def _add(self, cells: Cells, ranks: dict[str, float]) -> None:
        # With two methods nothing has rank 2, but the worst still has rank 3.
        self.found.add(cells, _key(cells), ranks, "best")


class _Long(_Reader):
    """One row per rank of a method, or of an item whose prompt and method are in an items file or in its name."""

    def __init__(self, *, by_item: bool) -> None:
        super().__init__()
        self._by_item = by_item
        self._rows: list[tuple[Cells, str, float]] = []
        self._position: list[int | None] = []

    def take(self, cells: Cells) -> None:
        name = cells.name("item" if self._by_item else "method", max_length=LONGEST_NAME)
        if cells.ok and not cells.has("rank"):
            self.n_missing += 1
            return
        rank = _rank(cells, "rank")
        position = screen_position(cells)
        if cells.ok:
            self._rows.append((cells, name, rank))
            self._position.append(position)

    def questions(self, places: Mapping[str, Placed] | None, log: RejectLog) -> dict[str, Rankings]:
        if not self._rows:
            return {}
        if self._by_item and places is None:
            file = self._rows[0][0].row.file
            keys = [(_key(cells), name, rank) for cells, name, rank in self._rows]
            places = places_of([(f"{key[0]}\0{key[1]}", name, rank) for key, name, rank in keys])
            if places is None:
                problem = "items' names do not say which method and which prompt they show"
                cure = "give --items FILE with the columns item, prompt, method; or columns method and rank"
                raise bad_file(file, problem, cure, field="item", value=self._rows[0][1])
        self.places = places
        groups: dict[tuple[str, str, str, str], tuple[Cells, dict[str, float], dict[str, int]]] = {}
        for (cells, name, rank), position in zip(self._rows, self._position, strict=True):
            key, method = _key(cells), name
            if self._by_item and places is not None:
                if name not in places:
                    cells.reject("item", "the items file has no such item", "add it there, or correct the name")
                    continue
                prompt, method = places[name]
                key = (key[0], key[1], prompt, key[3])
            _first, ranks, screen = groups.setdefault(key, (cells, {}, {}))
            if method in ranks:
                if ranks[method] != rank:
                    cells.reject("rank", f"the same rater gave {method!r} another rank for the same prompt", "keep one")
                continue
            ranks[method] = rank
            if position is not None:
                screen[method] = position
        for key, (cells, ranks, screen) in groups.items():
            is_known = len(set(screen.values())) == len(ranks)
            if screen and not is_known:
                problem = "two methods of a ranking have the same place on the screen, or one has none"
                cells.reject("screen_position", problem, "give each its own place, 1 for the first, or leave all empty")
                continue
            self.found.add(cells, key, ranks, "rank", screen or None)
        return self.found.rankings()


def _key(cells: Cells) -> tuple[str, str, str, str]:
    question = cells.text("question", required=False) or ONE_QUESTION
    rater, prompt, seed = (cells.text(name, required=False) for name in ("rater", "prompt", "seed"))
    return question, rater, prompt, seed


def _rank(cells: Cells, field: str) -> float:
    rank = cells.number(field)
    if cells.ok and (not isfinite(rank) or rank < 1):
        cells.reject(field, "a rank is 1 for the best, 2 for the next, and so on", "count ranks from 1")
    return rank


def _reader_for(columns: Sequence[str], file: str) -> _Reader:
    """The reader for the file's layout, which its header determines."""
    has = set(columns)
    if "ranking" in has:
        return _AsText()
    if {"best", "worst"} <= has:
        if "shown" not in has:
            cure = "add a column shown with all of them: a; b; c; d"
            raise bad_file(file, "best and worst alone do not say what was shown", cure, field="shown")
        return _BestWorst()
    if "rank" in has and "method" in has:
        return _Long(by_item=False)
    if "rank" in has and "item" in has:
        return _Long(by_item=True)
    others = [name for name in columns if name not in _KNOWN]
    places = {name: place for name in others if (place := _place(name))}
    if len(places) >= 2 and len(set(places.values())) == len(places):
        return _ByPlace(places)
    methods = [name for name in others if folded(name) not in _NOT_METHODS]
    if len(methods) >= 2 and has & {"prompt", "rater"}:
        return _ByMethod(methods)
    raise bad_file(file, "its columns do not fit any shape of rankings", "give " + "; or ".join(SHAPES))


def _place(name: str) -> int:
    """The place that a column holds: 1 for 1st, rank_1, first; 0 for any other column."""
    word = folded(name)
    if word in _WORDS:
        return _WORDS[word]
    found = _PLACE.fullmatch(word)
    return int(found[1]) if found else 0
