"""What goes wrong in a picture, as edits of the scene that was asked for.

A baseline gets 0–3 errors; a refined picture fixes some of them and now and then breaks something new. Two errors of
one picture never touch the same part, so that each can be named, judged and fixed by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from generation.recipes.scenes.layout import Box, boxes
from generation.recipes.scenes.scene import (
    BODY_SHAPES,
    COLOURS,
    PREDICATES,
    SHAPES,
    STURDY_SHAPES,
    Entity,
    Scene,
    pick,
)

KIND_WEIGHTS = {
    "wrong_colour": 0.20,
    "wrong_relation": 0.18,
    "not_holding": 0.16,
    "missing_entity": 0.12,
    "wrong_shape": 0.11,
    "extra_entity": 0.10,
    "wrong_count": 0.08,
    "wrong_size": 0.05,
}
"""How readily each kind of error befalls a picture, among the kinds that its scene allows."""
ERROR_KINDS = tuple(KIND_WEIGHTS)
SEVERITY_WEIGHTS = {"major": 1.0, "minor": 0.5}
ERROR_COUNT_PROBABILITIES = (0.30, 0.34, 0.24, 0.12)
"""P(0), P(1), P(2), P(3) errors in a baseline picture: 70% have at least one, 1.18 on average."""
MEND_IF_CLAIMED = 0.80
MEND_IF_NOT_CLAIMED = 0.30
"""With the critic's recall of 0.70 the two make an overall repair rate of 0.65."""
BREAK_PROBABILITY = 0.08
"""Chance that a refined picture has one error that its baseline had not."""

_LOOK_ALIKE = {
    # Pairs that people, or people with a colour-vision deficiency, might call by one name.
    "red": {"orange", "pink", "green"},
    "orange": {"red", "yellow", "green"},
    "yellow": {"orange"},
    "green": {"red", "orange"},
    "blue": {"purple"},
    "purple": {"blue", "pink"},
    "pink": {"red", "purple"},
}


@dataclass(frozen=True)
class SceneError:
    """One thing that a picture gets wrong.

    `about` is the id of an entity or relation, or "extra"; `detail` is what the picture shows instead (a colour, a
    shape, a size, a number, a predicate, or "colour shape" of an extra thing; empty for a missing entity).
    `box` is where to look, in shares of the picture's side; None until the picture is laid out.
    """

    kind: str
    severity: str
    about: str
    detail: str
    box: Box | None = None

    @property
    def same_as(self) -> tuple[str, str, str]:
        """What makes two errors one and the same in two pictures of one prompt; the box may differ."""
        return self.kind, self.about, self.detail


def candidates(scene: Scene, rng: np.random.Generator) -> list[SceneError]:
    """One error of each kind for each part of the scene that allows it, the details drawn from `rng`."""
    found: list[SceneError] = []
    used_colours = {entity.colour for entity in scene.entities}
    used_shapes = {entity.shape for entity in scene.entities}
    free_colours = [colour for colour in COLOURS if colour not in used_colours]
    for entity in scene.entities:
        colours = [colour for colour in free_colours if colour not in _LOOK_ALIKE[entity.colour]]
        if colours:
            found.append(SceneError("wrong_colour", _lesser(entity), entity.id, pick(rng, colours)))
        shapes = [shape for shape in _shapes_for(scene, entity) if shape not in used_shapes]
        if shapes:
            found.append(SceneError("wrong_shape", _lesser(entity), entity.id, pick(rng, shapes)))
        found.append(SceneError("missing_entity", "major", entity.id, ""))
        if entity.count > 1:
            # A group of one would not be a group; two is the least that is drawn.
            number = max(2, entity.count + pick(rng, (-2, -1, 1, 2)))
            severity = "minor" if abs(number - entity.count) == 1 else "major"
            found.append(SceneError("wrong_count", severity, entity.id, str(number)))
        if entity.size != "medium" and scene.plan != "wearing":
            size = "large" if entity.size == "small" else "small"
            found.append(SceneError("wrong_size", "minor", entity.id, size))
    for relation in scene.relations:
        predicate = PREDICATES[relation.predicate]
        found.append(SceneError(predicate.wrong_kind, predicate.severity, relation.id, predicate.wrong))
    extra_colour, extra_shape = pick(rng, free_colours), pick(rng, [s for s in SHAPES if s not in used_shapes])
    found.append(SceneError("extra_entity", "minor", "extra", f"{extra_colour} {extra_shape}"))
    return found


def _lesser(entity: Entity) -> str:
    return "major" if entity.is_body else "minor"


