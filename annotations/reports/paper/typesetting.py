"""Typst, which makes PDF and PNG files within this process. Only this module uses it.

It reads only fonts from the disk and nothing from the network: a source names only files that are passed to it.
"""

import struct
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

import typst

from annotations.reports.pictures.labels import without_emoji
from annotations.reports.pictures.svg import without_controls

DOTS_PER_INCH = 300.0
_ROOT = "main.typ"


@cache
def _fonts() -> typst.Fonts:
    """Typst's own fonts come first; the system's are used for other scripts."""
    return typst.Fonts()


def pdf(source: str, files: Mapping[str, bytes], made_at: str) -> bytes:
    """A tagged PDF of the source. `made_at`, ISO 8601, is its date, so that equal inputs give an equal file."""
    project, moment = _project(source, files), _moment(made_at)
    made = typst.compile(  # type: ignore[call-overload]  # the stubs allow one file; several, by name, are documented
        project, format="pdf", font_paths=_fonts(), timestamp=moment
    )
    return _whole(made)


def picture_pdf(svg: str, made_at: str) -> bytes:
    """One SVG picture as a PDF page of its size, text as text."""
    return pdf(_PICTURE, {"picture.svg": without_emoji(svg).encode()}, made_at)


def picture_png(svg: str) -> bytes:
    """One SVG picture as PNG at 300 dots per inch of its size."""
    return png(_PICTURE, {"picture.svg": without_emoji(svg).encode()})


def png(source: str, files: Mapping[str, bytes]) -> bytes:
    """The one page of the source as PNG at 300 dots per inch of its size."""
    project = _project(source, files)
    made = typst.compile(  # type: ignore[call-overload]  # several files, as for a PDF
        project, format="png", ppi=DOTS_PER_INCH, font_paths=_fonts()
    )
    return _with_resolution(_whole(made))


def literal(text: str) -> str:
    """The text as a Typst string, on one line."""
    flat = " ".join(without_emoji(without_controls(text)).splitlines())
    return '"' + flat.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _with_resolution(png: bytes) -> bytes:
    """The PNG file with the chunk that gives the size of a pixel, so that it opens at the right size (PNG 11.3.5.3)."""
    dots_per_metre = round(DOTS_PER_INCH / 0.0254)
    body = b"pHYs" + struct.pack(">IIB", dots_per_metre, dots_per_metre, 1)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:_HEADER_ENDS] + chunk + png[_HEADER_ENDS:]


_HEADER_ENDS = 33
"""The signature and the first chunk, IHDR, of every PNG file."""
_PICTURE = '#set page(width: auto, height: auto, margin: 0pt)\n#image("picture.svg")\n'


def _project(source: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {_ROOT: source.encode(), **files}


def _whole(made: bytes | list[bytes] | None) -> bytes:
    if not isinstance(made, bytes):
        raise TypeError("typst made several pages; one file was asked for")
    return made


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime(1970, 1, 1, tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
