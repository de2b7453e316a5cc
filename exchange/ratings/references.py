"""Items that a file names by a path or an address: their names, and how an image is recognised in a text."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

from exchange.identity import identity

IMAGE_ENDING = r"\.(?:png|jpe?g|webp|gif|bmp|tiff?|avif)"
_IMAGE_NAME = re.compile(rf"[^\s\"'<>()\[\]{{}},;|/\\]+{IMAGE_ENDING}(?![A-Za-z0-9])", re.IGNORECASE)
_REFERENCE = re.compile(rf"(?:[a-z][a-z0-9+.-]*://\S+|\S*[/\\]\S+|.*{IMAGE_ENDING})", re.IGNORECASE | re.DOTALL)
_UPLOAD = re.compile(r"(?:/data/upload/|^upload/)(?:.*/)?[0-9a-f]{8}-(?=[^/]+$)", re.IGNORECASE)
"""Label Studio puts eight hexadecimal digits and a hyphen before the name of an uploaded file."""


def is_reference(text: str) -> bool:
    """Whether a text is the address or path of a file, or the name of an image file."""
    return bool(_REFERENCE.fullmatch(identity(text))) if len(text) < 4_000 else False


def image_in(text: str) -> str:
    """The name of the only image file that a text names, without its folders; "" if it names none or several."""
    names = {match[0] for match in _IMAGE_NAME.finditer(unquote(text) if "%" in text else text)}
    return names.pop() if len(names) == 1 else ""


def path_of(reference: str) -> str:
    """The path within an address, with forward slashes; the text itself if it is not an address."""
    text = identity(reference)
    if "://" in text or text.startswith("/data/"):
        parts = urlsplit(text)
        local = parse_qs(parts.query).get("d") if "local-files" in parts.path else None
        path = local[0] if local else unquote(parts.path)
        # An address without a path of its own names its file in the query: …/view?image=p1.png
        if not PurePosixPath(path).suffix and parts.query:
            named = [value for values in parse_qs(parts.query).values() for value in values if image_in(value)]
            path = named[0] if len(named) == 1 else path
        text = _UPLOAD.sub(lambda match: match[0][: -len("01234567-")], path) if path else text
    return text.replace("\\", "/").rstrip("/")


def names_of(references: Iterable[str]) -> dict[str, str]:
    """Reference → item: the file's name; if two files have the same name, as much of their paths as is needed."""
    paths = {reference: path_of(reference) for reference in references}
    n_parts = 1
    while True:
        named: dict[str, set[str]] = {}
        for path in paths.values():
            named.setdefault(_last(path, n_parts), set()).add(path)
        if all(len(same) == 1 for same in named.values()) or n_parts > 32:
            return {reference: _last(path, n_parts) for reference, path in paths.items()}
        n_parts += 1


def _last(path: str, n_parts: int) -> str:
    parts = [part for part in path.split("/") if part]
    return "/".join(parts[-n_parts:]) or path
