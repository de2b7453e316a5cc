"""Small files that several processes write and read at the same time: each is complete or absent."""

import os
import stat
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

LARGEST_BYTES = 2**20
LEFTOVER_S = 600
"""A hidden file of this age belongs to a process that was killed while it wrote or read."""


class Unreadable(Exception):
    """A file that was not completely written by one of our processes."""


def write_whole(path: Path, text: str) -> None:
    """Write a file atomically, so that no reader sees a part of it. Raises OSError, and then leaves nothing behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid.uuid4()}.draft")
    try:
        draft.write_text(text)
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def read_whole(path: Path, parse: Callable[[bytes], T]) -> T:
    """The result of `parse` for a file. Raises FileNotFoundError, and Unreadable for everything else that is wrong."""
    try:
        # Neither a pipe that nobody writes to nor a link may hold us up.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as file:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                raise Unreadable("it is not a regular file")
            if info.st_size > LARGEST_BYTES:
                raise Unreadable(f"it has {info.st_size:,} bytes")
            return parse(file.read())
    except (FileNotFoundError, Unreadable):
        raise
    except Exception as error:  # whatever a parser raises for garbage: wrong types, missing keys, nesting too deep
        raise Unreadable(f"{type(error).__name__}: {error}") from error


def set_aside(path: Path, folder: Path, name: str) -> Path | None:
    """Move a file out of the way, for a person to inspect; returns its new path, or None if that was not possible."""
    target = folder / f"{time.time_ns():020d}_{name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    except OSError:
        return None
    return target


def remove_leftovers(folder: Path) -> None:
    """Remove the hidden files of processes that were killed."""
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):
                if path.name.startswith(".") and path.stat().st_mtime < time.time() - LEFTOVER_S:
                    path.unlink()
