"""View data → HTML by templates that escape everything, the same for pages and for self-contained files."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from annotations.reports.view import Block, Figure, Folded, Paragraph, Table

FOLDER = Path(__file__).resolve().parent / "templates"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name, kind in (("paragraph", Paragraph), ("figure", Figure), ("table", Table), ("folded", Folded)):
        environment.tests[name] = lambda block, kind=kind: isinstance(block, kind)
    environment.filters["grouped"] = grouped
    return environment


def grouped(cell: str | int) -> str:
    """A whole number with separators between thousands; text as it is."""
    return f"{cell:,}" if isinstance(cell, int) else cell


Links = Callable[[Figure], Sequence[tuple[str, str]]]
"""(format, address) of each file in which a figure is available."""


def no_links(_figure: Figure) -> Sequence[tuple[str, str]]:
    """A self-contained file has no links."""
    return ()


def blocks_html(blocks: Sequence[Block], links: Links = no_links) -> str:
    """The blocks of one section, to be put into a page."""
    # A template's macros are attributes of its module, which no stub can know.
    return str(_TEMPLATES.get_template("blocks.html").module.show(blocks, links)).strip()  # type: ignore[attr-defined]


def rendered(template: str, **context: Any) -> str:
    return _TEMPLATES.get_template(template).render(no_links=no_links, **context)


_TEMPLATES = _environment()
