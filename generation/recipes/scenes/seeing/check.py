"""The independent check: what is wrong in a picture, measured in its pixels by code that knows the requested scene.

It shares no judgement with any critic, so critics, metrics and raters can be compared with it. Two things are not
checked, since 64 pixels do not show them reliably: where eyes look, and whether a thing is small or a body large.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.recipes.scenes.errors import SceneError
from generation.recipes.scenes.layout import Box
from generation.recipes.scenes.scene import COLOURS, PREDICATES, Entity, Relation, Scene
from generation.recipes.scenes.seeing.pixels import Figure, colour_classes, figures

_WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Checked:
    """What the check found: the errors, and by entity the figures that were taken for it (none if it is missing).

    `holding` has the ids of the relations that hold.
    """

    errors: tuple[SceneError, ...]
    seen: dict[str, tuple[Figure, ...]]
    holding: frozenset[str]

    @property
    def is_right(self) -> bool:
        """Whether the picture shows the whole scene as requested, and nothing else."""
        return not self.errors


def check(scene: Scene, pixels: NDArray[np.uint8]) -> Checked:
    """Compare an RGB picture (side, side, 3) with a scene; each part has at most one error."""
    found = figures(pixels)
    seen = _assign(scene, found)
    errors = [error for entity in scene.entities if (error := _entity_error(entity, seen[entity.id])) is not None]
    missing = {error.about for error in errors if error.kind == "missing_entity"}
    holding: set[str] = set()
    for relation in scene.relations:
        if missing & {relation.subject, relation.object}:
            continue  # what is missing takes its relations with it: one error, not two
        if _holds(relation, seen, pixels):
            holding.add(relation.id)
        else:
            predicate = PREDICATES[relation.predicate]
            box = _around([*seen[relation.subject], *seen[relation.object]])
            errors.append(SceneError(predicate.wrong_kind, predicate.severity, relation.id, predicate.wrong, box))
    taken = {id(figure) for group in seen.values() for figure in group}
    extras = [figure for figure in found if id(figure) not in taken]
    if extras:
        errors.append(
            SceneError("extra_entity", "minor", "extra", f"{extras[0].colour} {extras[0].shape}", _around(extras[:1]))
        )
    return Checked(tuple(errors), seen, frozenset(holding))


def _assign(scene: Scene, found: Sequence[Figure]) -> dict[str, tuple[Figure, ...]]:
    """Figures by entity: those of its colour first (no two things asked for share one), then what is left over."""
    seen: dict[str, tuple[Figure, ...]] = {}
    free = list(found)
    for entity in scene.entities:
        own = [figure for figure in free if figure.colour == entity.colour and figure.is_body == entity.is_body]
        seen[entity.id] = tuple(own if entity.count > 1 else own[:1])
        free = [figure for figure in free if all(figure is not taken for taken in seen[entity.id])]
    asked = {entity.colour for entity in scene.entities}
    for entity in scene.entities:
        if seen[entity.id]:
            continue
        # In a wrong colour: of those of its kind, first what has its shape, and rather a colour nobody asked for.
        others = [figure for figure in free if figure.is_body == entity.is_body]
        others.sort(key=lambda figure: (not figure.could_be(entity.shape), figure.colour in asked))
        if not others:
            continue
        chosen = [figure for figure in others if figure.colour == others[0].colour]
        seen[entity.id] = tuple(chosen if entity.count > 1 else chosen[:1])
        free = [figure for figure in free if all(figure is not taken for taken in seen[entity.id])]
    return seen


def _entity_error(entity: Entity, group: Sequence[Figure]) -> SceneError | None:
    severity = "major" if entity.is_body else "minor"
    if not group:
        return SceneError("missing_entity", "major", entity.id, "", _WHOLE)
    box = _around(group)
    if group[0].colour != entity.colour:
        return SceneError("wrong_colour", severity, entity.id, group[0].colour, box)
    if len(group) != entity.count:
        off = abs(len(group) - entity.count)
        return SceneError("wrong_count", "minor" if off == 1 else "major", entity.id, str(len(group)), box)
    others = [figure.shape for figure in group if not figure.could_be(entity.shape)]
    if len(others) >= len(group) / 2:
        return SceneError("wrong_shape", severity, entity.id, max(sorted(set(others)), key=others.count), box)
    return None


def _around(group: Sequence[Figure]) -> Box:
    return (
        round(min(figure.left for figure in group), 4),
        round(min(figure.top for figure in group), 4),
        round(max(figure.right for figure in group), 4),
        round(max(figure.bottom for figure in group), 4),
    )


# --- relations -------------------------------------------------------------------------------------------------------
def _holds(relation: Relation, seen: dict[str, tuple[Figure, ...]], pixels: NDArray[np.uint8]) -> bool:
    subjects, others = seen[relation.subject], seen[relation.object]
    predicate = relation.predicate
    if predicate in _AMONG_MANY:
        return _AMONG_MANY[predicate](subjects, others[0])
    if predicate == "holds hands with":
        return _hands_meet(subjects[0], others[0], pixels)
    if predicate == "waves to":
        return _waves(subjects[0], others[0], pixels)
    return _BETWEEN_TWO[predicate](subjects[0], others[0])


def _is_beside(one: Figure, other: Figure) -> bool:
    """Whether `one` is left of `other`, rather than above or below it."""
    return other.x - one.x > 0.12 and abs(one.y - other.y) < other.x - one.x


def _is_above(one: Figure, other: Figure) -> bool:
    return other.y - one.y > 0.12 and abs(one.x - other.x) < other.y - one.y


def _gap(one: Figure, other: Figure) -> float:
    """Free width between two figures; negative where they overlap."""
    return max(one.left - other.right, other.left - one.right)


def _is_held(one: Figure, thing: Figure) -> bool:
    return -0.02 < _gap(one, thing) < 0.12 and -0.2 < thing.y - one.y < 0.08


def _is_balanced(one: Figure, thing: Figure) -> bool:
    return abs(one.x - thing.x) < 0.1 and -0.06 < one.top - thing.bottom < 0.07


def _is_pulled(one: Figure, thing: Figure) -> bool:
    return 0.14 < _gap(one, thing) < 0.36 and abs(thing.bottom - one.bottom) < 0.12


def _is_worn(one: Figure, thing: Figure) -> bool:
    return one.left < thing.left + 0.02 and thing.right - 0.02 < one.right and one.top < thing.y < one.bottom


def _is_lifted(one: Figure, thing: Figure) -> bool:
    return thing.bottom < one.top + 0.08 and abs(thing.x - one.x) < 0.36


def _stands_on(one: Figure, other: Figure) -> bool:
    return abs(one.x - other.x) < 0.12 and abs(other.top - one.bottom) < 0.08


def _form_ring(things: Sequence[Figure], body: Figure) -> bool:
    angles = sorted(float(np.arctan2(thing.y - body.y, thing.x - body.x)) for thing in things)
    gaps = [b - a for a, b in zip(angles, [*angles[1:], angles[0] + 2 * np.pi], strict=True)]
    return len(things) >= 3 and max(gaps) < 1.7 * 2 * np.pi / len(things)


def _form_row(things: Sequence[Figure], body: Figure, side: int) -> bool:
    heights = [thing.y for thing in things]
    return max(heights) - min(heights) < 0.1 and all(side * (thing.y - body.y) > 0.15 for thing in things)


def _form_arch(things: Sequence[Figure], body: Figure) -> bool:
    ordered = sorted(things, key=lambda thing: thing.x)
    ends = min(ordered[0].y, ordered[-1].y)
    return (
        len(things) >= 3
        and ordered[0].x < body.x < ordered[-1].x
        and all(thing.y < body.bottom for thing in things)
        and ends - min(thing.y for thing in things) > 0.08
    )


def _limbs(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels that are darker than any ground or shadow next to a figure: hands and arms, even blurred ones."""
    return (pixels.max(-1) < 170) | (np.ptp(pixels.astype(int), axis=-1) > 45)


