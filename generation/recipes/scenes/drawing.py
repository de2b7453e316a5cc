"""Draws a scene: friendly paper-cut shapes on a neutral ground, with Pillow alone.

The places come from `layout`; here the relations become gestures; `figures` holds the brush.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping

from PIL import Image, ImageDraw

from generation.recipes.scenes.backdrop import paint_backdrop
from generation.recipes.scenes.figures import (
    Arm,
    Point,
    cast_shadow,
    draw_arm,
    draw_face,
    draw_hand,
    draw_legs,
    fill_shape,
    outline_mask,
    shade,
)
from generation.recipes.scenes.layout import Spot, lay_out
from generation.recipes.scenes.scene import COLOURS, Scene

SIZE = 512


def draw(scene: Scene) -> bytes:
    """The 512 × 512 picture of a scene as it shows it, as PNG bytes; the same for the same scene and Pillow release."""
    buffer = io.BytesIO()
    paint(scene, lay_out(scene), SIZE, oversampling=2).save(buffer, "PNG")
    return buffer.getvalue()


def paint(scene: Scene, places: Mapping[str, tuple[Spot, ...]], side: int, *, oversampling: int) -> Image.Image:
    """The scene with its things at `places`, as an RGB picture of `side` pixels.

    It is drawn `oversampling` times as large and then reduced, for smooth edges.
    """
    canvas_side = side * oversampling
    canvas = paint_backdrop(scene.backdrop, canvas_side)
    spots = {key: group for key, group in places.items() if key not in scene.absent}
    things = {entity.id: entity for entity in (*scene.entities, *scene.extras) if entity.id in spots}
    bodies = [key for key, entity in things.items() if entity.is_body]
    arms = {key: _arms(scene, key, spots) for key in bodies}
    seated = _carrying(scene, spots)

    masks = {
        key: [outline_mask(things[key].shape, spot, canvas_side) for spot in group] for key, group in spots.items()
    }
    cast_shadow(canvas, [mask for group in masks.values() for mask in group])
    pen = ImageDraw.Draw(canvas)
    for key in bodies:
        colour = shade(COLOURS[things[key].colour], -0.28)
        if key not in seated:
            draw_legs(pen, spots[key][0], things[key].shape, colour)
        for arm in arms[key]:
            draw_arm(pen, arm, colour, spots[key][0][2])
    for key in [*bodies, *(key for key in spots if key not in bodies)]:
        for spot, (mask, corner) in zip(spots[key], masks[key], strict=True):
            worn = key == "e3" and any(r.predicate == "wears" for r in scene.relations)
            fill_shape(canvas, mask, corner, COLOURS[things[key].colour], outlined=worn)
            if things[key].is_body:
                draw_face(
                    canvas, spot, things[key].shape, _gaze(scene, key, spots), scene.plan == "wearing" and key == "e1"
                )
    for key in bodies:
        for arm in arms[key]:
            draw_hand(pen, arm, shade(COLOURS[things[key].colour], -0.28), spots[key][0][2])
    return canvas.resize((side, side), Image.Resampling.LANCZOS)


def _carrying(scene: Scene, spots: dict[str, tuple[Spot, ...]]) -> set[str]:
    """Bodies that stand on another body: their feet would cover its face."""
    return {
        r.subject for r in scene.relations if r.predicate == "on top of" and r.subject in spots and r.object in spots
    }


def _arms(scene: Scene, key: str, spots: dict[str, tuple[Spot, ...]]) -> list[Arm]:
    """The two arms of a body, posed by the relations that it takes part in and that the picture shows."""
    x, y, d = spots[key][0]
    slim = 0.8 if _shape(scene, key) in ("triangle", "diamond", "heart", "star") else 1.0
    # A triangle is widest where the hands hang.
    reach = {"triangle": 0.52, "diamond": 0.42, "heart": 0.44, "star": 0.44}.get(_shape(scene, key), 0.5)
    poses: dict[int, Arm] = {}
    for relation in scene.relations:
        if key not in (relation.subject, relation.object):
            continue
        partner = relation.object if key == relation.subject else relation.subject
        if partner not in spots:
            continue
        px, py, pd = spots[partner][0]
        side = 1 if px > x else -1
        shoulder = (x + side * 0.3 * d * slim, y + 0.06 * d)
        if relation.predicate == "holds" and key == relation.subject:
            poses[side] = Arm(shoulder, (px - side * pd * 0.36, py + pd * 0.2))
        elif relation.predicate == "pulls":
            hand = (x + side * (0.5 * d + 0.055), y + 0.1 * d)
            poses[side] = Arm(shoulder, hand, string_to=(px - side * pd * 0.3, py))
        elif relation.predicate == "lifts" and key == relation.subject:
            poses[side] = Arm(shoulder, (px - side * pd * 0.42, py + pd * 0.24))
        elif relation.predicate == "holds hands with":
            poses[side] = Arm(shoulder, ((x + px) / 2 - side * 0.008, (y + py) / 2 + 0.035))
        elif relation.predicate == "waves to" and key == relation.subject:
            poses[side] = Arm(shoulder, (x + side * (0.5 * d + 0.06), y - 0.42 * d), waves=side)
        elif relation.predicate == "balances" and key == relation.subject:
            for free in (-1, 1):
                poses.setdefault(
                    free,
                    Arm((x + free * 0.3 * d * slim, y + 0.06 * d), (x + free * (0.5 * d + 0.05), y - 0.16 * d)),
                )
    for side in (-1, 1):
        if side not in poses:
            shoulder = (x + side * 0.3 * d * slim, y + 0.1 * d)
            poses[side] = Arm(shoulder, (x + side * (reach * d + 0.03), y + 0.34 * d))
    return [poses[-1], poses[1]]


def _gaze(scene: Scene, key: str, spots: dict[str, tuple[Spot, ...]]) -> Point:
    """Where a body looks, as a direction with components in -1…1; straight ahead by default."""
    for relation in scene.relations:
        if relation.subject != key or relation.object not in spots:
            continue
        x, y, _ = spots[key][0]
        px, py, _ = spots[relation.object][0]
        length = math.hypot(px - x, py - y) or 1.0
        towards = ((px - x) / length, (py - y) / length)
        if relation.predicate in ("looks at", "waves to"):
            return towards
        if relation.predicate == "looks away from":
            return (-towards[0], -0.35)
        if relation.predicate in ("holds", "pulls", "lifts", "balances"):
            return (towards[0] * 0.5, towards[1] * 0.5)
    return (0.0, 0.0)


def _shape(scene: Scene, key: str) -> str:
    return scene.entity(key).shape
