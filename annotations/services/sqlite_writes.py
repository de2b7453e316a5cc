"""Short writes on SQLite: one after another in the order of arrival, and on disk before they are acknowledged."""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.db import OperationalError, connection

LOG_PATIENCE_S = 2.0
_here = threading.Lock()


@contextmanager
def write_turn() -> Iterator[None]:
    """Wrap it around a transaction: it waits for the turn to write, and afterwards until the write is on disk, together
    with others.

    On a server database, in memory, and inside a transaction that somebody else will commit, it does nothing.

    The turn. SQLite has one writer, and waiting writers sleep for growing intervals and try again: with many raters the
    database is idle while all of them sleep. A lock that the kernel passes on wakes the next writer at once. The lock
    protects nothing (SQLite's own lock does); writers that take no turn only make the next one wait. The connection's
    time-out covers both waits together: while something else holds the file, queued writers give up one after another
    without waiting again, and OperationalError is raised.

    The disk. Waiting for the disk inside the turn would let only one answer through per flush. So the commit does not
    wait (synchronous = NORMAL: the write-ahead log is written, not yet flushed) and the flush comes after the turn,
    once for all who have committed by then. When this returns, the log up to our commit is on the disk, or a checkpoint
    has already put it into the database file, which flushes both itself.
    """
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or ":memory:" in name or "mode=memory" in name or connection.in_atomic_block:
        yield
        return
    patience_s = float(connection.settings_dict["OPTIONS"].get("timeout", 5))
    give_up_at = time.monotonic() + patience_s
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=NORMAL")
        try:
            with _turn(Path(f"{name}.turn"), patience_s):
                left_s = give_up_at - time.monotonic()
                if left_s <= 0:
                    raise OperationalError("database is locked: others waited for it before us")
                cursor.execute(f"PRAGMA busy_timeout={1 + int(left_s * 1000)}")
                yield
        finally:
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute(f"PRAGMA busy_timeout={int(patience_s * 1000)}")
    _disk.flush(Path(f"{name}-wal"))


def empty_log(*, patience_s: float = LOG_PATIENCE_S) -> bool:
    """After an erasure: move the write-ahead log into the database file and empty it, so that no old page stays in it.

    The file itself has no trace by then: `secure_delete` overwrites what is deleted. Returns whether it could be done;
    if somebody reads or writes for longer than `patience_s`, the next call does it. On other databases, in memory and
    inside a transaction there is nothing to do.
    """
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or ":memory:" in name or "mode=memory" in name or connection.in_atomic_block:
        return True
    usual_s = float(connection.settings_dict["OPTIONS"].get("timeout", 5))
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout={int(patience_s * 1000)}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return bool(cursor.fetchone()[0] == 0)
        except OperationalError:
            return False
        finally:
            cursor.execute(f"PRAGMA busy_timeout={int(usual_s * 1000)}")


@contextmanager
def _turn(path: Path, patience_s: float) -> Iterator[None]:
    """One writer at a time, first among this process's threads. A holder gives up after its time-out, so the wait
    ends."""
    if not _here.acquire(timeout=patience_s):
        raise OperationalError("database is locked: no turn to write")
    try:
        with path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield  # closing the file releases the lock
    finally:
        _here.release()


class _Disk:
    """Flushes a file for many threads at once: each waits for a flush that began after its arrival."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._begun = self._ended = 0
        self._is_running = False
        self._known_folders: set[Path] = set()

    def flush(self, path: Path) -> None:
        with self._turn:
            enough = self._begun + 1  # one that is running now may have begun before our commit
            while self._ended < enough:
                if not self._is_running:
                    self._is_running, self._begun = True, self._begun + 1
                    break
                self._turn.wait()
            else:
                return
        try:
            self._flush(path)
        except BaseException:
            with self._turn:
                self._begun -= 1  # nobody may rely on it: the next in line tries for itself
                self._is_running = False
                self._turn.notify_all()
            raise
        with self._turn:
            self._ended, self._is_running = self._begun, False
            self._turn.notify_all()

    def _flush(self, path: Path) -> None:
        try:
            file = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return  # the last connection to close has moved the log into the database file, flushed
        try:
            _sync(file)
        finally:
            os.close(file)
        if path.parent not in self._known_folders:  # a new log's name must survive as well
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
            self._known_folders.add(path.parent)


def _sync(file: int) -> None:
    """Wait until a file's content is on disk.

    Python on macOS has no fdatasync, and fsync there stops at the drive's own cache: F_FULLFSYNC goes on to the disk,
    on file systems that know it.
    """
    if hasattr(fcntl, "F_FULLFSYNC"):
        with suppress(OSError):
            fcntl.fcntl(file, fcntl.F_FULLFSYNC)
            return
    getattr(os, "fdatasync", os.fsync)(file)


_disk = _Disk()
