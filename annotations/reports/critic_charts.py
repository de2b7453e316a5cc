"""The reliability diagram: how often claims hold that a critic makes with a given confidence."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

SIZE, MARGIN, WIDTH = 300, 52, 720
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def reliability_plot(bins: Sequence[Mapping[str, Any]], *, title: str, axes: tuple[str, str], ideal: str) -> str:
    """Accuracy (up) against mean confidence (right) of each bin, with Wilson's interval; the area of a point is its n.

    bins: "n", "confidence", "accuracy", "interval_low", "interval_high"; empty ones are left out. On the dashed line
    claims hold as often as the critic says.
    """
    drawn = [one for one in bins if one["n"]]
    if not drawn:
        return ""
    left, bottom = MARGIN + 8, SIZE + 32
    most = max(one["n"] for one in drawn)

    def x(share: float) -> float:
        return round(left + share * SIZE, 1)

    def y(share: float) -> float:
        return round(bottom - share * SIZE, 1)

    parts = []
    for tick in _TICKS:
        parts.append(_line(x(0), y(tick), x(1), y(tick), "grid"))
        parts.append(_text(x(0) - 8, y(tick) + 4, f"{tick:g}", "tick", "end"))
        parts.append(_text(x(tick), bottom + 18, f"{tick:g}", "tick", "middle"))
    parts.append(_line(x(0), y(0), x(1), y(1), "reference"))
    parts.append(_text(x(1) + 8, y(1) + 4, ideal, "tick", "start"))
    for one in drawn:
        at, held = x(one["confidence"]), y(one["accuracy"])
        said = f"n {one['n']:,}: {axes[0]} {one['confidence']:.2f}, {axes[1]} {one['accuracy']:.2f}"
        radius = 3 + 5 * (one["n"] / most) ** 0.5
        parts.append(
            f"<g><title>{escape(said)}</title>"
            + _line(at, y(one["interval_low"]), at, y(one["interval_high"]), "whisker")
            + f'<circle class="point" cx="{at}" cy="{held}" r="{radius:.1f}"/></g>'
        )
    parts.append(_text(x(0.5), bottom + 38, axes[0], "tick", "middle"))
    parts.append(_text(x(0) - 24, 14, axes[1], "tick", "start"))
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {bottom + 46}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, text: str, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
