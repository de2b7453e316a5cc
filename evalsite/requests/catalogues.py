"""Compiles the catalogues of translations (`.po`) into the form that Django reads (`.mo`), in the data folder.

Compiled catalogues are not in the repository, because a small change of a text makes a whole new file. A process that
starts compiles those whose source has changed. That takes a tenth of a second and no other program.
"""

import hashlib
import re
import secrets
import struct
from contextlib import suppress
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent / "locale"
_FORM = b"1"
"""Raised when the compiled form of the same source changes."""
_LINE = re.compile(r'(?:(msgctxt|msgid|msgid_plural|msgstr(?:\[\d\])?)\s+)?"((?:[^"\\]|\\.)*)"\s*\Z')
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def compile_changed(sources: Path, compiled: Path) -> None:
    """Compile each language's catalogue in `sources` into `compiled`, unless that is done.

    Several processes can do it at once. A folder that cannot be written is left as it is; see `outdated`.
    """
    for language in outdated(sources, compiled):
        source = _file(sources, language, ".po").read_bytes()
        target = _file(compiled, language, ".mo")
        content = mo(read(source.decode())) + _digest(source)
        draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        with suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                draft.write_bytes(content)
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)


def outdated(sources: Path, compiled: Path) -> list[str]:
    """The languages, as folders, whose compiled catalogue is missing or not that of its source."""
    return sorted(
        path.parent.parent.name
        for path in sources.glob("*/LC_MESSAGES/django.po")
        if not _content(_file(compiled, path.parent.parent.name, ".mo")).endswith(_digest(path.read_bytes()))
    )


def read(source: str) -> dict[str, str]:
    """The finished entries of a catalogue, as they are in the compiled one: key → translation, its forms joined by NUL.

    The key is the text, with its context in front and its plural behind. An entry that is marked as a guess, or lacks a
    translation or one of its forms, is left out, so the text comes in English. Raises ValueError for a line that is
    neither a comment nor part of an entry.
    """
    entries = {}
    for block in re.split(r"\n\s*\n", source):
        fields: dict[str, str] = {}
        field = ""
        lines = block.strip().splitlines()
        for line in lines:
            if line.startswith("#"):
                continue
            match = _LINE.match(line)
            if match is None:
                raise ValueError(f"This line of a catalogue is not valid: {line}")
            field = match[1] or field
            fields[field] = fields.get(field, "") + _ESCAPED.sub(lambda each: _ESCAPES.get(each[1], each[1]), match[2])
        forms = [text for name, text in fields.items() if name.startswith("msgstr")]
        is_guess = any(line.startswith("#,") and "fuzzy" in line for line in lines)
        if forms and all(forms) and not is_guess:
            context = f"{fields['msgctxt']}\x04" if "msgctxt" in fields else ""
            plural = f"\0{fields['msgid_plural']}" if "msgid_plural" in fields else ""
            entries[context + fields["msgid"] + plural] = "\0".join(forms)
    return entries


def mo(entries: dict[str, str]) -> bytes:
    """The compiled catalogue: a header, where each key and each translation is, and these, each ended by NUL.

    Source: GNU gettext's manual, "The Format of GNU MO Files". The optional table of hashes is left out.
    """
    pairs = sorted((key.encode(), text.encode()) for key, text in entries.items())
    n, header = len(pairs), 7 * 4
    position = header + 2 * n * 8
    tables, texts = [], []
    for column in (0, 1):
        for pair in pairs:
            text = pair[column]
            tables.append(struct.pack("<2I", len(text), position))
            texts.append(text + b"\0")
            position += len(text) + 1
    first = struct.pack("<7I", 0x950412DE, 0, n, header, header + n * 8, 0, position)
    return first + b"".join(tables) + b"".join(texts)


def _file(folder: Path, language: str, ending: str) -> Path:
    return folder / language / "LC_MESSAGES" / f"django{ending}"


def _digest(source: bytes) -> bytes:
    """At the end of a compiled catalogue, behind what programs read: what it was compiled from."""
    return hashlib.sha256(_FORM + source).digest()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
