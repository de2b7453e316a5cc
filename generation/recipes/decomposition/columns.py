"""One connected graph in columns, so that neither nodes nor arrows nor their labels meet.

Sugiyama, Tagawa and Toda's method (1981), small: columns by longest path, order within a column by barycentres, heights
by least squares under that order. An arrow's label is a node of a column of its own, and an arrow that passes a column
has a place there, so neither can meet anything else. Deterministic; what is named first comes first.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from generation.recipes.decomposition.ranks import laid_out_ends, ranks_of

GAP_X = 34.0
GAP_Y = 14.0
PORT = 11.0
LINE = 2.0
SWEEPS = 8


@dataclass(frozen=True)
class Size:
    width: float
    height: float

    @property
    def turned(self) -> "Size":
        return Size(self.height, self.width)


@dataclass(frozen=True)
class Link:
    """An arrow from one node to another, both by their number; None: to nowhere. size: of its label."""

    source: int
    target: int | None
    size: Size


@dataclass(frozen=True)
class Box:
    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


Point = tuple[float, float]
# From the source to the label, and from there on to the target: empty where there is none.
Way = tuple[tuple[Point, ...], tuple[Point, ...]]


# A node of the layered graph: ("n", node), ("l", link) for its label, or ("d", link, column) where it passes by.
Key = tuple[str | int, ...]


class Columns:
    """One connected part. Nodes are in even columns, labels in odd ones."""

    def __init__(self, links: Mapping[int, Link], sizes: Sequence[Size]) -> None:
        """links: those of this part, by number. sizes: of all nodes, by number."""
        self._links, self._sizes = links, sizes
        self._ends = laid_out_ends({number: (link.source, link.target) for number, link in links.items()})
        ranks = ranks_of(list(self._ends.values()))
        self._chains = {number: _chain(number, ends, ranks) for number, ends in self._ends.items()}
        self._pairs = [pair for chain in self._chains.values() for pair in pairwise(chain)]
        self._beside: dict[Key, list[Key]] = defaultdict(list)
        for a, b in self._pairs:
            self._beside[a].append(b)
            self._beside[b].append(a)
        columns: dict[int, dict[Key, None]] = defaultdict(dict)
        for number, chain in self._chains.items():
            for column, key in enumerate(chain, start=2 * ranks[self._ends[number][0]]):
                columns[column].setdefault(key)
        self._columns = self._fewest_crossings([list(columns[column]) for column in sorted(columns)])
        self._boxes: dict[Key, Box] = {}
        self._spans: dict[Key, tuple[float, float]] = {}
        self._place()

    def _fewest_crossings(self, columns: list[list[Key]]) -> list[list[Key]]:
        """The order in which things are named, or the first that sorting by barycentres finds with fewer crossings."""
        best, fewest = columns, self._n_crossings(columns)
        tried = [list(keys) for keys in columns]
        for sweep in range(SWEEPS):
            if not fewest:
                break
            for column in _there_or_back(len(tried) - 1, sweep):
                fixed, sorted_ = (column, column + 1) if sweep % 2 == 0 else (column + 1, column)
                at = {key: float(place) for place, key in enumerate(tried[fixed])}
                own = {key: float(place) for place, key in enumerate(tried[sorted_])}
                tried[sorted_].sort(key=lambda key, at=at, own=own: self._mean_beside(key, at, own[key]))  # type: ignore[misc]
            if (n := self._n_crossings(tried)) < fewest:
                best, fewest = [list(keys) for keys in tried], n
        return best

    def _n_crossings(self, columns: list[list[Key]]) -> int:
        at = {key: (column, place) for column, keys in enumerate(columns) for place, key in enumerate(keys)}
        spans = [(at[a], at[b]) for a, b in self._pairs]
        return sum(
            a[0] == c[0] and (a[1] - c[1]) * (b[1] - d[1]) < 0 for i, (a, b) in enumerate(spans) for c, d in spans[:i]
        )

    def _mean_beside(self, key: Key, at: Mapping[Key, float], otherwise: float) -> float:
        values = [at[other] for other in self._beside[key] if other in at]
        return sum(values) / len(values) if values else otherwise

    def _size(self, key: Key) -> Size:
        kind, number = key[0], int(key[1])
        return self._sizes[number] if kind == "n" else self._links[number].size if kind == "l" else Size(0.0, LINE)

    def _place(self) -> None:
        """Give everything its box, from (0, 0) on. What passes by is as wide as its column."""
        heights = {key: self._size(key).height for keys in self._columns for key in keys}
        middles: dict[Key, float] = {}
        for keys in self._columns:
            middles |= zip(keys, _apart([0.0] * len(keys), [heights[key] for key in keys]), strict=True)
        n = len(self._columns)
        for sweep in range(2 * SWEEPS):
            # First each column between its neighbours; then after one of them alone, there and back, which keeps chains
            # straight.
            step = 0 if sweep < SWEEPS else -1 if sweep % 2 == 0 else 1
            for column in _there_or_back(n, sweep + 1):
                keys = self._columns[column]
                near = [
                    key
                    for c in (column - 1, column + 1)
                    if step in (0, column - c) and 0 <= c < n
                    for key in self._columns[c]
                ]
                at = {key: middles[key] for key in near}
                wanted = [self._mean_beside(key, at, middles[key]) for key in keys]
                middles |= zip(keys, _apart(wanted, [heights[key] for key in keys]), strict=True)
        highest = min(middle - heights[key] / 2 for key, middle in middles.items())
        left = 0.0
        for keys in self._columns:
            width = max(self._size(key).width for key in keys)
            for key in keys:
                own = width if key[0] == "d" else self._size(key).width
                top = middles[key] - heights[key] / 2 - highest
                self._boxes[key] = Box(left + (width - own) / 2, top, own, heights[key])
                self._spans[key] = (left, left + width)
            left += width + GAP_X

    def boxes(self, kind: str) -> dict[int, Box]:
        return {int(key[1]): box for key, box in self._boxes.items() if key[0] == kind}

    def extent(self) -> tuple[float, float]:
        """Its right and lower edge."""
        return max(box.right for box in self._boxes.values()), max(box.bottom for box in self._boxes.values())

    def ways(self) -> dict[int, Way]:
        """Each link in its own direction. Where a box is narrower than its column, straight on to the column's edge."""
        leaving, arriving = self._ports("right"), self._ports("left")
        ways: dict[int, Way] = {}
        for number, chain in self._chains.items():
            start, label = self._boxes[chain[0]], self._boxes[chain[1]]
            into = [(start.right, leaving[number]), (self._spans[chain[0]][1], leaving[number])]
            into += [(self._spans[chain[1]][0], label.middle), (label.left, label.middle)]
            onward = [(label.right, label.middle), (self._spans[chain[1]][1], label.middle)]
            for key in chain[2:]:
                y = arriving[number] if key[0] == "n" else self._boxes[key].middle
                onward += [(self._spans[key][0], y), (self._boxes[key].left, y)]
                if key[0] == "d":
                    onward.append((self._boxes[key].right, y))
            way = tuple(into), tuple(onward) if len(chain) > 2 else ()
            is_turned = self._ends[number][0] != self._links[number].source
            ways[number] = (way[1][::-1], way[0][::-1]) if is_turned else way
        return ways

    def _ports(self, side: str) -> dict[int, float]:
        """Where on that side of its node each link begins or ends: spread, in the order of what it leads to."""
        at: dict[int, list[tuple[float, int]]] = defaultdict(list)
        for number, chain in self._chains.items():
            node, following = (chain[0], chain[1]) if side == "right" else (chain[-1], chain[-2])
            if node[0] == "n" and len(chain) > 2 - (side == "right"):
                at[int(node[1])].append((self._boxes[following].middle, number))
        ports: dict[int, float] = {}
        boxes = self.boxes("n")
        for node_number, ends in at.items():
            box = boxes[node_number]
            step = min(PORT, (box.height - PORT) / max(len(ends) - 1, 1))
            for place, (_, number) in enumerate(sorted(ends)):
                ports[number] = box.middle + (place - (len(ends) - 1) / 2) * step
        return ports


