"""The places of everything in a scene: relative boxes, computed only from the scene.

All lengths are shares of the picture's side; x runs to the right, y runs down.
"""

from __future__ import annotations

import math

from generation.recipes.scenes.scene import Entity, Scene

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in 0–1."""
Spot = tuple[float, float, float]
"""Centre x, centre y and diameter."""

BODY_DIAMETER = {"small": 0.15, "medium": 0.28, "large": 0.34}
THING_DIAMETER = {"small": 0.13, "medium": 0.2, "large": 0.26}
_CORNERS = ((0.13, 0.87), (0.87, 0.87), (0.13, 0.13), (0.87, 0.13), (0.5, 0.9), (0.13, 0.5), (0.87, 0.5))


def lay_out(scene: Scene, thing_scale: float = 1.0) -> dict[str, tuple[Spot, ...]]:
    """The spots of every entity by id, one for each thing of a group. Absent entities keep their place.

    Order of the keys: bodies, things, extras. Spots always lie within the picture. `thing_scale` enlarges what has no
    face, for pictures of few pixels.
    """
    if scene.plan in ("holding", "balancing", "pulling", "wearing"):
        spots = _functional(scene, thing_scale)
    elif scene.plan == "tower":
        spots = _tower(scene, 0.85 if thing_scale == 1 else 0.92)
    elif scene.plan in ("ring", "row", "arch"):
        spots = _group(scene, thing_scale)
    else:
        spots = _multi_subject(scene, thing_scale)
    lateral = scene.relation("r1").predicate in ("left of", "right of")
    flip = scene.relation("r1").predicate == "right of" if lateral else scene.mirror
    if flip:
        spots = {key: tuple((1 - x, y, d) for x, y, d in group) for key, group in spots.items()}
    for extra in scene.extras:
        spots[extra.id] = (_free_corner(spots, thing_scale * THING_DIAMETER[extra.size]),)
    return {key: tuple(_inside(spot) for spot in group) for key, group in spots.items()}


def boxes(scene: Scene) -> dict[str, Box]:
    """The box around each entity (around all its things for a group), and around both ends of each relation."""
    around = {key: _around(group) for key, group in lay_out(scene).items()}
    for relation in scene.relations:
        ends = (around[relation.subject], around[relation.object])
        around[relation.id] = (
            min(b[0] for b in ends),
            min(b[1] for b in ends),
            max(b[2] for b in ends),
            max(b[3] for b in ends),
        )
    return around


def _around(group: tuple[Spot, ...]) -> Box:
    return (
        round(min(x - d / 2 for x, _, d in group), 4),
        round(min(y - d / 2 for _, y, d in group), 4),
        round(max(x + d / 2 for x, _, d in group), 4),
        round(max(y + d / 2 for _, y, d in group), 4),
    )


def _inside(spot: Spot) -> Spot:
    x, y, d = spot
    low, high = d / 2 + 0.02, 1 - d / 2 - 0.02
    return min(max(x, low), high), min(max(y, low), high), d


def _free_corner(spots: dict[str, tuple[Spot, ...]], diameter: float, corners: int = 7) -> Spot:
    """The place with the widest gap to everything placed so far (the first of equals)."""

    def gap(corner: tuple[float, float]) -> float:
        return min(
            math.hypot(x - corner[0], y - corner[1]) - d / 2 - diameter / 2
            for group in spots.values()
            for x, y, d in group
        )

    x, y = max(_CORNERS[:corners], key=gap)
    return x, y, diameter


def _size(entity: Entity) -> float:
    return (BODY_DIAMETER if entity.is_body else THING_DIAMETER)[entity.size]


def _functional(scene: Scene, thing_scale: float) -> dict[str, tuple[Spot, ...]]:
    """e1 acts on the thing e3, and is somewhere from e2. Drawn as "left of"; the caller flips it."""
    place, act = scene.relation("r1").predicate, scene.relation("r2").predicate
    other, thing = _size(scene.entity("e2")), thing_scale * _size(scene.entity("e3"))
    actor = 0.35 if scene.plan == "wearing" else _size(scene.entity("e1"))
    if place in ("above", "below"):
        x = {"pulling": 0.32, "holding": 0.43}.get(scene.plan, 0.5)
        one, two = ((x, 0.28), (0.5, 0.75)) if place == "above" else ((x, 0.7), (0.5, 0.24))
        side = 1
    else:
        one, two = (0.33, 0.57), (0.77, 0.57)
        side = -1
        if scene.plan == "wearing":
            one, two = (0.28, 0.55), (0.77, 0.57)
        elif scene.plan == "holding":
            one = (0.37, 0.57)
    spots: dict[str, tuple[Spot, ...]] = {"e1": ((*one, actor),), "e2": ((*two, other),)}
    x, y = one
    if act == "holds":
        spots["e3"] = ((x + side * (actor / 2 + 0.05 + thing / 2), y - 0.06, thing),)
    elif act == "balances":
        spots["e3"] = ((x, y - actor / 2 - thing / 2 + 0.012, thing),)
    elif act == "pulls":
        spots["e3"] = ((x + 0.46, y + actor / 2 + 0.045 - thing / 2, thing),)
    elif act == "wears":
        spots["e3"] = ((x, y + 0.25 * actor, 0.85 * thing),)
    else:
        spots["e3"] = (_free_corner(spots, thing, corners=2),)
    return spots


def _multi_subject(scene: Scene, thing_scale: float) -> dict[str, tuple[Spot, ...]]:
    """Two bodies side by side, e1 on the left before flipping, and one thing."""
    first, second = scene.relation("r1").predicate, scene.relation("r2").predicate
    one, two, thing = (_size(scene.entity(key)) for key in ("e1", "e2", "e3"))
    thing *= thing_scale
    left, right, y = 0.3, 0.7, 0.58
    if scene.plan in ("looking", "waving"):
        left, right = 0.23, 0.63
    elif first == "stands apart from":
        left, right = 0.22, 0.78
    spots: dict[str, tuple[Spot, ...]] = {"e1": ((left, y, one),), "e2": ((right, y, two),)}
    if scene.plan == "lifting together" and "lifts" in (first, second):
        spots["e3"] = ((0.5, 0.26, thing),)
    elif second == "balances":
        spots["e3"] = ((left, y - one / 2 - thing / 2 + 0.012, thing),)
    elif second == "holds":
        spots["e3"] = ((right + two / 2 + 0.04 + thing / 2, y - 0.06, thing),)
    elif scene.plan == "lifting together":
        spots["e3"] = ((0.5, 0.88, thing),)
    else:
        spots["e3"] = (_free_corner(spots, thing, corners=2),)
    return spots


def _tower(scene: Scene, body_scale: float) -> dict[str, tuple[Spot, ...]]:
    """e1 on e2 on e3; a broken relation puts that one next to it, on the ground."""
    sizes = {entity.id: body_scale * _size(entity) for entity in scene.entities}
    ground = 0.88
    beside: dict[str, float] = {}
    if scene.relation("r1").predicate != "on top of":
        beside["e1"] = 0.17
    if scene.relation("r2").predicate != "on top of":
        beside["e3"] = 0.83
    spots: dict[str, tuple[Spot, ...]] = {}
    top = ground
    for key in ("e3", "e2", "e1"):
        size = sizes[key]
        if key in beside:
            spots[key] = ((beside[key], ground - size / 2, size),)
            continue
        spots[key] = ((0.5, top - size / 2, size),)
        top -= size - 0.012
    return spots


def _group(scene: Scene, thing_scale: float) -> dict[str, tuple[Spot, ...]]:
    """A body e1 and the things e2 around, over, above or below it."""
    predicate, group = scene.relation("r1").predicate, scene.entity("e2")
    body, n = _size(scene.entity("e1")), group.count
    # At most so much: six things of an arch would touch.
    size = min(thing_scale, 1.28) * {"small": 0.12, "medium": 0.15, "large": 0.19}[group.size]
    if predicate == "in a ring around":
        angles = [2 * math.pi * (i / n - 0.25) for i in range(n)]
        x, y = 0.5, 0.5
        things = tuple((x + 0.35 * math.cos(a), y + 0.35 * math.sin(a), size) for a in angles)
    elif predicate == "in an arch over":
        x, y = 0.5, 0.66
        angles = [math.pi * (1 + (i + 0.5) / n) for i in range(n)]
        things = tuple((x + 0.38 * math.cos(a), y + 0.42 * math.sin(a), size) for a in angles)
    else:
        above = predicate == "in a row above"
        x, y = 0.5, 0.64 if above else 0.38
        step = min(0.17, 0.84 / n) if thing_scale == 1 else min(0.24, 0.94 / n)
        size = min(size, step - (0.01 if thing_scale == 1 else 0.035)) if group.size == "small" else min(size, 0.9 / n)
        step = max(step, size + 0.005)
        row = 0.2 if above else 0.82
        things = tuple((x + (i - (n - 1) / 2) * step, row, size) for i in range(n))
    return {"e1": ((x, y, body),), "e2": things}
