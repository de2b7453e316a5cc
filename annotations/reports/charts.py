"""Pictures as SVG text: direct labels instead of legends, the uncertainty drawn, colours left to the style sheet.

Every function returns one <svg> element without style attributes, so that it may stand in a page of strict content
security policy, in a file alone, and on paper. Texts are escaped here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH = 720
LABEL = 216
VALUES = 172
ROW = 30


@dataclass(frozen=True)
class Mark:
    """One row of an interval plot: a point, a narrow interval, and a wide one behind it. None where undefined."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    wide_low: float | None = None
    wide_high: float | None = None
    text: str = ""


def interval_plot(
    marks: Sequence[Mark],
    *,
    title: str,
    low: float | None = None,
    high: float | None = None,
    references: Sequence[tuple[float, str]] = (),
    axis: str = "",
) -> str:
    """Points with their intervals on one axis. `references` are labelled vertical lines: zero, a ceiling."""
    ends = [end for mark in marks for end in _ends(mark)] + [at for at, _ in references]
    ticks = _ticks(min(ends, default=0.0) if low is None else low, max(ends, default=1.0) if high is None else high)
    left, right = LABEL, WIDTH - VALUES
    top = 24 if references else 8
    bottom = top + ROW * len(marks)

    def x(value: float) -> float:
        share = (value - ticks[0]) / (ticks[-1] - ticks[0])
        return round(left + min(max(share, 0.0), 1.0) * (right - left), 1)

    parts = [_line(x(tick), top, x(tick), bottom, "grid") for tick in ticks]
    parts += [_text(x(tick), bottom + 16, _figure(tick, ticks), "tick", "middle") for tick in ticks]
    for at, label in references:
        parts.append(_line(x(at), top - 4, x(at), bottom, "reference"))
        parts.append(_text(x(at), top - 10, label, "tick", _anchor_of(x(at), left, right)))
    for i, mark in enumerate(marks):
        parts.append(_mark(mark, top + ROW * i + ROW / 2, x, right))
    if axis:
        parts.append(_text((left + right) / 2, bottom + 34, axis, "tick", "middle"))
    return _svg(parts, bottom + (42 if axis else 24), title)


def stacked_bars(rows: Sequence[tuple[str, Sequence[int]]], *, levels: Sequence[str], title: str) -> str:
    """Each row's counts by level as shares of its total, from the lowest level to the highest, shares written in."""
    left, right, top = LABEL, WIDTH - 72, 24
    n_levels = max(len(levels), 1)
    parts = [
        _text(left, 14, levels[0] if levels else "", "tick", "start"),
        _text(right, 14, levels[-1] if levels else "", "tick", "end"),
    ]
    for i, (label, counts) in enumerate(rows):
        y, total = top + ROW * i, sum(counts)
        parts.append(_text(left - 12, y + 19, _short(label), "label", "end", full=label))
        parts.append(_text(right + 12, y + 19, f"n {total:,}", "tick", "start"))
        at = float(left)
        for level, n in enumerate(counts):
            width = (right - left) * n / total if total else 0.0
            if not width:
                continue
            share = level / max(n_levels - 1, 1)
            name = levels[level] if level < len(levels) else str(level)
            parts.append(
                f"<g><title>{escape(f'{label}: {name}, {n:,} ({n / total:.1%})')}</title>"
                f'<rect class="level" x="{at:.1f}" y="{y + 3}" width="{max(width - 1, 0.5):.1f}" height="{ROW - 6}" '
                f'fill-opacity="{0.12 + 0.88 * share:.2f}"/>'
            )
            if width > 34:
                tone = "on-dark" if share > 0.45 else "on-light"
                parts.append(_text(at + width / 2, y + 19, f"{n / total:.0%}", f"share {tone}", "middle"))
            parts.append("</g>")
            at += width
    return _svg(parts, top + ROW * len(rows) + 4, title)


def share_bars(rows: Sequence[tuple[str, int]], *, title: str) -> str:
    """A bar for each answer, as long as its share of all, with the number and the share written behind it."""
    total = sum(n for _, n in rows)
    left, right = LABEL, WIDTH - VALUES
    parts = [_line(left, 4, left, 4 + ROW * len(rows), "axis")]
    for i, (label, n) in enumerate(rows):
        y, share = 4 + ROW * i, n / total if total else 0.0
        width = (right - left) * share
        parts.append(_text(left - 12, y + 19, _short(label), "label", "end", full=label))
        parts.append(f'<rect class="bar win" x="{left}" y="{y + 5}" width="{width:.1f}" height="{ROW - 10}"/>')
        parts.append(_text(left + width + 10, y + 19, f"{n:,} ({share:.0%})", "label", "start"))
    return _svg(parts, 8 + ROW * len(rows), title)


