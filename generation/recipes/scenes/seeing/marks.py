"""What share of a scene's parts a picture gets right, by the independent check: the rows of every table about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.recipes.scenes.scene import Scene
from generation.recipes.scenes.seeing.check import Checked, check

MARKS: dict[str, str] = {
    "body_colour": "Bodies: right colour",
    "body_outline": "Bodies: right outline",
    "thing_colour": "Small things: right colour",
    "thing_outline": "Small things: right outline",
    "count": "Groups: right number",
    "relation": "Relations that hold",
    "no_extra": "Scenes without anything extra",
    "scene": "Whole scenes right",
}


@dataclass(frozen=True)
class Marked:
    """Of one picture how many of its parts there are and how many of them are right, by the names in `MARKS`."""

    right: Counter[str]
    parts: Counter[str]

    @property
    def satisfied(self) -> float:
        """The share of what was asked for that holds, 0–1: each colour, outline and number, and each relation."""
        asked = [name for name in self.parts if name not in ("no_extra", "scene")]
        return sum(self.right[name] for name in asked) / sum(self.parts[name] for name in asked)


def mark(scene: Scene, pixels: NDArray[np.uint8]) -> Marked:
    """The marks of an RGB picture (side, side, 3) that was to show the scene."""
    return marks_of(scene, check(scene, pixels))


def marks_of(scene: Scene, checked: Checked) -> Marked:
    """The marks that follow from what the check found. What is missing has nothing right."""
    right: Counter[str] = Counter()
    parts: Counter[str] = Counter()

    def note(name: str, is_right: bool) -> None:
        parts[name] += 1
        right[name] += is_right

    for entity in scene.entities:
        group = checked.seen[entity.id]
        kind = "body" if entity.is_body else "thing"
        has_colour = bool(group) and group[0].colour == entity.colour
        note(f"{kind}_colour", has_colour)
        alike = sum(figure.could_be(entity.shape) for figure in group)
        note(f"{kind}_outline", bool(group) and alike > len(group) / 2)
        if entity.count > 1:
            note("count", has_colour and len(group) == entity.count)
    for relation in scene.relations:
        note("relation", relation.id in checked.holding)
    note("no_extra", all(error.kind != "extra_entity" for error in checked.errors))
    note("scene", checked.is_right)
    return Marked(right, parts)


def total(marked: Iterable[Marked]) -> Marked:
    """The marks of many pictures together."""
    right: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    for one in marked:
        right.update(one.right)
        parts.update(one.parts)
    return Marked(right, parts)
