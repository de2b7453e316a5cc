"""A decomposition as a picture: entities with their attributes, relations as labelled arrows, from left to right.

Gives SVG without style attributes, so that it may be in a page of strict content security policy; the colours are
the style sheet's. Texts are escaped here. Next to it the same in words.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from generation.recipes.decomposition.columns import Box, Link, Point, Size
from generation.recipes.decomposition.decomposition import Decomposition, Entity
from generation.recipes.decomposition.layout import Layout, Route, lay_out

MOST_ENTITIES, MOST_RELATIONS = 40, 60
"""Larger decompositions are easier to read as a table."""
NODE_WIDTHS, LABEL_WIDTH = (184.0, 152.0, 126.0, 100.0), 112.0
PAD = 12.0
AIR = 5.0
NAME, SMALL = 15.0, 12.5
BOLD = 1.14
LINE_HEIGHT = 1.3
MOST_LINES = 6
MARGIN = 4.0
ROOM, NARROW_ROOM = 1080.0, 340.0
"""Pixels on a desktop's page, and on a telephone's."""
HEAD = 7.0
# Widths in ems, on the safe side of the fonts that `tokens.css` names.
NARROW, WIDE = frozenset("fijlrtI.,:;'|!()[] "), frozenset("mwMWQG@%&")
EM_NARROW, EM_WIDE, EM_CAPITAL, EM_SQUARE, EM_USUAL = 0.38, 0.95, 0.72, 1.02, 0.62


@dataclass(frozen=True)
class Drawing:
    """svg: one <svg> element. words: the same as a text. width, height: its own size in pixels."""

    svg: str
    words: str
    width: int
    height: int


def draw(graph: Decomposition, *, title: str, room: float = ROOM) -> Drawing | None:
    """The drawing of a decomposition; None where there are too many parts to be read, or no entity.

    A relation that is known by its words alone has no arrow; it is in the text. title: what the picture is called.
    room: pixels that it should not be wider than, where it can.
    """
    arrows = [relation for relation in graph.relations if relation.subject]
    if not graph.entities or len(graph.entities) > MOST_ENTITIES or len(arrows) > MOST_RELATIONS:
        return None
    labels = [wrap(relation.predicate, LABEL_WIDTH, SMALL) for relation in arrows]
    number = {entity.id: place for place, entity in enumerate(graph.entities)}
    links = [
        Link(
            number[relation.subject],
            number[relation.object] if relation.object else None,
            Size(_wide(label) + 2 * AIR, _high(label, SMALL) + AIR),
        )
        for relation, label in zip(arrows, labels, strict=True)
    ]
    entities, layout = _fitting(graph.entities, links, room - 2 * MARGIN)
    words = in_words(graph)
    parts = [*_arrows(layout), *map(_node, layout.nodes, entities), *map(_label, layout.labels, labels)]
    width, height = round(layout.width + 2 * MARGIN), round(layout.height + 2 * MARGIN)
    svg = (
        f'<svg class="graph" viewBox="{-MARGIN:g} {-MARGIN:g} {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(f"{title}: {words}")}">{"".join(parts)}</svg>'
    )
    return Drawing(svg, words, width, height)


def in_words(graph: Decomposition) -> str:
    """ "tiny hedgehog; oak pumpkin. Hedgehog holds pumpkin." """
    entities = "; ".join(
        f"{entity.text} ({', '.join(entity.attributes)})" if entity.attributes else entity.text
        for entity in graph.entities
    )
    relations = "; ".join(graph.statement(relation) for relation in graph.relations)
    return ". ".join(part for part in (entities, relations) if part) + "."


# --- text ------------------------------------------------------------------------------------------------------------
def wide(text: str, size: float) -> float:
    """About how wide a text is, rather too wide than too narrow."""
    return size * sum(map(_em, text))


def _em(letter: str) -> float:
    if letter in NARROW:
        return EM_NARROW
    if unicodedata.east_asian_width(letter) in "WF":
        return EM_SQUARE
    if letter in WIDE:
        return EM_WIDE
    return EM_CAPITAL if letter.isupper() else EM_USUAL


def wrap(text: str, room: float, size: float) -> list[str]:
    """The text in lines that fit, broken at spaces, within a word only where it is longer than a line.

    Beyond MOST_LINES it ends in an ellipsis: the table has all of it.
    """
    lines = [""]
    for word in text.split():
        candidate = f"{lines[-1]} {word}".strip()
        if wide(candidate, size) <= room:
            lines[-1] = candidate
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if wide(lines[-1] + letter, size) > room:
                lines.append("")
            lines[-1] += letter
    if len(lines) > MOST_LINES:
        last = lines[MOST_LINES - 1]
        while wide(last + "…", size) > room:
            last = last[:-1].rstrip()
        lines = [*lines[: MOST_LINES - 1], last + "…"]
    return lines


def _wide(lines: Sequence[str]) -> float:
    return max(wide(line, SMALL) for line in lines)


def _high(lines: Sequence[str], size: float) -> float:
    return len(lines) * size * LINE_HEIGHT


@dataclass(frozen=True)
class _Words:
    """What is in an entity's box: its name in lines, and its attributes below."""

    name: list[str]
    attributes: list[str]

    @staticmethod
    def of(entity: Entity, width: float) -> "_Words":
        room = width - 2 * PAD
        attributes = wrap(" · ".join(entity.attributes), room, SMALL) if entity.attributes else []
        return _Words(wrap(entity.text, room / BOLD, NAME), attributes)

    def is_whole(self, entity: Entity) -> bool:
        """Whether no word is broken and nothing is left out."""
        attributes = " ".join(" · ".join(entity.attributes).split())
        return (" ".join(self.name), " ".join(self.attributes)) == (" ".join(entity.text.split()), attributes)

    @property
    def height(self) -> float:
        return 2 * PAD + _high(self.name, NAME) + _high(self.attributes, SMALL)