def _there_or_back(n: int, sweep: int) -> range:
    return range(n) if sweep % 2 == 0 else range(n - 1, -1, -1)


def _chain(number: int, ends: tuple[int, int | None], ranks: Mapping[int, int]) -> list[Key]:
    """From the left end over the label and every column that it passes to the right end."""
    left, right = ends
    chain: list[Key] = [("n", left), ("l", number)]
    if right is not None:
        chain += [("d", number, column) for column in range(2 * ranks[left] + 2, 2 * ranks[right])]
        chain.append(("n", right))
    return chain


def _apart(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Middles as near as can be to those wanted (least squares), in order, GAP_Y apart: pooled adjacent violators."""
    offsets = [0.0]
    for above, below in pairwise(heights):
        offsets.append(offsets[-1] + (above + below) / 2 + GAP_Y)
    pools: list[tuple[float, int]] = []  # mean, size
    for value, offset in zip(wanted, offsets, strict=True):
        mean, n = value - offset, 1
        while pools and pools[-1][0] > mean:
            earlier, size = pools.pop()
            mean, n = (earlier * size + mean * n) / (size + n), size + n
        pools.append((mean, n))
    placed = [mean for mean, n in pools for _ in range(n)]
    return [mean + offset for mean, offset in zip(placed, offsets, strict=True)]
