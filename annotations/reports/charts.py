"""Pictures as SVG text: direct labels instead of legends, the uncertainty drawn, colours left to the style sheet.

Every function returns one <svg> element without style attributes, so that it works in a page with a strict content
security policy, in a file of its own, and on paper. Each is drawn once for the page and once for a phone (see
`svg.Layout`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from annotations.reports.documents.critic import CalibrationBin
from annotations.reports.pictures import svg
from annotations.reports.pictures.axis import Axis, Limits, nice_step
from annotations.reports.pictures.labels import shortened
from annotations.reports.pictures.svg import LETTER, LINE, PAGE, Layout

MOST_BINS = 30
"""The most bins on either side of zero in a plot of differences."""


@dataclass(frozen=True)
class Mark:
    """One row of an interval plot: a point, a narrow interval, and a wide one behind it. None where undefined.

    An infinite end, or one beyond the plot's limits, is drawn as an arrow.
    """

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
    limits: Limits = (None, None),
    shown: Limits = (None, None),
    references: Sequence[tuple[float, str]] = (),
    axis: str = "",
    layout: Layout = PAGE,
) -> str:
    """Points with their intervals on one axis.

    limits      the range of the quantity: the axis goes no further, and an arrow shows where an interval does
    shown       values that the axis always includes
    references  labelled vertical lines: zero, a ceiling
    """
    ends = [end for mark in marks for end in _ends(mark)] + [at for at, _ in references]
    ends += [end for end in shown if end is not None]
    scale = Axis.holding(ends, limits, layout.left, layout.end)
    rows = _label_rows([(scale.x(at), label) for at, label in references], scale)
    top = 8 + LINE * (max(rows, default=-1) + 1)
    bottom = top + layout.row * len(marks)
    parts = [svg.line(scale.x(tick), top, scale.x(tick), bottom, "grid") for tick in scale.ticks]
    parts += [svg.text(scale.x(tick), bottom + 16, scale.figure(tick), "tick", "middle") for tick in scale.ticks]
    for (at, label), row in zip(references, rows, strict=True):
        y = top - 10 - LINE * row
        parts += _reference(scale.x(at), y + 6, top, len(marks), layout)
        parts.append(svg.text(scale.x(at), y, label, "tick", _anchor_of(scale.x(at), scale)))
    labels = _labels([mark.label for mark in marks], [_figure(mark) for mark in marks], layout)
    for i, (mark, label) in enumerate(zip(marks, labels, strict=True)):
        parts.append(_mark(mark, label, top + layout.row * i, scale, layout))
    middle, room = (layout.left + layout.end) / 2, layout.width if layout.is_stacked else layout.end
    words, height = svg.wrapped(axis, middle, bottom + 34, room)
    return svg.picture([*parts, *words], bottom + 26 + height, title, layout)


def _reference(x: float, start: float, top: float, n_rows: int, layout: Layout) -> list[str]:
    """A dashed line down the plot; where a row's words are above its drawing, it leaves them out."""
    if not layout.is_stacked:
        return [svg.line(x, start, x, top + layout.row * n_rows, "reference")]
    rows = [top + layout.row * i for i in range(n_rows)]
    pieces = [(start, top), *((row + layout.above, row + layout.row) for row in rows)]
    return [svg.line(x, upper, x, lower, "reference") for upper, lower in pieces]


def difference_bins(tally: Sequence[Sequence[float]]) -> tuple[float, dict[int, int]]:
    """The width of a bin, and the number of prompts in each non-empty bin: bin k is centred at k times the width."""
    reach = max(max(abs(value) for value, _ in tally), 1e-9)
    step = nice_step(reach / MOST_BINS)
    bins: dict[int, int] = {}
    for value, n in tally:
        place = round(value / step)
        bins[place] = bins.get(place, 0) + int(n)
    return step, dict(sorted(bins.items()))


