"""How a zip is laid out on disk: checks that have to precede or supplement those of `zipfile`.

Source of the structures: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.14–4.3.16 and 4.4.4.
"""

import struct
import zipfile
from contextlib import suppress
from typing import BinaryIO

from exchange.rejects import bad_file

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_LOCAL_HEADER_BYTES = 30
_DIRECTORY_ENTRY_BYTES = 46
_MAX_COMMENT = 65_535
_MAX_BYTES_PER_ENTRY = 1_024
"""Room for an entry's name and extra fields in the directory; the fixed part has _DIRECTORY_ENTRY_BYTES."""
_UTF8_FLAG = 0x800


def check_central_directory(stream: BinaryIO, name: str, max_entries: int) -> None:
    """Raises BadFile if the list of entries is missing or too long, before it is read into memory."""
    try:
        size = stream.seek(0, 2)
        tail_at = max(0, size - _END.size - _MAX_COMMENT)
        stream.seek(tail_at)
        tail = stream.read()
    except OSError as error:
        raise bad_file(name, f"cannot be read ({error})", "send the file again") from error
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        what = "is cut short" if tail.startswith(b"PK\x03\x04") or _begins_as_zip(stream) else "is neither a zip"
        problem = f"the file {what}" + ("" if "cut" in what else " nor a folder")
        raise bad_file(name, problem, "send a whole zip, or give the path of a folder")
    _, _, _, _, n_entries, n_bytes, _, _ = _END.unpack_from(tail, at)
    if n_entries == 0xFFFF or n_bytes == 0xFFFFFFFF:
        n_entries, n_bytes = _zip64_counts(stream, tail_at + at) or (n_entries, n_bytes)
    if n_bytes > tail_at + at or n_entries * _DIRECTORY_ENTRY_BYTES > n_bytes:
        problem = f"the zip's directory is damaged: it would have {n_entries} entries in {n_bytes} bytes"
        raise bad_file(name, problem, "pack it again and send it whole")
    if n_entries > max_entries or n_bytes > max_entries * _MAX_BYTES_PER_ENTRY:
        raise bad_file(name, f"there are {n_entries} entries, more than {max_entries}", "split the bundle")


def _begins_as_zip(stream: BinaryIO) -> bool:
    stream.seek(0)
    return stream.read(4) == b"PK\x03\x04"


def _zip64_counts(stream: BinaryIO, end_at: int) -> tuple[int, int] | None:
    """(entries, bytes of the directory) from the zip64 record, None if there is none."""
    if end_at < _LOCATOR_64.size:
        return None
    stream.seek(end_at - _LOCATOR_64.size)
    signature, _, record_at, _ = _LOCATOR_64.unpack(stream.read(_LOCATOR_64.size))
    if signature != b"PK\x06\x07" or record_at > end_at:
        return None
    stream.seek(record_at)
    record = stream.read(_END_64.size)
    if len(record) < _END_64.size or not record.startswith(b"PK\x06\x06"):
        return None
    fields = _END_64.unpack(record)
    return fields[7], fields[8]


def check_no_overlap(archive: zipfile.ZipFile, name: str) -> None:
    """Raises BadFile if two entries share bytes, the trick of archives that unpack to petabytes.

    Source: D. Fifield, "A better zip bomb", WOOT 2019.
    """
    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    begins = [*(info.header_offset for info in infos), archive.start_dir]
    for info, following in zip(infos, begins[1:], strict=True):
        if info.header_offset + _LOCAL_HEADER_BYTES + info.compress_size > following:
            problem = f'the entry "{info.filename}" overlaps with what follows it'
            raise bad_file(name, problem, "pack the zip again with an ordinary program", value=info.filename)


def raw_name(info: zipfile.ZipInfo) -> bytes | None:
    """The bytes of a name whose encoding matters and is not declared by the zip; None for any other name."""
    if info.flag_bits & _UTF8_FLAG or info.orig_filename.isascii():
        return None
    with suppress(UnicodeEncodeError):
        return info.orig_filename.encode("cp437")
    return None


def encodings_of(name: str) -> set[bytes]:
    """Encodings in which programs of some countries may have packed a name without declaring it."""
    found = set()
    for codec in _CODECS:
        with suppress(UnicodeEncodeError):
            found.add(name.encode(codec))
    return found


_CODECS = (
    *("cp932", "gb18030", "big5", "cp949"),
    *("cp437", "cp850", "cp852", "cp866", "cp1250", "cp1251", "cp1252", "cp1253"),
)


def entry_name(info: zipfile.ZipInfo) -> str:
    """The name as it was packed. Some programs write UTF-8 without declaring it: what decodes as UTF-8 is UTF-8."""
    original = info.orig_filename
    if info.flag_bits & _UTF8_FLAG:
        return original
    try:
        return original.encode("cp437").decode("utf-8")
    except UnicodeError:
        return original