def _shapes_for(scene: Scene, entity: Entity) -> Sequence[str]:
    if not entity.is_body:
        return SHAPES
    return STURDY_SHAPES if scene.plan == "wearing" and entity.id == "e1" else BODY_SHAPES


def parts(scene: Scene, error: SceneError) -> set[str]:
    """The parts that an error spoils: what is missing spoils its relations too."""
    touched = {error.about}
    if error.kind == "missing_entity":
        touched |= {r.id for r in scene.relations if error.about in (r.subject, r.object)}
    return touched


def draw_errors(
    scene: Scene, rng: np.random.Generator, count: int, spoiled: Collection[str] = ()
) -> tuple[SceneError, ...]:
    """Up to `count` errors, a kind first and then a place for it, none touching a part in `spoiled` or each other.

    Fewer only when the scene has no untouched part left.
    """
    taken = set(spoiled)
    drawn: list[SceneError] = []
    options = candidates(scene, rng)
    for _ in range(count):
        options = [error for error in options if not parts(scene, error) & taken]
        if not options:
            break
        kinds = [kind for kind in ERROR_KINDS if any(error.kind == kind for error in options)]
        weights = np.array([KIND_WEIGHTS[kind] for kind in kinds])
        kind = kinds[int(rng.choice(len(kinds), p=weights / weights.sum()))]
        error = pick(rng, [error for error in options if error.kind == kind])
        drawn.append(error)
        taken |= parts(scene, error)
        if kind == "missing_entity":
            # One at most: a picture without any of its bodies could not be rated as a picture of its prompt.
            options = [error for error in options if error.kind != "missing_entity"]
    return tuple(drawn)


def baseline_errors(scene: Scene, rng: np.random.Generator) -> tuple[SceneError, ...]:
    """The errors of a baseline picture, boxes included."""
    count = int(rng.choice(len(ERROR_COUNT_PROBABILITIES), p=ERROR_COUNT_PROBABILITIES))
    return located(scene, draw_errors(scene, rng, count))


def refined_errors(
    scene: Scene, errors: Sequence[SceneError], claimed: Collection[tuple[str, str, str]], rng: np.random.Generator
) -> tuple[SceneError, ...]:
    """What a refined picture still or newly gets wrong; `claimed` holds `same_as` of what the critic named."""
    kept = []
    for error in errors:
        chance = MEND_IF_CLAIMED if error.same_as in claimed else MEND_IF_NOT_CLAIMED
        if rng.random() >= chance:
            kept.append(error)
    if rng.random() < BREAK_PROBABILITY:
        # A fixed part stays fixed: otherwise the same picture would count as a repair and a new break.
        spoiled = set[str]().union(*(parts(scene, error) for error in errors)) if errors else set()
        kept.extend(draw_errors(scene, rng, 1, spoiled))
    return located(scene, kept)


def shown(scene: Scene, errors: Sequence[SceneError]) -> Scene:
    """The scene as a picture with these errors shows it."""
    for error in errors:
        if error.kind == "missing_entity":
            scene = replace(scene, absent=scene.absent | {error.about})
        elif error.kind == "extra_entity":
            colour, shape = error.detail.split()
            extra = Entity(error.about, colour, shape, "small", is_body=False)
            scene = replace(scene, extras=(*scene.extras, extra))
        elif error.about.startswith("r"):
            relations = tuple(replace(r, predicate=error.detail) if r.id == error.about else r for r in scene.relations)
            scene = replace(scene, relations=relations)
        else:
            entities = tuple(_altered(e, error) if e.id == error.about else e for e in scene.entities)
            scene = replace(scene, entities=entities)
    return scene


def _altered(entity: Entity, error: SceneError) -> Entity:
    if error.kind == "wrong_colour":
        return replace(entity, colour=error.detail)
    if error.kind == "wrong_shape":
        return replace(entity, shape=error.detail)
    if error.kind == "wrong_size":
        return replace(entity, size=error.detail)
    return replace(entity, count=int(error.detail))


def located(scene: Scene, errors: Sequence[SceneError]) -> tuple[SceneError, ...]:
    """The same errors with the boxes that they have in the picture which shows all of them."""
    places = boxes(shown(scene, errors))
    return tuple(replace(error, box=places[error.about]) for error in errors)


def quality(errors: Sequence[SceneError]) -> float:
    """True quality: 0 when everything is right, minus 1 for each major and 0.5 for each minor error."""
    return -sum(SEVERITY_WEIGHTS[error.severity] for error in errors) + 0.0
