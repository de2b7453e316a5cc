"""What a critic that looks says: what it sees (`eyes`) held against what was asked for (`asked`), as errors.

Next to it `guesses`, of a critic that never looks: it says what often goes wrong with such prompts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from generation.recipes.scenes.errors import SceneError, draw_errors
from generation.recipes.scenes.layout import Box
from generation.recipes.scenes.scene import PREDICATES, Entity, Relation, Scene
from generation.recipes.scenes.seeing.eyes import Seen

_SHAPE_FROM = 0.12
"""How sure it is of another shape before it says so: small shapes look alike."""


@dataclass(frozen=True)
class Remark:
    """An error that the critic sees, or believes to see, and how sure it is of it (0–1)."""

    error: SceneError
    confidence: float


def remarks(asked: Scene, seen: Sequence[Seen]) -> tuple[Remark, ...]:
    """What differs from what was asked for, the surest and weightiest first; at most one remark per part."""
    taken = _take(asked, seen)
    found = [remark for entity in asked.entities if (remark := _of_entity(entity, taken[entity.id])) is not None]
    missing = {remark.error.about for remark in found if remark.error.kind == "missing_entity"}
    for relation in asked.relations:
        if not missing & {relation.subject, relation.object}:
            remark = _of_relation(relation, taken)
            found += [remark] if remark is not None else []
    used = {id(one) for group in taken.values() for one in group}
    spare = [one for one in seen if id(one) not in used]
    if spare and asked.entities:
        error = SceneError("extra_entity", "minor", "extra", f"{spare[0].colour} {spare[0].shape}", spare[0].box)
        found.append(Remark(error, 0.5))
    return tuple(sorted(found, key=lambda remark: (remark.error.severity != "major", -remark.confidence)))


def guesses(asked: Scene, seed: bytes, count: int | None = None) -> tuple[Remark, ...]:
    """What a critic says that has not looked: `count` errors that fit the prompt, else one or two; same seed, same."""
    if len(asked.entities) < 2 or any(not entity.colour for entity in asked.entities):
        return ()
    rng = _generator(seed)
    errors = draw_errors(asked, rng, int(rng.integers(1, 3)) if count is None else count)
    return tuple(Remark(error, round(float(rng.uniform(0.5, 0.95)), 2)) for error in errors)


def plant(asked: Scene, found: Sequence[Remark], share: float, seed: bytes) -> tuple[Remark, ...]:
    """`found` with each remark replaced at the chance `share` by one about a part that it found to be right.

    A critic that found nothing makes up one at that chance. Fewer where no part is left.
    """
    rng = _generator(b"plant" + seed)
    n_planted = int((rng.random(max(1, len(found))) < share).sum())
    kept = [found[index] for index in sorted(rng.permutation(len(found))[: len(found) - n_planted])] if found else []
    faulty = {remark.error.about for remark in found}
    made_up = [remark for remark in guesses(asked, b"guess" + seed, 6) if remark.error.about not in faulty]
    return (*kept, *made_up[:n_planted])


def _generator(seed: bytes) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(seed).digest()[:8], "big"))


def where(box: Box) -> str:
    """A place in words: "at the upper left", "in the middle"."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    down = "upper" if y < 0.36 else "lower" if y > 0.64 else ""
    across = "left" if x < 0.36 else "right" if x > 0.64 else ""
    if not down and not across:
        return "in the middle"
    if not across:
        return f"at the {'top' if down == 'upper' else 'bottom'}"
    return f"at the {down} {across}" if down else f"on the {across}"


def _take(asked: Scene, seen: Sequence[Seen]) -> dict[str, tuple[Seen, ...]]:
    """For each thing asked for what it could be, the best match first served."""
    offers = sorted(
        (
            (_likeness(entity, one), -entity_number, -seen_number)
            for entity_number, entity in enumerate(asked.entities)
            for seen_number, one in enumerate(seen)
        ),
        reverse=True,
    )
    taken: dict[str, list[Seen]] = {entity.id: [] for entity in asked.entities}
    used: set[int] = set()
    for likeness, entity_number, seen_number in offers:
        entity, one = asked.entities[-entity_number], seen[-seen_number]
        group = taken[entity.id]
        if likeness < 2 or -seen_number in used:
            continue
        if group and (entity.count == 1 or one.colour != group[0].colour):
            continue
        group.append(one)
        used.add(-seen_number)
    return {key: tuple(group) for key, group in taken.items()}


