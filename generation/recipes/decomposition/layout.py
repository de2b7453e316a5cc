"""Places for the nodes and arrows of a small directed graph, nothing on top of anything."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from generation.recipes.decomposition.columns import GAP_X, GAP_Y, Box, Columns, Link, Point, Size

BETWEEN_PARTS = 26.0
MOST_IN_A_ROW = 4


@dataclass(frozen=True)
class Route:
    """The points of an arrow, to its label and on to its target, in pixels. is_down: it goes down or up, not across."""

    into: tuple[Point, ...]
    onward: tuple[Point, ...]
    is_down: bool


@dataclass(frozen=True)
class Layout:
    """nodes, labels, routes: in the order given."""

    nodes: tuple[Box, ...]
    labels: tuple[Box, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def lay_out(sizes: Sequence[Size], links: Sequence[Link], *, room: float) -> Layout:
    """Parts that hang together below each other, lone nodes last, in rows.

    A part reads from left to right; from top to bottom where it would otherwise be wider than `room` and so is less.
    """
    nodes: dict[int, Box] = {}
    labels: dict[int, Box] = {}
    routes: dict[int, Route] = {}
    parts, lone = _parts(len(sizes), links)
    top = 0.0
    for part in parts:
        columns, is_down = _part(sizes, {number: links[number] for number in part}, room)
        boxes = {kind: _moved(columns.boxes(kind), top, is_down) for kind in "nl"}
        nodes |= boxes["n"]
        labels |= boxes["l"]
        for number, (into, onward) in columns.ways().items():
            routes[number] = Route(_line(into, top, is_down), _line(onward, top, is_down), is_down)
        right, bottom = columns.extent()
        top += (right if is_down else bottom) + BETWEEN_PARTS
    for row in _rows(lone, sizes, room):
        left = 0.0
        for node in row:
            nodes[node] = Box(left, top, sizes[node].width, sizes[node].height)
            left += sizes[node].width + GAP_X
        top += max(sizes[node].height for node in row) + GAP_Y
    points = [point for route in routes.values() for point in (*route.into, *route.onward)]
    every = [*nodes.values(), *labels.values()]
    return Layout(
        tuple(nodes[i] for i in range(len(sizes))),
        tuple(labels[i] for i in range(len(links))),
        tuple(routes[i] for i in range(len(links))),
        max([*(box.right for box in every), *(x for x, _ in points)], default=0.0),
        max([*(box.bottom for box in every), *(y for _, y in points)], default=0.0),
    )


def _part(sizes: Sequence[Size], links: dict[int, Link], room: float) -> tuple[Columns, bool]:
    across = Columns(links, sizes)
    if across.extent()[0] <= room:
        return across, False
    turned = {number: replace(link, size=link.size.turned) for number, link in links.items()}
    down = Columns(turned, [size.turned for size in sizes])
    return (down, True) if down.extent()[1] < across.extent()[0] else (across, False)


def _moved(boxes: dict[int, Box], top: float, is_down: bool) -> dict[int, Box]:
    return {
        number: Box(box.top, box.left + top, box.height, box.width) if is_down else replace(box, top=box.top + top)
        for number, box in boxes.items()
    }


def _line(points: tuple[Point, ...], top: float, is_down: bool) -> tuple[Point, ...]:
    return tuple((y, x + top) if is_down else (x, y + top) for x, y in points)


def _rows(lone: list[int], sizes: Sequence[Size], room: float) -> list[list[int]]:
    rows: list[list[int]] = []
    for node in lone:
        row = rows[-1] if rows else []
        width = sum(sizes[other].width + GAP_X for other in row)
        if row and len(row) < MOST_IN_A_ROW and width + sizes[node].width <= room:
            row.append(node)
        else:
            rows.append([node])
    return rows


def _parts(n: int, links: Sequence[Link]) -> tuple[list[list[int]], list[int]]:
    """The links of each connected part, parts by their first node; and the nodes without any link."""
    belongs = list(range(n))

    def root(node: int) -> int:
        while belongs[node] != node:
            node = belongs[node]
        return node

    for link in links:
        if link.target is not None:
            low, high = sorted((root(link.source), root(link.target)))
            belongs[high] = low
    parts: dict[int, list[int]] = defaultdict(list)
    for number, link in enumerate(links):
        parts[root(link.source)].append(number)
    linked = {node for link in links for node in (link.source, link.target)}
    return [parts[key] for key in sorted(parts)], [node for node in range(n) if node not in linked]
