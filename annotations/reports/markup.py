"""Pieces of HTML for reports; every text is escaped here."""

from collections.abc import Sequence
from html import escape
from typing import Any


def paragraph(text: str, kind: str = "") -> str:
    attribute = f' class="{kind}"' if kind else ""
    return f"<p{attribute}>{escape(text)}</p>"


def figure(svg: str) -> str:
    return f'<figure class="plot" tabindex="0">{svg}</figure>' if svg else ""


def folded(summary: str, inner: str) -> str:
    return f'<details class="figures"><summary>{escape(summary)}</summary>{inner}</details>'


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], *, numeric: Sequence[int]) -> str:
    """The first cell of a row is its heading; columns in `numeric` stand on the right."""

    def cell(value: Any, place: int, tag: str, scope: str) -> str:
        kind = ' class="num"' if place in numeric else ""
        text = f"{value:,}" if isinstance(value, int) else str(value)
        return f"<{tag}{scope}{kind}>{escape(text)}</{tag}>"

    def line(row: Sequence[Any]) -> str:
        cells = (cell(one, i, "td", "") if i else cell(one, i, "th", ' scope="row"') for i, one in enumerate(row))
        return f"<tr>{''.join(cells)}</tr>"

    top = "".join(cell(name, i, "th", ' scope="col"') for i, name in enumerate(head))
    body = "".join(line(row) for row in rows)
    inner = f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="table-wrap" tabindex="0">{inner}</div>'


def value(number: float | None, *, signed: bool = False) -> str:
    if number is None:
        return "–"
    if float(number).is_integer() and abs(number) >= 10:
        return f"{number:,.0f}"
    return f"{number:+.3f}" if signed else f"{number:.3f}"


def interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"[{low:.3f}, {high:.3f}]"


def p_value(p: float | None) -> str:
    return "" if p is None else "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"
