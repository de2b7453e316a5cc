"""Names of files inside a bundle: made comparable, and refused if they could lead outside it."""

import re
import unicodedata

MAX_NAME = 1_024

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_DRIVE = re.compile(r"[A-Za-z]:")
_BY_THE_WAY = frozenset((".ds_store", "thumbs.db", "desktop.ini"))


class UnsafeName(ValueError):
    """A name that must not be followed; the message says why."""


def safe_name(name: str) -> str:
    """The name with forward slashes, in Unicode NFC, relative to the bundle.

    Raises UnsafeName for absolute names, drive letters, steps upwards, and names with control characters.
    """
    if _CONTROL.search(name):
        raise UnsafeName("the name holds a control character")
    if len(name) > MAX_NAME:
        raise UnsafeName(f"the name is longer than {MAX_NAME} characters")
    plain = unicodedata.normalize("NFC", name.replace("\\", "/"))
    if plain.startswith("/"):
        raise UnsafeName("the name is absolute")
    if _DRIVE.match(plain):
        raise UnsafeName("the name begins with a drive letter")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise UnsafeName('the name climbs out of its folder with ".."')
    if not parts:
        raise UnsafeName("the name is empty")
    return "/".join(parts)


def comparable(name: str) -> str:
    """A safe name in the form in which names are compared: some file systems ignore case or Unicode form."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFKC", name).casefold())


def is_by_the_way(name: str) -> bool:
    """True for files that operating systems leave in folders and archives: hidden files, __MACOSX, Thumbs.db."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].casefold() in _BY_THE_WAY or any(part.startswith(".") for part in parts)
