"""The brush of the demo's pictures: shapes with rounded corners, faces and limbs, on a square canvas of any size.

Spots and points are in shares of the picture's side; pixels appear only here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from generation.recipes.scenes.layout import Spot

_INK = (52, 44, 52)
RGB = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Arm:
    """From the body's spot to a hand, both relative; `string_to` is where a string from the hand ends."""

    shoulder: Point
    hand: Point
    string_to: Point | None = None
    waves: int = 0
    """-1 or 1: the side on which little arcs show the hand waving."""


def _outline(shape: str) -> list[Point]:
    """Corner points in a box of side 1 around the origin."""
    if shape == "square":
        return [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    if shape == "diamond":
        return [(0, -0.5), (0.42, 0), (0, 0.5), (-0.42, 0)]
    if shape == "triangle":
        return [(0, -0.5), (0.5, 0.46), (-0.5, 0.46)]
    if shape == "hexagon":
        return [(0.5 * math.cos(math.pi * i / 3), 0.47 * math.sin(math.pi * i / 3)) for i in range(6)]
    if shape == "star":
        radii = (0.5, 0.265)
        angles = [math.pi * (i / 5 - 0.5) for i in range(10)]
        return [(radii[i % 2] * math.cos(a), radii[i % 2] * math.sin(a) + 0.02) for i, a in enumerate(angles)]
    if shape == "cross":
        a, b = 0.5, 0.17
        return [
            (-b, -a),
            (b, -a),
            (b, -b),
            (a, -b),
            (a, b),
            (b, b),
            (b, a),
            (-b, a),
            (-b, b),
            (-a, b),
            (-a, -b),
            (-b, -b),
        ]
    if shape == "heart":
        turns = [2 * math.pi * i / 144 for i in range(144)]
        return [
            (
                0.5 * math.sin(t) ** 3,
                -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 33 - 0.06,
            )
            for t in turns
        ]
    raise ValueError(f"no outline for {shape!r}")


_ROUNDING = {
    "square": 0.13,
    "hexagon": 0.08,
    "triangle": 0.08,
    "star": 0.055,
    "heart": 0.0,
    "diamond": 0.07,
    "cross": 0.05,
}


def outline_mask(shape: str, spot: Spot, canvas_side: int) -> tuple[Image.Image, tuple[int, int]]:
    """The shape as an L mask with rounded corners, and where its tile's corner lies on the canvas."""
    x, y, d = spot
    side = round(d * canvas_side)
    tile = Image.new("L", (side, side), 0)
    pen = ImageDraw.Draw(tile)
    if shape == "circle":
        pen.ellipse((0, 0, side - 1, side - 1), fill=255)
    else:
        rounding = _ROUNDING[shape] * side
        shrink = 1 - 2 * _ROUNDING[shape]
        points = [(side * (0.5 + px * shrink), side * (0.5 + py * shrink)) for px, py in _outline(shape)]
        pen.polygon(points, fill=255)
        if rounding:
            pen.line([*points, points[0]], fill=255, width=round(2 * rounding))
            for px, py in points:
                pen.ellipse((px - rounding, py - rounding, px + rounding, py + rounding), fill=255)
    return tile, (round(x * canvas_side - side / 2), round(y * canvas_side - side / 2))


def cast_shadow(canvas: Image.Image, masks: list[tuple[Image.Image, tuple[int, int]]]) -> None:
    """One soft shadow for all figures, at a quarter of the canvas' size because it is blurred anyway."""
    quarter = canvas.width // 4
    right, down = round(quarter * 3 / 256), round(quarter * 7 / 256)
    layer = Image.new("L", (quarter, quarter), 0)
    for mask, (left, top) in masks:
        small = mask.resize((max(1, mask.width // 4), max(1, mask.height // 4)))
        layer.paste(255, (left // 4 + right, top // 4 + down), small)
    layer = layer.filter(ImageFilter.GaussianBlur(quarter * 6 / 256)).point(lambda level: level * 0.34)
    canvas.paste((70, 58, 60), (0, 0), layer.resize(canvas.size, Image.Resampling.BILINEAR))


def shade(colour: RGB, amount: float) -> RGB:
    """Lighter for a positive amount, darker for a negative one, in -1…1."""
    end = 255 if amount > 0 else 0
    red, green, blue = (round(level + (end - level) * abs(amount)) for level in colour)
    return red, green, blue


def fill_shape(canvas: Image.Image, mask: Image.Image, corner: tuple[int, int], colour: RGB, *, outlined: bool) -> None:
    """Fills a mask from light above to deeper below; exactly `colour` at mid-height, so that truth can be sampled."""
    side = mask.width
    steps = 65
    ramp = Image.new("RGB", (1, steps))
    for step in range(steps):
        height = 1 - 2 * step / (steps - 1)
        ramp.putpixel((0, step), shade(colour, 0.2 * height if height > 0 else 0.16 * height))
    if outlined:
        grown = mask.resize((round(side * 1.14),) * 2)
        shift = (grown.width - side) // 2
        canvas.paste((255, 252, 246), (corner[0] - shift, corner[1] - shift), grown)
    canvas.paste(ramp.resize((side, side), Image.Resampling.BILINEAR), corner, mask)
    # A lit upper rim: the shape less itself moved down.
    rim = ImageChops.subtract(mask, ImageChops.offset(mask, 0, max(1, round(3 * canvas.width / 1024), side // 42)))
    rim.paste(0, (0, side // 2, side, side))
    canvas.paste(shade(colour, 0.5), corner, rim.point(lambda level: level * 0.6))


def _scale(pen: ImageDraw.ImageDraw) -> int:
    """Pixels per side of the canvas under the pen."""
    side: int = pen.im.size[0]
    return side


def _disc(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: RGB) -> None:
    _ellipse(pen, x, y, radius, radius, colour)


def _ellipse(
    pen: ImageDraw.ImageDraw, x: float, y: float, wide: float, high: float, colour: RGB | tuple[int, int, int, int]
) -> None:
    side = _scale(pen)
    pen.ellipse(((x - wide) * side, (y - high) * side, (x + wide) * side, (y + high) * side), fill=colour)


def _stroke(pen: ImageDraw.ImageDraw, points: list[Point], width: float, colour: RGB) -> None:
    """A round brush along the points, as one outline: Pillow's own wide lines wobble where they bend."""
    left, right, side = [], [], _scale(pen)
    for i, (x, y) in enumerate(points):
        (x0, y0), (x1, y1) = points[max(i - 1, 0)], points[min(i + 1, len(points) - 1)]
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        across, along = width / 2 * (y1 - y0) / length, width / 2 * (x1 - x0) / length
        left.append(((x - across) * side, (y + along) * side))
        right.append(((x + across) * side, (y - along) * side))
    pen.polygon([*left, *reversed(right)], fill=colour)
    for x, y in (points[0], points[-1]):
        _disc(pen, x, y, width / 2, colour)


def _curve(start: Point, bend: Point, end: Point, steps: int = 16) -> list[Point]:
    """A quadratic Bézier curve as points."""
    points = []
    for i in range(steps + 1):
        t = i / steps
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        points.append((a * start[0] + b * bend[0] + c * end[0], a * start[1] + b * bend[1] + c * end[1]))
    return points


def draw_legs(pen: ImageDraw.ImageDraw, spot: Spot, shape: str, colour: RGB) -> None:
    x, y, d = spot
    spread = {"heart": 0.13, "diamond": 0.12, "star": 0.2, "triangle": 0.24}.get(shape, 0.19)
    bottom = y + 0.5 * d + 0.035
    for side in (-1, 1):
        hip = x + side * spread * d
        _stroke(pen, [(hip, y + 0.2 * d), (hip, bottom)], 0.022, colour)
        foot = hip + side * 0.012
        _ellipse(pen, foot, bottom + 0.003, 0.026, 0.015, colour)


def draw_arm(pen: ImageDraw.ImageDraw, arm: Arm, colour: RGB, d: float) -> None:
    if arm.string_to is not None:
        middle = ((arm.hand[0] + arm.string_to[0]) / 2, max(arm.hand[1], arm.string_to[1]) + 0.012)
        _stroke(pen, _curve(arm.hand, middle, arm.string_to), 0.007, _INK)
    bend = ((arm.shoulder[0] + arm.hand[0]) / 2, (arm.shoulder[1] + arm.hand[1]) / 2 + 0.16 * d)
    _stroke(pen, _curve(arm.shoulder, bend, arm.hand), 0.021, colour)


def draw_hand(pen: ImageDraw.ImageDraw, arm: Arm, colour: RGB, d: float) -> None:
    x, y = arm.hand
    _disc(pen, x, y, 0.02 if d > 0.18 else 0.015, colour)
    if arm.waves:
        for radius in (0.04, 0.062):
            box = tuple(v * _scale(pen) for v in (x - radius, y - radius, x + radius, y + radius))
            start = -62 if arm.waves > 0 else 180 + 2
            pen.arc(box, start, start + 60, fill=_INK, width=round(0.006 * _scale(pen)))


def draw_face(canvas: Image.Image, spot: Spot, shape: str, gaze: Point, above_badge: bool) -> None:
    """Eyes, cheeks and a smile. The centre of the body stays free, between and below the eyes."""
    x, y, d = spot
    drop = {"triangle": 0.2, "star": 0.04, "heart": -0.03}.get(shape, 0.0) - (0.14 if above_badge else 0.0)
    squeeze = 0.85 if shape in ("triangle", "star", "diamond") else 1.0
    turn = 0.07 * d * gaze[0] * squeeze
    eye_y, mouth_y = y + (drop - 0.11) * d, y + (drop + (0.05 if above_badge else 0.09)) * d
    pen = ImageDraw.Draw(canvas, "RGBA")
    radius = 0.08 * d * squeeze
    for side in (-1, 1):
        cheek = x + turn + side * 0.225 * d * squeeze
        cheek_y = y + (drop + 0.05) * d
        _ellipse(pen, cheek, cheek_y, 0.045 * d, 0.03 * d, (255, 255, 255, 70))
        eye = x + turn + side * 0.135 * d * squeeze
        _disc(pen, eye, eye_y, radius, (255, 255, 255))
        pupil_x, pupil_y = eye + gaze[0] * radius * 0.42, eye_y + gaze[1] * radius * 0.42
        _disc(pen, pupil_x, pupil_y, radius * 0.56, _INK)
        _disc(pen, pupil_x - radius * 0.18, pupil_y - radius * 0.2, radius * 0.18, (255, 255, 255))
    half = 0.085 * d * squeeze
    smile = _curve((x + turn - half, mouth_y), (x + turn, mouth_y + 0.085 * d), (x + turn + half, mouth_y))
    _stroke(pen, smile, max(0.006, 0.026 * d), _INK)
