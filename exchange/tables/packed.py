"""Tables that come packed: gzip, bzip2 and xz, and a zip with one table or several in it."""

import bz2
import gzip
import lzma
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from exchange.rejects import BadFile, bad_file
from exchange.wording import listed

TABLE_ENDINGS = (
    *(".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".json", ".parquet"),
    *(".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"),
)
"""The endings of tables' names, for folders, zips and file dialogues. A file's format is decided by its content."""
PACKED_ENDINGS = (".gz", ".bz2", ".xz")
MOST_BYTES = 4 * 1024**3
MOST_TIMES = 1_000
FREE_BYTES = 64 * 1024**2
"""A packed table may have FREE_BYTES, and beyond them MOST_TIMES its packed size and MOST_BYTES."""
_IN_MEMORY = 16 * 1024**2
_OPENERS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
_ZIP = b"PK\x03\x04"
MOST_TABLES = 1_000


@contextmanager
def unpacked(stream: BinaryIO, name: str) -> Iterator[BinaryIO]:
    """The table in the stream, which may be packed once; a stream that is not packed is returned unchanged.

    A zip must hold one table (`tables_in` reads several). Workbooks, which are zips as well, are returned unchanged.
    Raises BadFile for damaged and over-large packages.
    """
    if not stream.seekable():
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy:
            shutil.copyfileobj(stream, copy)
            copy.seek(0)
            with unpacked(cast("BinaryIO", copy), name) as table:
                yield table
        return
    begin = stream.tell()
    head = stream.read(8)
    stream.seek(begin)
    opener = next((opener for signature, opener in _OPENERS.items() if head.startswith(signature)), None)
    if opener is not None:
        n_packed = stream.seek(0, 2) - begin
        stream.seek(begin)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as target:
            with _damage_named(name), opener(stream, "rb") as packed:
                _copy(packed, target, name, n_packed)
            yield cast("BinaryIO", target)
        return
    if head.startswith(_ZIP) and begin == 0 and not is_workbook(stream):
        with tables_in(stream, name) as found:
            if len(found) != 1:
                names = listed([entry for entry, _ in found])
                raise bad_file(name, f"the zip holds {len(found)} tables: {names}", "pack one table, or unpack it")
            yield found[0][1]
        return
    yield stream


def is_workbook(stream: BinaryIO) -> bool:
    """Whether a zip is an Excel or OpenDocument workbook. The stream is at its beginning afterwards."""
    try:
        stream.seek(0)
        with zipfile.ZipFile(stream) as archive:
            entries = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError):
        return False
    finally:
        stream.seek(0)
    return "[Content_Types].xml" in entries or {"mimetype", "content.xml"} <= entries


def is_zip_of_tables(stream: BinaryIO) -> bool:
    """Whether the stream is a zip and not a workbook. The stream's position is unchanged."""
    if not stream.seekable() or stream.tell() != 0:
        return False
    head = stream.read(len(_ZIP))
    stream.seek(0)
    return head == _ZIP and not is_workbook(stream)


@contextmanager
def tables_in(stream: BinaryIO, name: str) -> Iterator[list[tuple[str, BinaryIO]]]:
    """(entry, content) of every table in a zip, by name. Raises BadFile if it cannot be read or holds none."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(stream))
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise bad_file(name, f"the zip cannot be read ({error})", "pack it again") from error
        infos = [info for info in archive.infolist() if not info.is_dir() and not _is_by_the_way(info.filename)]
        tables = [info for info in infos if PurePosixPath(info.filename).suffix.casefold() in TABLE_ENDINGS]
        found: list[tuple[str, BinaryIO]] = []
        total = 0
        for n, info in enumerate(sorted(tables, key=lambda info: info.filename), start=1):
            total += info.file_size
            if n > MOST_TABLES or total > MOST_BYTES:
                raise bad_file(
                    name, f"more than {MOST_TABLES:,} tables, or {MOST_BYTES:,} bytes, are in it", "split it"
                )
            if info.flag_bits & 0x41:
                raise bad_file(name, f'"{info.filename}" is encrypted', "pack the zip without a password")
            target = stack.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))
            with _damage_named(f"{name}, {info.filename}"), archive.open(info) as packed:
                _copy(packed, target, f"{name}/{info.filename}", info.compress_size)
            found.append((info.filename, cast("BinaryIO", target)))
        if not found:
            raise bad_file(name, f"the zip holds no table ({', '.join(TABLE_ENDINGS)})", "pack the table itself")
        yield found


@contextmanager
def _damage_named(name: str) -> Iterator[None]:
    """Turns any error from unpacking a damaged file into BadFile."""
    try:
        yield
    except BadFile:
        raise
    except Exception as error:  # gzip, bz2, lzma, zlib, zipfile and the file system each raise their own errors
        reason = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
        raise bad_file(name, f"it cannot be unpacked ({reason})", "pack it again") from error


def _is_by_the_way(entry: str) -> bool:
    """Files that operating systems leave in archives."""
    return "__MACOSX" in entry.split("/") or PurePosixPath(entry).name.startswith(".")


def _copy(packed: object, target: object, name: str, n_packed: int) -> None:
    n_bytes, most = 0, min(MOST_BYTES, max(FREE_BYTES, MOST_TIMES * n_packed))
    source, sink = cast("BinaryIO", packed), cast("BinaryIO", target)
    while chunk := source.read(1024 * 1024):
        n_bytes += len(chunk)
        if n_bytes > most:
            raise bad_file(name, f"it unpacks to more than {most:,} bytes", "split the table")
        sink.write(chunk)
    sink.seek(0)