def difference_plot(tally: Sequence[Sequence[float]], *, title: str, axis: str) -> str:
    """How many prompts have which difference: losses left of zero, wins right of it, ties on it.

    tally: (difference, number of prompts) pairs. Differences are gathered into at most 61 bins with one at zero.
    """
    if not tally:
        return ""
    reach = max(max(abs(value) for value, _ in tally), 1e-9)
    step = _nice(reach / 30)
    bins: dict[int, int] = {}
    for value, n in tally:
        place = round(value / step)
        bins[place] = bins.get(place, 0) + int(n)
    half = max(abs(place) for place in bins)
    left, right, top, height = 40, WIDTH - 40, 20, 120
    width = (right - left) / (2 * half + 1)
    highest = max(bins.values())
    parts = [_line(left, top + height, right, top + height, "axis")]
    for place, n in sorted(bins.items()):
        tall = height * n / highest
        kind = "win" if place > 0 else "loss" if place < 0 else "tie"
        at = left + (place + half) * width
        parts.append(
            f"<g><title>{place * step:+.3g}: {n}</title>"
            f'<rect class="bar {kind}" x="{at + 0.5:.1f}" y="{top + height - tall:.1f}" '
            f'width="{max(width - 1, 0.5):.1f}" height="{tall:.1f}"/></g>'
        )
    for place in sorted({-half, 0, half}):
        at = left + (place + half + 0.5) * width
        parts.append(_text(at, top + height + 16, f"{place * step:+.3g}" if place else "0", "tick", "middle"))
    parts.append(_text(WIDTH / 2, top + height + 34, axis, "tick", "middle"))
    parts.append(_text(left, 14, f"{highest:,}", "tick", "start"))
    return _svg(parts, top + height + 42, title)


def split_bar(parts: Sequence[tuple[str, int, str]], *, title: str) -> str:
    """One bar cut into named parts (label, number, class), each written out: wins, ties, losses."""
    total = sum(n for _, n, _ in parts)
    if not total:
        return ""
    out, at = [], 0.0
    for label, n, kind in parts:
        width = WIDTH * n / total
        out.append(f'<rect class="bar {kind}" x="{at:.1f}" y="20" width="{max(width - 1, 0):.1f}" height="22"/>')
        if width > 60:
            out.append(_text(at + 2, 14, f"{n:,} {label}", "tick", "start"))
        at += width
    return _svg(out, 46, title)


def _mark(mark: Mark, y: float, x: Callable[[float], float], right: float) -> str:
    parts = [_text(LABEL - 12, y + 4, _short(mark.label), "label", "end", full=mark.label)]
    if mark.value is None:
        parts.append(_text(LABEL + 4, y + 4, "not estimable", "tick", "start"))
    else:
        if mark.wide_low is not None and mark.wide_high is not None:
            parts.append(_line(x(mark.wide_low), y, x(mark.wide_high), y, "wide"))
        if mark.low is not None and mark.high is not None:
            parts.append(_line(x(mark.low), y, x(mark.high), y, "whisker"))
        parts.append(f'<circle class="point" cx="{x(mark.value)}" cy="{y}" r="5"/>')
        parts.append(_text(right + 14, y + 4, mark.text, "value", "start"))
    return f"<g>{''.join(parts)}</g>"


def _ends(mark: Mark) -> list[float]:
    ends = (mark.value, mark.low, mark.high, mark.wide_low, mark.wide_high)
    return [end for end in ends if end is not None]


def _ticks(low: float, high: float) -> list[float]:
    """Four to eight round values that hold low and high between them."""
    if high <= low:
        low, high = low - 0.5, high + 0.5
    step = _nice((high - low) / 5)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(place * step, 10) for place in range(first, last + 1)]


def _nice(step: float) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below the step."""
    power = 10.0 ** floor(log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * (1 - 1e-9))


def _figure(value: float, ticks: Sequence[float]) -> str:
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    decimals = max(0, -floor(log10(step) + 1e-9)) + (1 if round(step / 10.0 ** floor(log10(step)), 6) == 2.5 else 0)
    return f"{value:.{decimals}f}"


def _anchor_of(x: float, left: float, right: float) -> str:
    return "end" if x > right - 60 else "start" if x < left + 60 else "middle"


def _short(label: str, most: int = 29) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"


def _text(x: float, y: float, text: str, kind: str, anchor: str, *, full: str = "") -> str:
    hover = f"<title>{escape(full)}</title>" if full and full != text else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{hover}{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _svg(parts: Sequence[str], height: float, title: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )
