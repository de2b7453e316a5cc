"""What a bundle may hold: the checks that every entry passes before any is unpacked."""

import stat
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from exchange.bundles.names import UnsafeName, comparable, safe_name
from exchange.rejects import BadFile, bad_file

_MB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What a bundle may hold. The ratio is checked only beyond `free_bytes`, since small texts compress well."""

    max_entries: int = 200_000
    max_total_bytes: int = 20 * 1024 * _MB
    max_entry_bytes: int = 256 * _MB
    max_ratio: int = 100
    free_bytes: int = 4 * _MB


def checked_name(entry: str, name: str) -> str:
    """`safe_name` for an entry of the bundle `name`; raises BadFile where it must not be followed."""
    try:
        return safe_name(entry)
    except UnsafeName as error:
        raise bad_file(
            name, f"an entry must not be followed: {error}", "pack the bundle with plain relative names", value=entry
        ) from error


def check_kind(info: zipfile.ZipInfo, entry: str, name: str) -> None:
    """Raises BadFile for links, devices, encrypted entries and compression other than deflate."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        what = "a link" if kind == stat.S_IFLNK else "no regular file"
        raise bad_file(name, f'"{entry}" is {what}', "put the file itself into the zip", value=entry)
    if info.flag_bits & 0x41:
        raise bad_file(name, f'"{entry}" is encrypted', "pack the zip without a password", value=entry)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        problem = f'"{entry}" is packed by a method that is not read here (number {info.compress_type})'
        raise bad_file(name, problem, "pack the zip with ordinary compression (deflate)", value=entry)


def check_limits(name: str, entry: str, n_entries: int, size: int, total: int, limits: Limits) -> None:
    """Raises BadFile if the entry, or all entries up to it, exceed `limits`."""
    if n_entries > limits.max_entries:
        raise bad_file(name, f"there are more than {limits.max_entries} entries", "split the bundle")
    if size > limits.max_entry_bytes:
        problem = f'"{entry}" has {size} bytes, more than {limits.max_entry_bytes}'
        raise bad_file(name, problem, "split or shrink the file", value=entry)
    if total > limits.max_total_bytes:
        raise bad_file(name, f"the files have more than {limits.max_total_bytes} bytes in all", "split the bundle")


def check_distinct(entries: Iterable[str], name: str) -> None:
    """Raises BadFile if two names are the same, or differ only in case or Unicode form."""
    seen: dict[str, str] = {}
    for entry in entries:
        other = seen.setdefault(comparable(entry), entry)
        if other is not entry:
            same = "twice" if other == entry else f'and as "{other}"'
            raise bad_file(
                name,
                f'"{entry}" is there {same}; upper and lower case do not distinguish files everywhere',
                "give each file a name of its own",
                value=entry,
            )


@contextmanager
def damage_named(name: str, entry: str) -> Iterator[None]:
    """Turns any error from reading a damaged entry into BadFile."""
    try:
        yield
    except BadFile:
        raise
    except Exception as error:  # zlib, struct, zipfile and the file system each raise their own errors
        reason = (str(error).splitlines() or [""])[0][:200] or type(error).__name__
        raise bad_file(name, f'"{entry}" cannot be read ({reason})', "pack the bundle again", value=entry) from error
