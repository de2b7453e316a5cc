"""Collects rows of rankings from a file of any layout: rater, prompt, and order of the methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from annotations.reports.numbers import counted
from annotations.reports.votes.files import FACETS, FacetColumn, named_codes
from annotations.stats.preferences.rankings import NOBODY, Rankings
from exchange.identity import identity
from exchange.rejects import RejectLog
from exchange.tables.cells import Cells

_MOST_PLACES = 1_000


@dataclass(frozen=True)
class _Given:
    """One ranking; screen: each method's place on the screen, empty where unknown."""

    rater: str
    prompt: str
    categories: list[str]
    ranks: dict[str, float]
    screen: dict[str, int]


class RankingRows:
    """Rankings by question, collected row by row: the rater, the prompt, and the rank of each method."""

    def __init__(self, *, is_best_worst: bool = False) -> None:
        self._rows: dict[str, list[_Given]] = {}
        self._seen: dict[tuple[str, ...], tuple[int, dict[str, float]]] = {}
        self._is_best_worst = is_best_worst
        self._n_repeated = 0

    def add(
        self,
        cells: Cells,
        key: tuple[str, str, str, str],
        ranks: Mapping[str, float],
        field: str,
        screen: Mapping[str, int] | None = None,
    ) -> None:
        """key: question, rater, prompt, seed; screen: places on the screen, else from the row's screen_order."""
        question, rater, prompt, _seed = key
        places = _screen_order(cells, ranks) if screen is None else dict(screen)
        if not cells.ok:
            return
        found = dict(ranks) if self._is_best_worst else _dense(ranks)
        if len(found) < 2:
            cells.reject(field, "it ranks fewer than two methods", "rank two or more, or leave the row out")
            return
        if rater and prompt:
            earlier = self._seen.setdefault(key, (cells.row.number, found))
            if earlier[0] != cells.row.number:
                if earlier[1] != found:
                    problem = f"the same rater ranked the same prompt otherwise in row {earlier[0]}"
                    cells.reject(field, problem, "keep the ranking that counts")
                else:
                    self._n_repeated += 1
                return
        categories = [cells.text(name, required=False) for name in FACETS]
        self._rows.setdefault(question, []).append(_Given(rater, prompt, categories, found, places))

    def check(self, file: str, log: RejectLog) -> None:
        """Names in the log what was read only once, and names that are nearly the same."""
        if self._n_repeated:
            repeats = counted(self._n_repeated, "ranking repeats", "rankings repeat")
            log.remark(f"{file}: {repeats} an earlier one of the same rater on the same prompt, and nothing changes.")
        given = [one for rows in self._rows.values() for one in rows]
        log.spellings.meet(file, "question", self._rows)
        log.spellings.meet(file, "method", dict.fromkeys(method for one in given for method in one.ranks))
        for what in ("rater", "prompt"):
            log.spellings.meet(file, what, dict.fromkeys(name for one in given if (name := getattr(one, what))))

    def rankings(self) -> dict[str, Rankings]:
        return {question: self._of(rows) for question, rows in self._rows.items()}

    def _of(self, rows: list[_Given]) -> Rankings:
        methods = list(dict.fromkeys(method for given in rows for method in given.ranks))
        code = {method: at for at, method in enumerate(methods)}
        width = max(len(given.ranks) for given in rows)
        item, rank = np.full((len(rows), width), NOBODY, np.int64), np.zeros((len(rows), width), np.int64)
        shown = np.zeros((len(rows), width), np.int64)
        for at, given in enumerate(rows):
            item[at, : len(given.ranks)] = [code[method] for method in given.ranks]
            rank[at, : len(given.ranks)] = list(given.ranks.values())
            shown[at, : len(given.ranks)] = [given.screen.get(method, 0) for method in given.ranks]
        facets = {name: FacetColumn() for name in FACETS}
        for given in rows:
            for column, text in zip(facets.values(), given.categories, strict=True):
                column.add(text)
        rater, raters = _codes([given.rater for given in rows])
        prompt, prompts = _codes([given.prompt for given in rows])
        return Rankings(
            methods,
            item,
            rank,
            rater,
            prompt,
            shown if any(given.screen for given in rows) else None,
            is_best_worst=self._is_best_worst,
            facets={name: column.facet() for name, column in facets.items() if column.names},
            names={"raters": raters, "prompts": prompts},
        )


def _screen_order(cells: Cells, ranks: Mapping[str, float]) -> dict[str, int]:
    """Each method's place on the screen, 0 first; empty where the row does not say."""
    if not cells.has("screen_order"):
        return {}
    names = listed(cells.text("screen_order"))
    places = {method: at for at, method in enumerate(names)}
    if len(places) < len(names):
        cells.reject("screen_order", "a method is in it twice", "list each method once: a; b; c")
    elif missing := [method for method in ranks if method not in places]:
        cells.reject("screen_order", f"{missing[0]!r} is not in it", "list all that were on the screen: a; b; c")
    return places


def _dense(ranks: Mapping[str, float]) -> dict[str, float]:
    """The same order as ranks 1, 2, 3 … without gaps."""
    place = {rank: at for at, rank in enumerate(sorted(set(ranks.values())), start=1)}
    return {method: place[rank] for method, rank in ranks.items()}


def _codes(names: Sequence[str]) -> tuple[np.ndarray | None, dict[int, str]]:
    """Codes of names, each empty one on its own, and the names by code; None if all are empty."""
    if not any(names):
        return None, {}
    found: dict[str, int] = {}
    codes = [found.setdefault(name or f"\0{at}", len(found)) for at, name in enumerate(names)]
    return np.array(codes, np.int64), named_codes(found)


def screen_position(cells: Cells) -> int | None:
    """The place on the screen, 1 for the first; None where the row does not say."""
    if not cells.has("screen_position"):
        return None
    place = cells.number("screen_position")
    if cells.ok and (not isfinite(place) or place < 1 or place != int(place) or place > _MOST_PLACES):
        cells.reject("screen_position", "a place on the screen is 1, 2, 3 …", "count places from 1, or leave it empty")
    return int(place) if cells.ok else None


def listed(text: str) -> list[str]:
    """The names of a list: between semicolons, else between bars, else between commas. A name may contain the other
    separators."""
    separator = next((sign for sign in ";|" if sign in text), ",")
    return [name for each in text.split(separator) if (name := identity(each))]
