"""A full disk: recognising its errors, and checking whether space is running out."""

import errno
import shutil

from django.conf import settings
from django.db import DatabaseError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_DATABASE_FULL = ("database or disk is full", "no space left on device")
# Less than a few images and their rows take.
LEAST_ROOM_BYTES = 16 * 2**20


def is_full(error: BaseException) -> bool:
    """Whether an error says that there is no space left, for files or in the database."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return isinstance(error, DatabaseError) and any(words in str(error).lower() for words in _DATABASE_FULL)


def is_short_of_room(least_bytes: int = LEAST_ROOM_BYTES) -> bool:
    """Whether the data folder's disk, which has the files and a SQLite database, has less room than `least_bytes`."""
    return shutil.disk_usage(settings.DATA_DIR).free < least_bytes