def _likeness(entity: Entity, one: Seen) -> float:
    """From 2 what could be the thing at all: it is of the size of its kind."""
    return (
        2.0 * (one.is_body == entity.is_body)
        + 2.0 * (one.colour == entity.colour)
        + (one.shape == entity.shape) * (0.5 + one.sureness)
    )


def _of_entity(entity: Entity, group: Sequence[Seen]) -> Remark | None:
    severity = "major" if entity.is_body else "minor"
    if not group:
        return Remark(SceneError("missing_entity", "major", entity.id, ""), 0.9)
    first = group[0]
    if entity.colour and first.colour != entity.colour:
        return Remark(SceneError("wrong_colour", severity, entity.id, first.colour, first.box), 0.9)
    if len(group) != entity.count:
        off = abs(len(group) - entity.count)
        error = SceneError("wrong_count", "minor" if off == 1 else "major", entity.id, str(len(group)), _around(group))
        return Remark(error, 0.8)
    others = [one for one in group if one.shape != entity.shape and one.sureness >= _SHAPE_FROM]
    if len(others) > len(group) / 2:
        shapes = [one.shape for one in others]
        shape = max(sorted(set(shapes)), key=shapes.count)
        sureness = float(np.mean([one.sureness for one in others]))
        error = SceneError("wrong_shape", severity, entity.id, shape, _around(group))
        return Remark(error, round(min(0.9, 0.35 + sureness), 2))
    return None


def _around(group: Sequence[Seen]) -> Box:
    return (
        min(one.box[0] for one in group),
        min(one.box[1] for one in group),
        max(one.box[2] for one in group),
        max(one.box[3] for one in group),
    )


def _of_relation(relation: Relation, taken: dict[str, tuple[Seen, ...]]) -> Remark | None:
    subjects, others = taken[relation.subject], taken[relation.object]
    if seems_to_hold(relation.predicate, subjects, others):
        return None
    predicate = PREDICATES[relation.predicate]
    box = _around([*subjects, *others])
    return Remark(SceneError(predicate.wrong_kind, predicate.severity, relation.id, predicate.wrong, box), 0.7)


def seems_to_hold(predicate: str, subjects: Sequence[Seen], others: Sequence[Seen]) -> bool:
    """Whether a relation holds in what is seen; what it cannot judge (a look, a wave) it believes."""
    if predicate in _OF_GROUPS:
        return _OF_GROUPS[predicate](subjects, others[0])
    judge = _OF_TWO.get(predicate)
    return judge is None or judge(subjects[0], others[0])


def _between(one: Seen, other: Seen) -> tuple[float, float]:
    """The free width and the free height between two boxes, 0 where they overlap."""
    return (
        max(0.0, other.box[0] - one.box[2], one.box[0] - other.box[2]),
        max(0.0, other.box[1] - one.box[3], one.box[1] - other.box[3]),
    )


def _touches(one: Seen, other: Seen, reach: float) -> bool:
    return max(_between(one, other)) <= reach


_OF_TWO: dict[str, Callable[[Seen, Seen], bool]] = {
    "left of": lambda one, other: one.x < other.x - 0.1,
    "right of": lambda one, other: one.x > other.x + 0.1,
    "above": lambda one, other: one.y < other.y - 0.1,
    "below": lambda one, other: one.y > other.y + 0.1,
    "holds": lambda one, other: _touches(one, other, 0.15) and abs(other.x - one.x) > 0.1,
    "balances": lambda one, other: _touches(one, other, 0.09) and other.y < one.y and abs(one.x - other.x) < 0.12,
    "pulls": lambda one, other: 0.1 < _between(one, other)[0] < 0.4 and abs(one.y - other.y) < 0.3,
    "wears": lambda one, other: _between(one, other) == (0.0, 0.0),
    "lifts": lambda one, other: other.y < one.y - 0.1,
    "holds hands with": lambda one, other: _between(one, other)[0] < 0.2,
    "on top of": lambda one, other: one.y < other.y and _touches(one, other, 0.09) and abs(one.x - other.x) < 0.12,
}
_OF_GROUPS: dict[str, Callable[[Sequence[Seen], Seen], bool]] = {
    "in a ring around": lambda things, body: (
        min(one.y for one in things) < body.y < max(one.y for one in things)
        and min(one.x for one in things) < body.x < max(one.x for one in things)
    ),
    "in a row below": lambda things, body: min(one.y for one in things) > body.y + 0.1,
    "in a row above": lambda things, body: max(one.y for one in things) < body.y - 0.1,
    "in an arch over": lambda things, body: (
        max(one.y for one in things) < body.y + 0.1 and np.ptp([one.y for one in things]) > 0.06
    ),
}
