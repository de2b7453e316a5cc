"""Bundles from outside: a folder or a zip, whose entries are all checked before any is unpacked.

Nothing is ever written under an entry's name; entries are read as streams, never extracted.
"""

import io
import os
import stat
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO

from exchange.bundles.limits import Limits, check_distinct, check_kind, check_limits, checked_name, damage_named
from exchange.bundles.names import comparable, is_by_the_way, safe_name
from exchange.bundles.ziplayout import check_central_directory, check_no_overlap, encodings_of, entry_name, raw_name
from exchange.rejects import bad_file

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Bundle(ABC):
    """The files of a folder or a zip, by safe name. `open_bundle` creates it.

    names  every file (no folders, nothing hidden), in Unicode NFC with forward slashes, sorted
    """

    def __init__(self, name: str, sizes: dict[str, int], raw_names: dict[bytes, str] | None = None) -> None:
        self.name = name
        self.names = tuple(sorted(sizes))
        self._sizes = sizes
        self._by_raw_name = raw_names or {}
        self._by_comparable = {comparable(entry): entry for entry in sizes}

    def find(self, name: str, *, beside: str = "") -> str | None:
        """The entry that a name in a manifest means, or None. Case and Unicode form may differ, and so may the encoding
        of a name in a zip that does not declare it.

        next to  the manifest's own entry name: the name is tried from its folder first, then from the top
        Raises UnsafeName for a name that leads outside.
        """
        asked = safe_name(name)
        folder = beside.rpartition("/")[0]
        for candidate in ([f"{folder}/{asked}"] if folder else []) + [asked]:
            if candidate in self._sizes:
                return candidate
            entry = self._by_comparable.get(comparable(candidate))
            if entry is not None:
                return entry
            meant = {self._by_raw_name[raw] for raw in encodings_of(candidate) if raw in self._by_raw_name}
            if len(meant) == 1:
                return meant.pop()
        return None

    def size(self, entry: str) -> int:
        """Unpacked bytes, as declared; reading stops there."""
        return self._sizes[entry]

    @abstractmethod
    def open(self, entry: str) -> AbstractContextManager[BinaryIO]:
        """A stream over one entry. Raises BadFile where it cannot be read."""

    def read(self, entry: str) -> bytes:
        """A whole entry, at most the limit of an entry. Raises BadFile if it is damaged."""
        with self.open(entry) as stream:
            content = stream.read(self._sizes[entry] + 1)
        if len(content) != self._sizes[entry]:
            raise bad_file(
                self.name, f'"{entry}" has another size than declared', "pack the bundle again", field=entry[:100]
            )
        return content


class _Guarded(io.RawIOBase):
    """A stream over an entry that raises BadFile if the entry turns out to be damaged."""

    def __init__(self, stream: IO[bytes], name: str, entry: str) -> None:
        self._stream, self._name, self._entry = stream, name, entry

    def readable(self) -> bool:
        return True

    def readinto(self, target: "WriteableBuffer") -> int:
        view = memoryview(target).cast("B")
        with damage_named(self._name, self._entry):
            piece = self._stream.read(len(view))
        view[: len(piece)] = piece
        return len(piece)


