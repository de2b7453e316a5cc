"""A square matrix of shares as a chart: which method would beat which."""

from collections.abc import Sequence

from annotations.reports.pictures import svg
from annotations.reports.pictures.labels import shortened
from annotations.reports.pictures.svg import PAGE, Layout

MOST_DRAWN = 20


def chance_matrix(
    names: Sequence[str], shares: Sequence[Sequence[float | None]], *, title: str, axis: str = "", layout: Layout = PAGE
) -> str:
    """Row against column: the share written in each cell, the larger the darker.

    shares (n, n): None for a missing share, such as on the diagonal. Only the first 20 methods are drawn.
    """
    n = min(len(names), MOST_DRAWN)
    if n < 2:
        return ""
    left = 24 + 8 * max(len(str(at)) for at in range(1, n + 1)) if layout.is_stacked else layout.left
    top, room = 28, layout.width - left - 12
    size = min(room / n, 56.0)
    tall = max(min(size, 34.0), 18.0)
    labels = shortened(names[:n], (layout.width if layout.is_stacked else left - 18) / svg.LETTER - len(str(n)) - 1)
    parts = []
    for at in range(n):
        x, y = left + size * at, top + tall * at
        parts.append(svg.text(x + size / 2, top - 10, f"{at + 1}", "tick", "middle", full=names[at]))
        shown = f"{at + 1}" if layout.is_stacked else f"{at + 1} {labels[at]}"
        parts.append(svg.text(left - 8, y + tall / 2 + 4, shown, "label", "end", full=names[at]))
        for other in range(n):
            share = shares[at][other]
            if share is None:
                continue
            at_x = left + size * other
            box = svg.rect(at_x + 0.5, y + 0.5, size - 1, tall - 1, "level", 0.08 + 0.92 * share)
            tone = "on-dark" if share > 0.5 else "on-light"
            words = svg.text(at_x + size / 2, y + tall / 2 + 4, f"{share:.0%}", f"share {tone}", "middle")
            said = f"{names[at]} beats {names[other]}: {share:.1%}"
            parts.append(svg.titled(said, box, words if size > 30 else ""))
    bottom = top + tall * n + 16
    if layout.is_stacked:
        for at in range(n):
            parts.append(svg.text(2, bottom + 14 * at, f"{at + 1} {labels[at]}", "tick", "start"))
        bottom += 14 * n + 4
    words_below, height = svg.wrapped(axis, layout.width / 2, bottom + 6, layout.width)
    return svg.picture([*parts, *words_below], bottom + height, title, layout)