def _fitting(entities: Sequence[Entity], links: Sequence[Link], room: float) -> tuple[list[_Words], Layout]:
    """With the widest boxes that let the drawing fit; where none does, the least wide one that breaks no word."""
    words, layout = _with_boxes(NODE_WIDTHS[0], entities, links, room)
    for width in NODE_WIDTHS[1:]:
        if layout.width <= room:
            break
        narrower, less = _with_boxes(width, entities, links, room)
        if less.width < layout.width and all(map(_Words.is_whole, narrower, entities)):
            words, layout = narrower, less
    return words, layout


def _with_boxes(
    width: float, entities: Sequence[Entity], links: Sequence[Link], room: float
) -> tuple[list[_Words], Layout]:
    words = [_Words.of(entity, width) for entity in entities]
    return words, lay_out([Size(width, one.height) for one in words], links, room=room)


# --- elements --------------------------------------------------------------------------------------------------------
def _node(box: Box, words: _Words) -> str:
    top = box.top + PAD
    name = _lines(words.name, box.left + PAD, top, NAME, "name")
    attributes = _lines(words.attributes, box.left + PAD, top + _high(words.name, NAME), SMALL, "attributes")
    return f"<g>{_rectangle(box, 'entity')}{name}{attributes}</g>"


def _label(box: Box, lines: list[str]) -> str:
    return _lines(lines, box.left + box.width / 2, box.top + AIR / 2, SMALL, "relation")


def _rectangle(box: Box, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{box.left:g}" y="{box.top:.1f}" width="{box.width:g}" height="{box.height:.1f}" '
        'rx="3"/>'
    )


def _lines(lines: Sequence[str], x: float, top: float, size: float, kind: str) -> str:
    spans = (
        f'<tspan x="{x:g}" y="{top + (line + 0.5) * size * LINE_HEIGHT + 0.36 * size:.1f}">{escape(text)}</tspan>'
        for line, text in enumerate(lines)
    )
    return f'<text class="{kind}">{"".join(spans)}</text>' if lines else ""


def _arrows(layout: Layout) -> list[str]:
    parts = []
    for route in layout.routes:
        parts.append(f'<path class="arrow" d="{_way(route.into, route)}"/>')
        if route.onward:
            shaft, head = _head(route)
            parts.append(f'<path class="arrow" d="{_way(shaft, route)}"/><path class="head" d="{head}"/>')
    return parts


def _head(route: Route) -> tuple[tuple[Point, ...], str]:
    """The points of the shaft, which ends where the head begins, and the head's outline."""
    (x, y), half = route.onward[-1], HEAD / 2 + 0.5
    along = 1 if route.is_down else 0
    before = next(point for point in reversed(route.onward) if point[along] != (x, y)[along])
    back = -HEAD if before[along] < (x, y)[along] else HEAD
    if route.is_down:
        return (*route.onward[:-1], (x, y + back)), f"M{x:.1f} {y:.1f}l{-half:g} {back:g}h{2 * half:g}z"
    return (*route.onward[:-1], (x + back, y)), f"M{x:.1f} {y:.1f}l{back:g} {-half:g}v{2 * half:g}z"


def _way(points: Sequence[Point], route: Route) -> str:
    """Through the points, level at each of them; upright where the arrow goes down."""
    (x, y), *others = points
    way = f"M{x:.1f} {y:.1f}"
    for to_x, to_y in others:
        if route.is_down:
            bend = f"{x:.1f} {(y + to_y) / 2:.1f} {to_x:.1f} {(y + to_y) / 2:.1f}"
        else:
            bend = f"{(x + to_x) / 2:.1f} {y:.1f} {(x + to_x) / 2:.1f} {to_y:.1f}"
        is_straight = abs(to_x - x if route.is_down else to_y - y) < 0.05
        way += f"L{to_x:.1f} {to_y:.1f}" if is_straight else f"C{bend} {to_x:.1f} {to_y:.1f}"
        x, y = to_x, to_y
    return way
