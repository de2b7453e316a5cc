"""Images on their way to the site, in whatever form a program has them."""

import hashlib
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class SavesItself(Protocol):
    """A Pillow image, without needing Pillow here."""

    def save(self, fp: Any, format: str | None = None) -> None: ...


Content = bytes | str | os.PathLike[str] | SavesItself
"""A file's bytes, its path, or a Pillow image, which is sent as PNG."""


@dataclass(frozen=True)
class Picture:
    """An image and what it shows.

    prompt    the prompt's text, or `prompt_key` its key
    key       your own name for it
    parent    the key or SHA-256 of the image that it was refined from
    metadata  anything else that is known; stored unchanged
    """

    content: Content
    prompt: str = ""
    prompt_key: str = ""
    method: str = ""
    seed: int | None = None
    round: int | None = None
    parent: str = ""
    key: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def row(self, file: str) -> dict[str, Any]:
        """As the call has it, under the name of its file."""
        known = {
            "prompt": self.prompt,
            "prompt_key": self.prompt_key,
            "method": self.method,
            "seed": self.seed,
            "round": self.round,
            "parent": self.parent,
            "key": self.key,
            "metadata": dict(self.metadata),
        }
        return {"file": file} | {name: value for name, value in known.items() if value not in ("", None, {})}


Given = Picture | tuple[str, Content]
"""A picture, or its prompt and its content."""


def read(content: Content) -> bytes:
    """The bytes of a file. Raises OSError for a path that cannot be read."""
    if isinstance(content, bytes):
        return content
    if isinstance(content, str | os.PathLike):
        return Path(content).read_bytes()
    stream = io.BytesIO()
    content.save(stream, format="PNG")
    return stream.getvalue()


def as_pictures(given: Iterable[Given]) -> list[Picture]:
    return [one if isinstance(one, Picture) else Picture(one[1], prompt=one[0]) for one in given]


def file_name(content: bytes, number: int) -> str:
    """A name that is the same for the same image, so that a repeated call is the same call."""
    return f"{number:03}-{hashlib.sha256(content).hexdigest()[:16]}.png"