class _Folder(Bundle):
    def __init__(self, path: Path, name: str, limits: Limits) -> None:
        self._path = path
        self._files: dict[str, Path] = {}
        sizes: dict[str, int] = {}
        total = 0
        for file in _files_under(path, name):
            entry = checked_name(file.relative_to(path).as_posix(), name)
            if is_by_the_way(entry):
                continue
            size = file.stat().st_size
            total += size
            check_limits(name, entry, len(sizes) + 1, size, total, limits)
            sizes[entry] = size
            self._files[entry] = file
        check_distinct(sizes, name)
        super().__init__(name, sizes)

    @contextmanager
    def open(self, entry: str) -> Iterator[BinaryIO]:
        with damage_named(self.name, entry):
            # No link is followed, in case the file has been replaced by one since it was listed.
            descriptor = os.open(self._files[entry], os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as stream, io.BufferedReader(_Guarded(stream, self.name, entry)) as guarded:
            yield guarded


class _Zip(Bundle):
    def __init__(self, archive: zipfile.ZipFile, name: str, limits: Limits) -> None:
        self._archive = archive
        self._infos: dict[str, zipfile.ZipInfo] = {}
        sizes: dict[str, int] = {}
        listed: list[str] = []
        raw_names: dict[bytes, str] = {}
        total = packed = 0
        check_no_overlap(archive, name)
        for info in archive.infolist():
            if info.filename.endswith("/"):
                continue
            entry = checked_name(entry_name(info), name)
            check_kind(info, entry, name)
            total += info.file_size
            packed += info.compress_size
            check_limits(name, entry, len(listed) + 1, info.file_size, total, limits)
            for what, unpacked, small in (
                (f'"{entry}"', info.file_size, info.compress_size),
                ("the archive", total, packed),
            ):
                if unpacked > limits.free_bytes and unpacked > limits.max_ratio * max(small, 1):
                    problem = f"{what} unpacks to {unpacked} bytes from {small}, more than {limits.max_ratio} times"
                    raise bad_file(name, problem, "pack ordinary images and tables only", field=entry[:100])
            listed.append(entry)
            if not is_by_the_way(entry):
                sizes[entry] = info.file_size
                self._infos[entry] = info
                if (raw := raw_name(info)) is not None:
                    raw_names[raw] = entry
        check_distinct(listed, name)
        super().__init__(name, sizes, raw_names)

    @contextmanager
    def open(self, entry: str) -> Iterator[BinaryIO]:
        with damage_named(self.name, entry):
            stream = self._archive.open(self._infos[entry])
        with stream, io.BufferedReader(_Guarded(stream, self.name, entry)) as guarded:
            yield guarded


@contextmanager
def open_bundle(source: Path | BinaryIO, *, name: str = "", limits: Limits | None = None) -> Iterator[Bundle]:
    """A folder (path) or a zip (path or seekable stream), checked as a whole before anything is unpacked.

    name    what the user calls it; by default the path's last part

    Refused with BadFile: entries that would leave the bundle (absolute, "..", drive letters), links and devices, two
    names that differ only in case or Unicode form, encrypted entries, compression other than deflate, overlapping
    entries, and bundles beyond the limits. Hidden files and operating systems' leftovers are skipped.
    """
    limits = limits or Limits()
    called = name or (source.name if isinstance(source, Path) else "bundle")
    if isinstance(source, Path) and source.is_dir():
        yield _Folder(source, called, limits)
        return
    try:
        stream: BinaryIO = source.open("rb") if isinstance(source, Path) else source
    except OSError as error:
        raise bad_file(called, f"cannot be opened ({error.strerror})", "check the path") from error
    try:
        check_central_directory(stream, called, limits.max_entries)
        try:
            archive = zipfile.ZipFile(stream)
        except Exception as error:  # damaged directories cause many kinds of errors
            raise bad_file(called, f"the zip cannot be read ({error})", "pack it again and send it whole") from error
        with archive:
            yield _Zip(archive, called, limits)
    finally:
        if isinstance(source, Path):
            stream.close()


def _files_under(path: Path, name: str) -> Iterator[Path]:
    """Every regular file, sorted by folder; raises BadFile at links and devices."""
    try:
        for folder, folders, files in os.walk(path, followlinks=False, onerror=_raise):
            folders.sort()
            for part in sorted(files) + folders:
                full = Path(folder) / part
                mode = full.lstat().st_mode
                if stat.S_ISREG(mode):
                    yield full
                elif not stat.S_ISDIR(mode):
                    shown = full.relative_to(path).as_posix()
                    what = "a link" if stat.S_ISLNK(mode) else "no regular file"
                    raise bad_file(name, f'"{shown}" is {what}', "put the file itself there", value=shown)
    except OSError as error:
        raise bad_file(name, f"the folder cannot be read ({error.strerror})", "check its permissions") from error


def _raise(error: OSError) -> None:
    raise error