def _hands_meet(one: Figure, other: Figure, pixels: NDArray[np.uint8]) -> bool:
    """Whether limbs bridge the gap between two bodies that stand side by side."""
    left, right = sorted((one, other), key=lambda figure: figure.x)
    if abs(left.y - right.y) > 0.2 or right.left - left.right > 0.25:
        return False
    side = len(pixels)
    y = (left.y + right.y) / 2
    rows = slice(round((y - 0.06) * side), round((y + 0.16) * side))
    columns = slice(round(left.right * side) + 1, round(right.left * side) - 1)
    bridged = _limbs(pixels)[rows, columns].any(0)
    return bool(bridged.mean() > 0.85) if bridged.size else True


def _waves(one: Figure, other: Figure, pixels: NDArray[np.uint8]) -> bool:
    """Whether an arm in the body's colour is raised on the partner's side."""
    side, towards = len(pixels), 1 if other.x > one.x else -1
    edge = one.right if towards > 0 else one.left
    near, far = sorted((edge - 0.02 * towards, edge + 0.12 * towards))
    rows = slice(max(0, round((one.y - 0.55 * one.height) * side)), round((one.y - 0.12 * one.height) * side))
    columns = slice(max(0, round(near * side)), round(far * side))
    own = colour_classes(pixels)[rows, columns] == list(COLOURS).index(one.colour)
    outside = own & ~one.mask[rows, columns]
    return bool(outside.sum() >= 3 * (side / 64) ** 2)


_BETWEEN_TWO: dict[str, Callable[[Figure, Figure], bool]] = {
    "left of": _is_beside,
    "right of": lambda one, other: _is_beside(other, one),
    "above": _is_above,
    "below": lambda one, other: _is_above(other, one),
    "holds": _is_held,
    "balances": _is_balanced,
    "pulls": _is_pulled,
    "wears": _is_worn,
    "lifts": _is_lifted,
    "looks at": lambda one, other: abs(one.y - other.y) < 0.25,
    "on top of": _stands_on,
}
_AMONG_MANY: dict[str, Callable[[Sequence[Figure], Figure], bool]] = {
    "in a ring around": _form_ring,
    "in a row below": lambda things, body: _form_row(things, body, 1),
    "in a row above": lambda things, body: _form_row(things, body, -1),
    "in an arch over": _form_arch,
}
