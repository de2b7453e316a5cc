"""A chart from a page → an SVG file that needs no style sheet: colours, type and size are written into it."""

import re

PAGE_INCHES = 6.9
"""The width of a figure over both columns of a paper."""
COLUMN_INCHES = 3.3
"""The width of one column of two."""
FONTS = "Libertinus Serif, Linux Libertine, Times New Roman, Times, serif"
INK, SOFT, LINE, PAPER, ACCENT = "#191919", "#565656", "#d6d6d6", "#ffffff", "#005f6b"
LOOK = {
    "label": f'fill="{INK}" font-size="13"',
    "value": f'fill="{INK}" font-size="13"',
    "tick": f'fill="{SOFT}" font-size="12"',
    "share on-dark": f'fill="{PAPER}" font-size="12"',
    "share on-light": f'fill="{INK}" font-size="12"',
    "grid": f'stroke="{LINE}"',
    "axis": f'stroke="{LINE}"',
    "reference": f'stroke="{INK}" stroke-dasharray="3 3"',
    "wide-interval": f'stroke="{ACCENT}" stroke-width="1.5"',
    "whisker": f'stroke="{ACCENT}" stroke-width="6" stroke-opacity="0.45"',
    "curve": f'fill="none" stroke="{ACCENT}" stroke-width="2"',
    "band": f'fill="{ACCENT}" fill-opacity="0.12"',
    "leader": f'stroke="{SOFT}"',
    "point": f'fill="{ACCENT}"',
    "arrow": f'fill="{ACCENT}"',
    "level": f'fill="{ACCENT}"',
    "level below": f'fill="{SOFT}"',
    "bar win": f'fill="{ACCENT}"',
    "bar tie": f'fill="{LINE}"',
    "bar loss": f'fill="{PAPER}" stroke="{INK}"',
}
"""The style sheet's rules for each class in light colours, as attributes."""
_OPEN = re.compile(r'<svg class="chart(?: phone)?" viewBox="0 0 ([\d.]+) ([\d.]+)" role="img" aria-label="([^"]*)"')
_CLASS = re.compile(r' class="([^"]*)"')


def alone(picture: str, inches: float) -> str:
    """The picture as a file of this width. Raises KeyError for a class that has no look, ValueError for other SVG."""
    opening = _OPEN.match(picture)
    if opening is None:
        raise ValueError("not a picture of this report")
    width, height, title = opening.groups()
    tall = inches * float(height) / float(width)
    head = (
        f'<svg viewBox="0 0 {width} {height}" width="{inches:g}in" height="{tall:.3f}in" font-family="{FONTS}" '
        f'role="img" aria-label="{title}"'
    )
    body = _CLASS.sub(lambda found: f" {LOOK[found[1]]}", picture[opening.end() :])
    start = body.index(">") + 1
    paper = f'<title>{title}</title><rect width="{width}" height="{height}" fill="{PAPER}"/>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{body[:start]}{paper}{body[start:]}\n'
