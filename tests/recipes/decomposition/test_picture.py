"""The drawn decomposition: everything in it, nothing on top of anything, in reading order, the same every time."""

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from generation.recipes.decomposition.columns import Box, Link, Point, Size
from generation.recipes.decomposition.decomposition import Decomposition, Entity, Relation
from generation.recipes.decomposition.layout import lay_out
from generation.recipes.decomposition.picture import (
    MOST_ENTITIES,
    NARROW_ROOM,
    NODE_WIDTHS,
    ROOM,
    draw,
    in_words,
    wide,
    wrap,
)

CLOSE = 1e-6
SQUIRREL = Decomposition(
    (
        Entity("e1", "hedgehog", ("small", "red")),
        Entity("e2", "brush"),
        Entity("e3", "pumpkin"),
        Entity("e4", "ground"),
    ),
    (
        Relation("r1", "e1", "holds", "e2"),
        Relation("r2", "e2", "paints", "e3"),
        Relation("r3", "e3", "rests on", "e4"),
        Relation("r4", "e1", "smiles", None),
    ),
)


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314  (our own)


def overlap(a: Box, b: Box) -> bool:
    return a.left < b.right and b.left < a.right and a.top < b.bottom and b.top < a.bottom


def on_the_way(points: tuple[Point, ...], is_down: bool) -> list[Point]:
    """Points along the curves that `graph_drawing` draws: cubic, level (or upright) at each given point."""
    found = []
    for start, end in pairwise(points):
        (a, b), (to_a, to_b) = (start[::-1], end[::-1]) if is_down else (start, end)
        middle = (a + to_a) / 2
        for t in np.linspace(0.02, 0.98, 25):
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            along, across = np.dot(weights, (a, middle, middle, to_a)), np.dot(weights, (b, b, to_b, to_b))
            found.append((float(across), float(along)) if is_down else (float(along), float(across)))
    return found


def is_inside(point: Point, box: Box) -> bool:
    x, y = point
    return box.left + CLOSE < x < box.right - CLOSE and box.top + CLOSE < y < box.bottom - CLOSE


def on_the_edge(point: Point, box: Box) -> bool:
    x, y = point
    beside = min(abs(x - box.left), abs(x - box.right)) < CLOSE and box.top <= y <= box.bottom
    above = min(abs(y - box.top), abs(y - box.bottom)) < CLOSE and box.left <= x <= box.right
    return beside or above


def random_graph(seed: int) -> tuple[list[Size], list[Link]]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 13))
    links = []
    for _ in range(int(rng.integers(0, 15))):
        target = int(rng.integers(-1, n))
        size = Size(float(rng.uniform(30, 110)), float(rng.choice([16, 32])))
        links.append(Link(int(rng.integers(n)), None if target < 0 else target, size))
    return [Size(168.0, float(height)) for height in rng.uniform(40, 120, n)], links


@pytest.mark.parametrize("room", [340, ROOM, 1e9])
@pytest.mark.parametrize("seed", range(40))
def test_nothing_lies_on_anything_and_no_arrow_crosses_a_text(seed: int, room: float) -> None:
    sizes, links = random_graph(seed)
    layout = lay_out(sizes, links, room=room)
    boxes = [*layout.nodes, *layout.labels]
    assert len(layout.nodes) == len(sizes)
    assert not [(a, b) for a, b in combinations(boxes, 2) if overlap(a, b)]
    for box in boxes:
        assert min(box.left, box.top) >= -CLOSE
        assert box.right <= layout.width + CLOSE
        assert box.bottom <= layout.height + CLOSE
    for link, label, route in zip(links, layout.labels, layout.routes, strict=True):
        assert on_the_edge(route.into[0], layout.nodes[link.source])
        assert on_the_edge(route.into[-1], label)
        if link.target is not None and link.target != link.source:
            assert on_the_edge(route.onward[0], label)
            assert on_the_edge(route.onward[-1], layout.nodes[link.target])
        for point in (*on_the_way(route.into, route.is_down), *on_the_way(route.onward, route.is_down)):
            assert not [box for box in boxes if is_inside(point, box)], (link, point)
            assert -CLOSE <= point[0] <= layout.width + CLOSE


LABEL = Size(50.0, 16.0)


def squares(n: int) -> list[Size]:
    return [Size(100.0, 50.0)] * n


def test_what_is_named_first_comes_first_and_arrows_go_with_the_reading() -> None:
    layout = lay_out(squares(4), [Link(0, 1, LABEL), Link(1, 2, LABEL), Link(0, 3, LABEL)], room=2000)
    hedgehog, brush, pumpkin, hat = layout.nodes
    assert hedgehog.left < brush.left < pumpkin.left
    assert brush.left == hat.left
    assert brush.bottom < hat.top


def test_a_chain_is_one_straight_line_and_turns_down_where_there_is_no_room() -> None:
    sizes, links = [Size(100, 40), Size(100, 90), Size(100, 60)], [Link(0, 1, LABEL), Link(1, 2, LABEL)]
    across, down = lay_out(sizes, links, room=2000), lay_out(sizes, links, room=300)
    assert len({round(box.middle, 3) for box in (*across.nodes, *across.labels)}) == 1
    assert len({round(box.left + box.width / 2, 3) for box in (*down.nodes, *down.labels)}) == 1
    assert [box.top for box in down.nodes] == sorted(box.top for box in down.nodes)
    assert down.width == 100


def test_two_arrows_that_need_not_cross_do_not() -> None:
    # In the order of naming, 0 → 3 and 1 → 2 would cross.
    layout = lay_out(squares(4), [Link(0, 3, LABEL), Link(1, 2, LABEL), Link(0, 2, LABEL)], room=2000)
    zero, one, two, three = (box.top for box in layout.nodes)
    assert (zero < one) == (three < two)


def test_the_drawing_holds_every_word_and_says_it_again_for_who_cannot_see() -> None:
    drawing = draw(SQUIRREL, title="What the prompt asks for")
    assert drawing is not None
    root = parsed(drawing.svg)
    assert root.get("role") == "img"
    label = root.get("aria-label") or ""
    assert label.startswith("What the prompt asks for: ")
    drawn = " ".join("".join(text.itertext()) for text in root.iter("text"))
    for words in ("hedgehog", "small · red", "brush", "holds", "rests on", "smiles"):
        assert words in drawn
    for words in ("hedgehog (small, red)", "the brush paints the pumpkin", "the hedgehog smiles"):
        assert words in label.lower()
    assert len(re.findall('class="head"', drawing.svg)) == 3
    assert "style" not in drawing.svg
    assert draw(SQUIRREL, title="What the prompt asks for") == drawing


def test_words_of_people_are_not_markup() -> None:
    graph = Decomposition(
        (Entity("e1", '<b onload="x">fox & hen'), Entity("e2", "hat")), (Relation("r1", "e1", "<i>", "e2"),)
    )
    drawing = draw(graph, title='"quoted"')
    assert drawing is not None
    assert "<b" not in drawing.svg
    assert "<i>" not in drawing.svg
    parsed(drawing.svg)


def test_long_names_are_broken_and_fit() -> None:
    text = "a very old lighthouse keeper's brass telescope with Donaudampfschifffahrtsgesellschaftskapitän engraved"
    lines = wrap(text, 240, 15)
    assert all(wide(line, 15) <= 240 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert wrap("x " * 400, 140, 15)[-1].endswith("…")
    assert all(wide(line, 15) <= 140 for line in wrap("lll mmm " * 40, 140, 15))
    assert all(wide(line, 15) <= 140 for line in wrap("狐がシチューをかき混ぜている大きな木の切り株", 140, 15))


def test_on_a_telephone_boxes_are_narrower_where_that_makes_the_drawing_fit_and_breaks_no_word() -> None:
    def fan(*names: str) -> Decomposition:
        entities = tuple(Entity(f"e{n}", name) for n, name in enumerate(names))
        return Decomposition(entities, tuple(Relation(f"r{n}", "e0", "sees", f"e{n}") for n in range(1, len(names))))

    def boxes(graph: Decomposition, room: float) -> tuple[int, set[str]]:
        drawing = draw(graph, title="", room=room)
        assert drawing
        return drawing.width, set(re.findall(r'class="entity"[^>]* width="(\d+)"', drawing.svg))

    usual = str(int(NODE_WIDTHS[0]))
    for names in (("fox", "hen", "owl"), ("fox", "hen", "owl", "small pumpkin")):
        assert boxes(fan(*names), ROOM)[1] == {usual}
        width, narrower = boxes(fan(*names), NARROW_ROOM)
        assert width <= NARROW_ROOM
        assert usual not in narrower
    whole = fan("fox", "hippopotamus-keeper", "electroencephalographer")
    assert boxes(whole, NARROW_ROOM)[1] == {usual}, "a word that fills the widest box stays in one piece"


def test_relations_known_by_their_words_alone_are_in_the_text_and_not_drawn() -> None:
    graph = Decomposition((Entity("e1", "fox"),), (Relation("r1", "", "", None, text="everything is calm"),))
    drawing = draw(graph, title="t")
    assert drawing is not None
    assert "arrow" not in drawing.svg
    assert "everything is calm" in in_words(graph)


def test_what_would_be_unreadable_is_not_drawn() -> None:
    assert draw(Decomposition(tuple(Entity(f"e{i}", "ant") for i in range(MOST_ENTITIES + 1))), title="t") is None
