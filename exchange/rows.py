"""Rows of a table from outside, whatever its format, which is told by content and never by the file's name."""

import shutil
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from .delimited import read_delimited
from .headers import Columns
from .jsontext import read_json_array, read_json_lines
from .parquet import read_parquet
from .rejects import RejectLog, bad_file
from .row import Row
from .text import byte_chunks, lines_of, opened, text_chunks

_PARQUET = b"PAR1"


def read_rows(source: Path | BinaryIO, *, name: str, columns: Columns | None = None, log: RejectLog) -> Iterator[Row]:
    """The rows of a table, one at a time, in memory that does not grow with the file.

    source   a path, or a binary stream read from where it stands (only Parquet needs it to be seekable, and a stream
             that is not is copied to a temporary file)
    name     what the user calls the file; it is in every report
    columns  which columns are needed and what else they may be called; None: whatever is there
    log      takes the rows that are refused; the good ones go on

    Raises BadFile (while being iterated, perhaps after good rows) where the file as a whole cannot be taken.
    """
    with opened(source, name) as stream:
        chunks = byte_chunks(stream, name)
        head = next(chunks)
        if head.startswith(_PARQUET):
            with _Seekable(stream, head, name) as whole:
                yield from read_parquet(whole, name=name, columns=columns, log=log)
            return
        texts = text_chunks(chain([head], chunks), name)
        texts, first = _first_letter(texts, name)
        if first == "[":
            yield from read_json_array(texts, name=name, columns=columns, log=log)
        elif first == "{":
            yield from read_json_lines(lines_of(texts, name), name=name, columns=columns, log=log)
        else:
            yield from read_delimited(lines_of(texts, name), name=name, columns=columns, log=log)


def _first_letter(texts: Iterator[str], name: str) -> tuple[Iterator[str], str]:
    """The texts again, and the first character in them that is not blank."""
    looked_at: list[str] = []
    for text in texts:
        looked_at.append(text)
        # A tab may be an empty first column's name, so it is no blank here.
        letters = text.lstrip(" \r\n")
        if letters:
            return chain(looked_at, texts), letters.lstrip()[:1]
        if len(looked_at) > 8:
            break
    raise bad_file(name, "the file holds nothing but blanks", "check that the right file was chosen")


class _Seekable:
    """The whole of a stream of which `head` was read already, from its beginning and able to seek."""

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
