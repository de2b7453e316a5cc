"""Which prompt and which method an item shows: from an items file, or from names such as p1_sdxl."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from exchange.rejects import RejectLog
from exchange.tables.cells import Cells
from exchange.tables.headers import Columns
from exchange.tables.rows import read_rows

Placed = tuple[str, str]
"""Prompt and method."""
ITEMS = Columns(
    required=("item", "method"),
    optional=("prompt",),
    aliases={"image": "item", "unit": "item", "model": "method", "prompt_id": "prompt"},
    names=("item", "prompt", "method"),
)
_SEPARATORS = ("__", "_", "/", "|", ":", "-", " ", ".")
ENDING = re.compile(r"\.(png|jpe?g|webp|gif|tiff?|bmp)$", re.IGNORECASE)
LONGEST = 500


def read_places(path: Path, log: RejectLog) -> dict[str, Placed]:
    """Item → prompt and method, of an items file."""
    found: dict[str, Placed] = {}
    for row in read_rows(path, name=path.name, columns=ITEMS, log=log):
        cells = Cells(row, log)
        item, method = (cells.name(name, max_length=LONGEST) for name in ("item", "method"))
        prompt = cells.text("prompt", required=False)
        if cells.ok and found.setdefault(item, (prompt, method)) != (prompt, method):
            cells.reject("item", f"{item!r} is in an earlier row with another prompt or method", "keep one row")
    return found


def places_of(ranks: Sequence[tuple[str, str, float]]) -> dict[str, Placed] | None:
    """Item → prompt and method, from the items' names alone; None if that is impossible or ambiguous.

    ranks: (who ranked, item, rank). A way of splitting names is right if everybody's ranks of a prompt's items are 1,
    2, 3 … up to ties; if several are, the one with the fewest ties is taken.
    """
    items = list(dict.fromkeys(item for _who, item, _rank in ranks))
    best: tuple[float, int] | None = None
    found: dict[str, Placed] | None = None
    for places in _ways(items):
        ties = _ties(ranks, places)
        if ties is None:
            continue
        score = ties, len({method for _prompt, method in places.values()})
        if best is None or score < best:
            best, found = score, places
        elif score == best and found != places:
            found = None
    return found


def _ways(items: Sequence[str]) -> Iterable[dict[str, Placed]]:
    """Every way to split all names at one separator, at its first or last occurrence, prompt first or method first."""
    plain = [ENDING.sub("", item) for item in items]
    seen: list[dict[str, Placed]] = []
    for separator in _SEPARATORS:
        if not all(separator in name for name in plain):
            continue
        for split in (str.rpartition, str.partition):
            parts = [split(name, separator) for name in plain]
            if not all(left and right for left, _, right in parts):
                continue
            for turned in (False, True):
                pairs = [(right, left) if turned else (left, right) for left, _, right in parts]
                places = dict(zip(items, pairs, strict=True))
                # Two items of one prompt and method cannot both be ranked.
                if len(set(pairs)) == len(items) and places not in seen:
                    seen.append(places)
                    yield places


def _ties(ranks: Sequence[tuple[str, str, float]], places: Mapping[str, Placed]) -> float | None:
    """The share of ranks that are tied; None if some rater's ranks of a prompt are not 1, 2, 3 … up to ties."""
    groups: dict[tuple[str, str], list[float]] = defaultdict(list)
    for who, item, rank in ranks:
        groups[who, places[item][0]].append(rank)
    tied = 0
    for given in groups.values():
        if len(given) < 2 or not is_ranking(given):
            return None
        tied += len(given) - len(set(given))
    return tied / max(len(ranks), 1)


def is_ranking(given: Sequence[float]) -> bool:
    """Whether these are ranks from 1: without gaps (1, 1, 2), with them (1, 1, 3) or in the middle (1.5, 1.5, 3)."""
    ordered = sorted(given)
    distinct = sorted(set(given))
    dense = [distinct.index(rank) + 1 for rank in ordered]
    least = [ordered.index(rank) + 1 for rank in ordered]
    middle = [ordered.index(rank) + 1 + (ordered.count(rank) - 1) / 2 for rank in ordered]
    return ordered in (dense, least, middle)
