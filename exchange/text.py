"""From bytes to text and lines: the encoding is determined, never guessed, and no byte is replaced silently."""

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple

from exchange.rejects import BadFile, bad_file

CHUNK = 256 * 1024
MAX_LINE = 16 * 1024 * 1024
"""Maximum characters of a line or a JSON object: far above any prompt, far below what fills a server's memory."""

_SAVE_AS = "save it as CSV, TSV, JSON lines (UTF-8) or Parquet"
_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook", 'open it and use "Save as", CSV UTF-8'),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", 'open it and use "Save as", CSV UTF-8'),
    (b"\x1f\x8b", "gzip-compressed", "unpack it first"),
    (b"BZh", "bzip2-compressed", "unpack it first"),
    (b"\xfd7zXZ", "xz-compressed", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed", "unpack it first"),
    (b"%PDF", "a PDF", _SAVE_AS),
    (b"\x89PNG", "a PNG image", "images come in a folder or zip with a manifest"),
    (b"\xff\xd8\xff", "a JPEG image", "images come in a folder or zip with a manifest"),
    (b"SQLite format 3\x00", "an SQLite database", _SAVE_AS),
    (b"ARROW1", "an Arrow or Feather file", "write it as Parquet"),
)


class Dialect(NamedTuple):
    """What a user may say about how a table is written, if the file itself does not determine it.

    encoding   of a text that is not UTF-8 and has no byte order mark, as Python calls it
    sheet      of a workbook, by its name
    delimiter  between the cells of a text
    decimal    the sign before decimals: "," where numbers are written 66,4
    """

    encoding: str = ""
    sheet: str = ""
    delimiter: str = ""
    decimal: str = ""


PLAIN = Dialect()


@contextmanager
def opened(source: Path | BinaryIO, name: str) -> Iterator[BinaryIO]:
    """The source as a binary stream; a path is opened and closed here, a stream is read from its current position.

    Raises BadFile if the path cannot be opened.
    """
    if not isinstance(source, Path):
        yield source
        return
    try:
        stream = source.open("rb")
    except OSError as error:
        raise bad_file(name, f"cannot be opened ({error.strerror})", "check the path and its permissions") from error
    with stream:
        yield stream


def byte_chunks(stream: BinaryIO, name: str, *, size: int = CHUNK) -> Iterator[bytes]:
    """The stream in pieces of about `size` bytes, all in one for −1. Raises BadFile if it is empty or unreadable."""
    empty = True
    while True:
        try:
            chunk = stream.read(size)
        except OSError as error:
            raise bad_file(name, f"cannot be read ({error})", "send the file again") from error
        if not chunk:
            break
        empty = False
        yield chunk
    if empty:
        raise bad_file(name, "the file is empty", "check that the right file was chosen and fully written")


def encoding_of(head: bytes, name: str) -> tuple[str, int]:
    """(codec, bytes of the byte order mark) of a text that begins with `head`.

    UTF-8 with or without mark, and UTF-16 with mark. Raises BadFile for anything that is clearly not such a text.
    """
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise bad_file(name, "the text is UTF-32", "save it as UTF-8")
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8", 3
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le", 2
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be", 2
    for signature, what, cure in _SIGNATURES:
        if head.startswith(signature):
            raise bad_file(name, f"this is {what}, not a table", cure)
    sample = head[:4096]
    halves = (sample[0::2].count(0), sample[1::2].count(0))
    if max(halves) > len(sample) / 8 and min(halves) == 0:
        raise bad_file(
            name,
            "this looks like UTF-16 without a byte order mark",
            "save it as UTF-8, or as UTF-16 with a byte order mark",
        )
    return "utf-8", 0


def text_chunks(chunks: Iterator[bytes], name: str, encoding: str = "") -> Iterator[str]:
    """The decoded text in pieces, without its byte order mark.

    encoding  of a text that has no byte order mark; "": UTF-8

    Raises BadFile with line and byte at the first byte that is not of the encoding, and at a NUL character.
    """
    head = next(chunks)
    codec, mark = encoding_of(head, name)
    if encoding and not mark:
        codec = encoding
    decoder = codecs.getincrementaldecoder(codec)("strict")
    n_bytes, n_lines = 0, 0
    for chunk in chain([head], chunks, [b""]):
        piece = chunk[mark:] if n_bytes == 0 else chunk
        n_bytes += len(chunk)
        try:
            text = decoder.decode(piece, final=not chunk)
        except UnicodeDecodeError as error:
            raise _undecodable(error, codec, n_bytes, n_lines, name) from error
        if "\0" in text:
            line = n_lines + text.count("\n", 0, text.index("\0")) + 1
            raise bad_file(
                name,
                "there is a NUL character in the text",
                "the file is damaged or not a text; write it again as UTF-8",
                row=line,
            )
        n_lines += text.count("\n")
        if text:
            yield text


def _undecodable(error: UnicodeDecodeError, codec: str, n_bytes: int, n_lines: int, name: str) -> BadFile:
    """The report of a byte that is not of the encoding; `n_bytes` were fed so far, `n_lines` came before this piece."""
    good = error.object[: error.start].decode(codec, errors="ignore")
    line = n_lines + good.count("\n") + 1
    position = n_bytes - len(error.object) + error.start
    wrong = error.object[error.start : error.start + 1]
    value = f"byte 0x{wrong.hex().upper()}"
    hint = ""
    if codec == "utf-8" and wrong:
        letter = wrong.decode("windows-1252", errors="ignore")
        hint = f' (it would be "{letter}" in Windows-1252)' if letter.isprintable() and letter else ""
    if error.reason in ("unexpected end of data", "truncated data"):
        hint = "; the text ends in the middle of a character"
    return bad_file(
        name,
        f"{value} at position {position} is not {codec[:6].upper().rstrip('-') if codec[:3] == 'utf' else codec}{hint}",
        'save the file as UTF-8: "CSV UTF-8" in a spreadsheet, or iconv -f WINDOWS-1252 -t UTF-8 in a shell; '
        "ratings, votes and rankings can be read as they are with --encoding windows-1252",
        row=line,
        value=value,
    )


def lines_of(texts: Iterator[str], name: str) -> Iterator[str]:
    """Lines with their ends (LF, CRLF or CR). Raises BadFile if one is longer than MAX_LINE."""
    rest, n_lines = "", 0
    for text in texts:
        # StringIO splits at CR, LF and CRLF only; str.splitlines would also split at U+2028 inside a prompt.
        lines = list(io.StringIO(rest + text, newline=""))
        rest = "" if lines[-1].endswith("\n") else lines.pop()
        n_lines += len(lines)
        yield from lines
        if len(rest) > MAX_LINE:
            raise bad_file(
                name,
                f"the line is longer than {MAX_LINE} characters",
                "write one row, or one JSON object, per line",
                row=n_lines + 1,
            )
    if rest:
        yield rest