def difference_plot(tally: Sequence[Sequence[float]], *, title: str, axis: str, layout: Layout = PAGE) -> str:
    """The number of prompts by difference: losses left of zero, wins right of it, ties at zero.

    tally: (difference, number of prompts) pairs. Differences are gathered into at most 61 bins with one at zero.
    """
    if not tally:
        return ""
    step, bins = difference_bins(tally)
    half = max(abs(place) for place in bins)
    left, right, top, height = 24, layout.width - 24, 20, 120
    width = (right - left) / (2 * half + 1)
    highest = max(bins.values())
    parts = [svg.line(left, top + height, right, top + height, "axis")]
    for place, n in bins.items():
        tall = height * n / highest
        kind = "win" if place > 0 else "loss" if place < 0 else "tie"
        at = left + (place + half) * width
        bar = svg.rect(at + 0.5, top + height - tall, max(width - 1, 0.5), tall, f"bar {kind}")
        parts.append(svg.titled(f"{signed(place * step)}: {n:,}", bar))
    for place in sorted({-half, 0, half}):
        at = left + (place + half + 0.5) * width
        parts.append(svg.text(at, top + height + 16, signed(place * step) if place else "0", "tick", "middle"))
    parts.append(svg.text(left, 14, f"{highest:,}", "tick", "start"))
    words, below = svg.wrapped(axis, layout.width / 2, top + height + 34, layout.width)
    return svg.picture([*parts, *words], top + height + 26 + below, title, layout)


def reliability_plot(
    bins: Sequence[CalibrationBin], *, title: str, axes: tuple[str, str], ideal: str, layout: Layout = PAGE
) -> str:
    """Accuracy (up) against mean confidence (right) of each bin, with Wilson's interval; the area of a point is its n.

    Empty bins are left out. On the dashed line, claims are right as often as the critic says.
    """
    drawn = [
        (each.n, each.confidence, each.accuracy, each.interval_low, each.interval_high)
        for each in bins
        if each.confidence is not None
        and each.accuracy is not None
        and each.interval_low is not None
        and each.interval_high is not None
    ]
    if not drawn:
        return ""
    side = 288
    left, bottom = 56, side + 32
    most = max(n for n, *_ in drawn)

    def x(share: float) -> float:
        return round(left + share * side, 1)

    def y(share: float) -> float:
        return round(bottom - share * side, 1)

    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(svg.line(x(0), y(tick), x(1), y(tick), "grid"))
        parts.append(svg.text(x(0) - 8, y(tick) + 4, f"{tick:g}", "tick", "end"))
        parts.append(svg.text(x(tick), bottom + 18, f"{tick:g}", "tick", "middle"))
    parts.append(svg.line(x(0), y(0), x(1), y(1), "reference"))
    parts.append(svg.text(x(1), y(1) - 6, ideal, "tick", "end"))
    for n, confidence, accuracy, low, high in drawn:
        at, held = x(confidence), y(accuracy)
        said = f"n {n:,}: {axes[0]} {confidence:.2f}, {axes[1]} {accuracy:.2f}"
        radius = round(3 + 5 * (n / most) ** 0.5, 1)
        whisker = svg.line(at, y(low), at, y(high), "whisker")
        parts.append(svg.titled(said, whisker, svg.point(at, held, radius)))
    parts.append(svg.text(x(0.5), bottom + 38, axes[0], "tick", "middle"))
    parts.append(svg.text(8, 14, axes[1], "tick", "start"))
    return svg.picture(parts, bottom + 46, title, layout)


def stacked_bars(
    rows: Sequence[tuple[str, Sequence[int]]], *, levels: Sequence[str], title: str, layout: Layout = PAGE
) -> str:
    """Each row's counts by level as shares of its total, from the lowest level to the highest, with the shares written
    in the bars."""
    left, right, top = layout.left, layout.end if layout.is_stacked else layout.width - 72, 24
    n_levels = max(len(levels), 1)
    lowest, highest = (levels[0], levels[-1]) if levels else ("", "")
    parts = [
        svg.text(left, 14, svg.short(lowest, (right - left) / 2 - 8), "tick", "start", full=lowest),
        svg.text(right, 14, svg.short(highest, (right - left) / 2 - 8), "tick", "end", full=highest),
    ]
    shown = _labels([label for label, _ in rows], [f"n {sum(counts):,}" for _, counts in rows], layout)
    for i, (label, counts) in enumerate(rows):
        y, total = top + layout.row * i, sum(counts)
        n = f"n {total:,}"
        if layout.is_stacked:
            parts.append(svg.text(2, y + 16, shown[i], "label", "start", full=label))
            parts.append(svg.text(layout.width - 2, y + 16, n, "tick", "end"))
        else:
            parts.append(svg.text(left - 12, y + 19, shown[i], "label", "end", full=label))
            parts.append(svg.text(right + 12, y + 19, n, "tick", "start"))
        at, y = float(left), y + layout.above
        for level, count in enumerate(counts):
            width = (right - left) * count / total if total else 0.0
            if not width:
                continue
            share = level / max(n_levels - 1, 1)
            name = levels[level] if level < len(levels) else str(level)
            bar = svg.rect(at, y + 3, max(width - 1, 0.5), 24, "level", 0.12 + 0.88 * share)
            tone = "on-dark" if share > 0.45 else "on-light"
            words = svg.text(at + width / 2, y + 19, f"{count / total:.0%}", f"share {tone}", "middle")
            said = f"{label}: {name}, {count:,} ({count / total:.1%})"
            parts.append(svg.titled(said, bar, words if width > 34 else ""))
            at += width
    return svg.picture(parts, top + layout.row * len(rows) + 4, title, layout)


def share_bars(rows: Sequence[tuple[str, int]], *, title: str, layout: Layout = PAGE) -> str:
    """A bar for each answer, as long as its share of all, with the number and the share written next to it."""
    total = sum(n for _, n in rows)
    left, right, above = layout.left, layout.end, layout.above
    parts = [svg.line(left, 4, left, 4 + layout.row * len(rows), "axis")]
    counts = [f"{n:,} ({n / total if total else 0.0:.0%})" for _, n in rows]
    shown = _labels([label for label, _ in rows], counts, layout, indent=left)
    for i, ((label, n), count) in enumerate(zip(rows, counts, strict=True)):
        y = 4 + layout.row * i
        width = (right - left) * (n / total if total else 0.0)
        if layout.is_stacked:
            parts.append(svg.text(left + 6, y + 16, shown[i], "label", "start", full=label))
            parts.append(svg.text(layout.width - 2, y + 16, count, "label", "end"))
        else:
            parts.append(svg.text(left - 12, y + 19, shown[i], "label", "end", full=label))
            parts.append(svg.text(left + width + 10, y + 19, count, "label", "start"))
        parts.append(svg.rect(left, y + above + 5, width, 20, "bar win"))
    return svg.picture(parts, 8 + layout.row * len(rows), title, layout)


def split_bar(parts: Sequence[tuple[str, int, str]], *, title: str, layout: Layout = PAGE) -> str:
    """One bar cut into named parts (label, number, class): wins, ties, losses. Every part that is not empty is named.

    A name is above the start of its part, or further along where the name before it reaches that far; a line
    leads from it to its part. Names that do not fit on one line have a line each, the last one on top.
    """
    total = sum(n for _, n, _ in parts)
    if not total:
        return ""
    drawn = [(f"{n:,} {label}", layout.width * n / total, kind) for label, n, kind in parts if n]
    starts = [sum(width for _, width, _ in drawn[:i]) for i in range(len(drawn))]
    rooms = [LETTER * len(words) + 12 for words, _, _ in drawn]
    lines = [0] * len(drawn)
    places = _apart(starts, rooms, layout.width)
    if sum(rooms) > layout.width:
        lines = list(range(len(drawn)))[::-1]
        places = [max(min(start, layout.width - room), 0.0) for start, room in zip(starts, rooms, strict=True)]
    top = 26 + svg.LINE * max(lines)
    out = []
    for (words, width, kind), start, place, number in zip(drawn, starts, places, lines, strict=True):
        y = 14 + svg.LINE * number
        out.append(svg.rect(start, top, max(width - 1, 1), 22, f"bar {kind}"))
        out.append(svg.text(place, y, svg.short(words, layout.width - 12), "tick", "start", full=words))
        part = start + min(width / 2, 1)
        out.append(svg.line(place + 1 if top == 26 else part, y + 4, part, top, "leader"))
    return svg.picture(out, top + 26, title, layout)


def _apart(starts: Sequence[float], widths: Sequence[float], room: float) -> list[float]:
    """Places for texts of these widths, as near to their starts as they can be without one covering the next."""
    places: list[float] = []
    edge = 0.0
    for start, width in zip(starts, widths, strict=True):
        places.append(max(start, edge))
        edge = places[-1] + width
    edge = room
    for i in range(len(places) - 1, -1, -1):
        places[i] = max(min(places[i], edge - widths[i]), 0.0)
        edge = places[i]
    return places


def _labels(labels: Sequence[str], figures: Sequence[str], layout: Layout, indent: float = 0) -> list[str]:
    """Each label as it is drawn: on a phone it shares a line with the row's figure."""
    if layout.is_stacked:
        room = layout.width - indent - LETTER * max(map(len, figures), default=0) - 24
    else:
        room = layout.left - 18
    return shortened(labels, room / LETTER)


def _figure(mark: Mark) -> str:
    return mark.text if mark.value is not None else "not estimable"


def _mark(mark: Mark, label: str, top: float, axis: Axis, layout: Layout) -> str:
    y = top + layout.above + (layout.row - layout.above) / 2
    figure = _figure(mark)
    if layout.is_stacked:
        parts = [svg.text(2, top + 16, label, "label", "start", full=mark.label)]
        parts.append(svg.text(layout.width - 2, top + 16, figure, "value", "end"))
    else:
        parts = [svg.text(layout.left - 12, y + 4, label, "label", "end", full=mark.label)]
        if mark.value is None:
            parts.append(svg.text(layout.left + 4, y + 4, figure, "tick", "start"))
        else:
            parts.append(svg.text(layout.end + 14, y + 4, figure, "value", "start"))
    if mark.value is not None:
        parts += _interval(mark.wide_low, mark.wide_high, y, axis, "wide-interval", 4)
        parts += _interval(mark.low, mark.high, y, axis, "whisker", 6)
        parts.append(svg.point(axis.x(mark.value), y, 5))
    return svg.group(parts)


def _interval(low: float | None, high: float | None, y: float, axis: Axis, kind: str, head: float) -> list[str]:
    """A line between the ends, with an arrow at each end of the axis beyond which it goes on."""
    if low is None or high is None:
        return []
    parts = [svg.line(axis.x(low), y, axis.x(high), y, kind)]
    if low < axis.low and axis.is_beyond(low):
        parts.append(_arrow(axis.left, y, -head))
    if high > axis.high and axis.is_beyond(high):
        parts.append(_arrow(axis.right, y, head))
    return parts


def _arrow(x: float, y: float, head: float) -> str:
    """The tip of an interval that goes on; it points to the left for a negative `head`."""
    tall = abs(head)
    corners = f"M{x:.1f} {y - tall:.1f}L{x + 1.5 * head:.1f} {y:.1f}L{x:.1f} {y + tall:.1f}z"
    return svg.path(corners, "arrow")


def _label_rows(labels: Sequence[tuple[float, str]], axis: Axis) -> list[int]:
    """The line on which each label (x, text) is written, 0 next to the plot, so that labels do not overlap."""
    rows: list[int] = []
    taken: list[tuple[int, float, float]] = []
    for x, words in labels:
        width = LETTER * len(words)
        start = x - {"start": 0.0, "middle": width / 2, "end": width}[_anchor_of(x, axis)]
        row = 0
        while any(row == other and start < right + 6 and left < start + width + 6 for other, left, right in taken):
            row += 1
        taken.append((row, start, start + width))
        rows.append(row)
    return rows


def _ends(mark: Mark) -> list[float]:
    ends = (mark.value, mark.low, mark.high, mark.wide_low, mark.wide_high)
    return [end for end in ends if end is not None and isfinite(end)]


def _anchor_of(x: float, axis: Axis) -> str:
    return "end" if x > axis.right - 60 else "start" if x < axis.left + 60 else "middle"


def signed(value: float) -> str:
    """Three digits and the sign."""
    return f"{value:+.3g}".replace("-", "−")
