"""The pieces that every picture is made of, as SVG text: escaped, without style attributes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape as escape_marks
from textwrap import wrap

from annotations.reports.pictures.labels import in_order, shortened

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LETTER = 6.6
"""About the width of a letter of a label, so that texts can be kept apart."""
LINE = 16
"""The height of a line of text."""


@dataclass(frozen=True)
class Layout:
    """How a picture is laid out: labels are to the left of the drawing on a page and above it on a phone.

    left, right  the space for labels and for figures on either side of the drawing
    row          the height of a row, of which the label takes `above`
    """

    width: int
    left: int
    right: int
    row: int
    above: int = 0

    @property
    def end(self) -> int:
        """The right end of the drawing."""
        return self.width - self.right

    @property
    def is_stacked(self) -> bool:
        return self.above > 0


PAGE = Layout(width=720, left=216, right=172, row=30)
PHONE = Layout(width=360, left=14, right=14, row=48, above=20)


def escape(words: str) -> str:
    """The words as XML text; characters that XML cannot hold become blanks."""
    return escape_marks(without_controls(words))


def without_controls(words: str) -> str:
    """The words with a blank for each character that XML 1.0 (section 2.2) cannot hold."""
    return _NOT_XML.sub(" ", words)


def text(x: float, y: float, words: str, kind: str, anchor: str, *, full: str = "") -> str:
    """Text at (x, y); `full` is shown on hovering if the words are shortened."""
    hover = f"<title>{escape(full)}</title>" if full and full != words else ""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{hover}{escape(in_order(words))}</text>'
    )


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def rect(x: float, y: float, width: float, height: float, kind: str, opacity: float | None = None) -> str:
    fill = "" if opacity is None else f' fill-opacity="{opacity:.2f}"'
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"{fill}/>'


def point(x: float, y: float, radius: float) -> str:
    return f'<circle class="point" cx="{x}" cy="{y:.1f}" r="{radius}"/>'


def path(corners: str, kind: str) -> str:
    """A filled shape; `corners` is a path's "d"."""
    return f'<path class="{kind}" d="{corners}"/>'


def group(parts: Sequence[str]) -> str:
    return f"<g>{''.join(parts)}</g>"


def titled(title: str, *parts: str) -> str:
    """A group that shows its title on hovering."""
    return group([f"<title>{escape(title)}</title>", *parts])


def wrapped(words: str, middle: float, y: float, width: float) -> tuple[list[str], float]:
    """Lines of small text around `middle` that fit the width, the first at y; and the height that they take."""
    lines = wrap(words, max(int(width / LETTER), 12))
    return [text(middle, y + LINE * i, each, "tick", "middle") for i, each in enumerate(lines)], LINE * len(lines)


def short(label: str, room: float) -> str:
    """The label, cut if it is longer than the room for it."""
    return shortened([label], room / LETTER)[0]


def picture(parts: Sequence[str], height: float, title: str, layout: Layout) -> str:
    """One <svg> element, named by its title."""
    kind = "chart phone" if layout is PHONE else "chart"
    return (
        f'<svg class="{kind}" viewBox="0 0 {layout.width} {height:.0f}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )
