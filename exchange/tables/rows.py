"""Rows of a table from outside, whatever its format, which is recognised by content and never by the file's name."""

import shutil
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from exchange.identity import identity
from exchange.rejects import RejectLog, bad_file
from exchange.tables.containers.parquet import read_parquet
from exchange.tables.containers.workbooks import OLD_WORKBOOK, read_workbook
from exchange.tables.delimited import looks_like_header, read_delimited
from exchange.tables.headers import Columns
from exchange.tables.jsontext import read_json_array, read_json_objects
from exchange.tables.packed import is_workbook, unpacked
from exchange.tables.row import Row
from exchange.text import PLAIN, Dialect, byte_chunks, lines_of, opened, text_chunks

_PARQUET = b"PAR1"


def read_rows(
    source: Path | BinaryIO,
    *,
    name: str,
    columns: Columns | None = None,
    unless_list: Columns | None = None,
    dialect: Dialect = PLAIN,
    log: RejectLog,
) -> Iterator[Row]:
    """The rows of a table, one at a time, in memory that does not grow with the file.

    source       a path, or a binary stream read from its position (one that cannot seek is copied to a temporary
                 file if the format needs it); it may be packed with gzip, bzip2 or xz, or as the only table of a zip
    name         what the user calls the file; it is in every report
    columns      which columns are needed and their other names; None: all columns
    unless_list  a text whose first line is not a header of such columns is a plain list: each line that is not blank
                 is a row with one cell, under the first of the required columns
    dialect      what the user says about how it is written
    log          takes the rows that are refused; the good ones are yielded

    Raises BadFile (while being iterated, possibly after good rows) if the file as a whole cannot be read.
    """
    with opened(source, name) as given, unpacked(given, name) as stream:
        if _is_workbook(stream):
            yield from read_workbook(stream, name=name, columns=columns, sheet=dialect.sheet, log=log)
            return
        chunks = byte_chunks(stream, name)
        head = next(chunks)
        if head.startswith(_PARQUET):
            with _Seekable(stream, head, name) as whole:
                yield from read_parquet(whole, name=name, columns=columns, log=log)
            return
        texts = text_chunks(chain([head], chunks), name, dialect.encoding)
        texts, first = _first_letter(texts, name)
        if first == "[":
            yield from read_json_array(texts, name=name, columns=columns, log=log)
        elif first == "{":
            yield from read_json_objects(texts, name=name, columns=columns, log=log)
        else:
            lines = lines_of(texts, name)
            if unless_list is not None:
                before, lines = _first_line(lines)
                if not looks_like_header(before[-1], unless_list):
                    yield from _listed(lines, name, unless_list.required[0])
                    return
            yield from read_delimited(lines, name=name, columns=columns, delimiter=dialect.delimiter, log=log)


def _is_workbook(stream: BinaryIO) -> bool:
    begin = stream.tell()
    head = stream.read(8)
    stream.seek(begin)
    if begin != 0:
        return False
    return head.startswith(OLD_WORKBOOK) or (head.startswith(b"PK\x03\x04") and is_workbook(stream))


def _first_line(lines: Iterator[str]) -> tuple[list[str], Iterator[str]]:
    """The lines up to the first that is not blank, which is the last of them, and all lines again."""
    before: list[str] = []
    for line in lines:
        before.append(line)
        if line.strip():
            break
    return before, chain(before, lines)


def _listed(lines: Iterator[str], name: str, column: str) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if identity(line):
            yield Row(name, number, {column: identity(line)})


def _first_letter(texts: Iterator[str], name: str) -> tuple[Iterator[str], str]:
    """The texts again, and the first character in them that is not blank."""
    looked_at: list[str] = []
    for text in texts:
        looked_at.append(text)
        # A tab may be an empty first column's name, so it is not a blank here.
        letters = text.lstrip(" \r\n")
        if letters:
            return chain(looked_at, texts), letters.lstrip()[:1]
        if len(looked_at) > 8:
            break
    raise bad_file(name, "the file holds nothing but blanks", "check that the right file was chosen")


class _Seekable:
    """A whole stream of which `head` was already read, at its beginning and able to seek."""

    def __init__(self, stream: BinaryIO, head: bytes, name: str) -> None:
        self._stream, self._head, self._name = stream, head, name
        self._copy: BinaryIO | None = None

    def __enter__(self) -> BinaryIO:
        try:
            if self._stream.seekable():
                # A stream that was not at its beginning would be one Parquet file inside another file: not supported.
                self._stream.seek(-len(self._head), 1)
                if self._stream.tell() == 0:
                    return self._stream
                self._stream.seek(len(self._head), 1)
            self._copy = tempfile.TemporaryFile()
            self._copy.write(self._head)
            shutil.copyfileobj(self._stream, self._copy)
            self._copy.seek(0)
        except OSError as error:
            self.__exit__()
            raise bad_file(self._name, f"cannot be read ({error})", "send the file again") from error
        return self._copy

    def __exit__(self, *_: object) -> None:
        if self._copy is not None:
            self._copy.close()
