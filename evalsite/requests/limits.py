"""Rate limits: fixed windows of time, counted by name in a small file of their own.

The file is separate from the site's database, so that counting never makes a rater wait, and shared by all web server
processes of a machine. If it is lost, only the counts of the last minutes are lost.
"""

import hashlib
import logging
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)
FILE_NAME = "limits.sqlite3"
WAIT_S = 2.0


@dataclass(frozen=True)
class Limit:
    """At most `most` times in `seconds` for each person or address."""

    name: str
    most: int
    seconds: int


@dataclass(frozen=True)
class Spent:
    """What is left of a limit in the present window, and how many seconds that window lasts."""

    most: int
    left: int
    seconds: int
    is_over: bool


def seconds_to_wait(limit: Limit, whom: str) -> int:
    """Count one more call; returns 0 while within the limit, otherwise how long the present window lasts."""
    spent = spend(limit, whom)
    return spent.seconds if spent.is_over else 0


def spend(limit: Limit, whom: str) -> Spent:
    """Count one more time.

    `whom` is stored only as a digest. If the file cannot be used, everything is allowed and the log says so.
    """
    now = int(time.time())
    ends_at = (now // limit.seconds + 1) * limit.seconds
    key = hashlib.sha256(f"{limit.name}:{limit.seconds}:{ends_at}:{whom}".encode()).hexdigest()
    try:
        n = _count(Path(settings.DATA_DIR) / FILE_NAME, key, ends_at, now)
    except (sqlite3.Error, OSError):
        logger.exception("Nothing could be counted against the limit of %s", limit.name)
        n = 0
    return Spent(limit.most, max(0, limit.most - n), ends_at - now, n > limit.most)


def _count(path: Path, key: str, ends_at: int, now: int) -> int:
    file = sqlite3.connect(path, timeout=WAIT_S, isolation_level=None)
    try:
        # Nothing here has to outlive a power cut; a process that is killed still leaves the file whole.
        file.execute("PRAGMA synchronous=OFF")
        file.execute("BEGIN IMMEDIATE")
        file.execute("CREATE TABLE IF NOT EXISTS counts (key TEXT PRIMARY KEY, ends_at INTEGER, n INTEGER)")
        file.execute("DELETE FROM counts WHERE ends_at <= ?", (now,))
        file.execute(
            "INSERT INTO counts VALUES (?, ?, 1) ON CONFLICT (key) DO UPDATE SET n = n + 1",
            (key, ends_at),
        )
        (n,) = file.execute("SELECT n FROM counts WHERE key = ?", (key,)).fetchone()
        file.execute("COMMIT")
        return int(n)
    finally:
        file.close()
