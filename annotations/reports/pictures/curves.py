"""Curves over one quantity, such as the number of raters: each labelled where it ends, one with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from annotations.reports.pictures import svg
from annotations.reports.pictures.axis import Axis, Limits
from annotations.reports.pictures.svg import LINE, PAGE, Layout

HEIGHT = 220
_LEAST_APART = 15
"""Between the labels of two curves, so that neither covers the other."""


@dataclass(frozen=True)
class Curve:
    """points: (x, y), x ascending. band: (x, low, high). here: where the study itself is, if on this curve."""

    label: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float, float]] = ()
    here: tuple[float, float] | None = None


def curve_chart(
    curves: Sequence[Curve],
    *,
    title: str,
    axis: str,
    ticks: Sequence[float],
    shown: Limits = (None, None),
    limits: Limits = (None, None),
    is_log: bool = False,
    layout: Layout = PAGE,
) -> str:
    """Curves on common axes.

    axis    what is drawn, in words below the picture; ticks: those of the lower axis, the first and last its ends
    shown   values that the upright axis always includes; limits: the range of the quantity
    is_log  equal ratios are equally far apart on the lower axis
    """
    curves = [curve for curve in curves if curve.points]
    if not curves or ticks[0] >= ticks[-1]:
        return ""
    left, right = (44, layout.width - 96) if layout.is_stacked else (64, layout.end)
    top, bottom = 12, 12 + HEIGHT
    values = [y for curve in curves for _, y in curve.points]
    values += [end for curve in curves for _, *ends in curve.band for end in ends]
    values += [end for end in shown if end is not None]
    upright = Axis.holding(values, limits, bottom, top)

    def x(value: float) -> float:
        at, low, high = (log(each) if is_log else each for each in (value, ticks[0], ticks[-1]))
        return round(left + (at - low) / (high - low) * (right - left), 1)

    parts = []
    for tick in upright.ticks:
        parts.append(svg.line(left, upright.x(tick), right, upright.x(tick), "grid"))
        parts.append(svg.text(left - 8, upright.x(tick) + 4, upright.figure(tick), "tick", "end"))
    parts += [svg.text(x(tick), bottom + 18, f"{tick:,.0f}", "tick", "middle") for tick in ticks]
    for curve in curves:
        if curve.band:
            there = [f"{x(at)} {upright.x(high)}" for at, _, high in curve.band]
            back = [f"{x(at)} {upright.x(low)}" for at, low, _ in reversed(curve.band)]
            parts.append(svg.path(f"M{' L'.join([*there, *back])} Z", "band"))
    places = _apart([upright.x(curve.points[-1][1]) for curve in curves])
    room = layout.width - right - 12
    for curve, place in zip(curves, places, strict=True):
        corners = " L".join(f"{x(at)} {upright.x(y)}" for at, y in curve.points)
        parts.append(svg.titled(curve.label, svg.path(f"M{corners}", "curve")))
        if curve.here:
            parts.append(svg.point(x(curve.here[0]), upright.x(curve.here[1]), 5))
        parts.append(svg.text(right + 8, place + 4, svg.short(curve.label, room), "label", "start", full=curve.label))
    words, height = svg.wrapped(axis, layout.width / 2, bottom + 18 + LINE + 4, layout.width)
    return svg.picture([*parts, *words], bottom + 26 + LINE + height, title, layout)


def _apart(places: Sequence[float]) -> list[float]:
    """The places of labels, moved down where two would cover each other."""
    moved, last = [0.0] * len(places), -float(_LEAST_APART)
    for at in sorted(range(len(places)), key=places.__getitem__):
        last = moved[at] = max(places[at], last + _LEAST_APART)
    # What was pushed below the picture moves up again, with those above it.
    lowest = 12.0 + HEIGHT
    for at in sorted(range(len(places)), key=moved.__getitem__, reverse=True):
        lowest = moved[at] = min(moved[at], lowest)
        lowest -= _LEAST_APART
    return moved
