"""One short write after another on SQLite, in the order of arrival."""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

_here = threading.Lock()


@contextmanager
def write_turn() -> Iterator[None]:
    """Wait for this process's and this machine's turn to write; on a server database, and in memory, go straight on.

    SQLite has one writer. Those who wait for it sleep for growing spells and look again, so with many raters the
    database idles while everybody sleeps, and the unlucky sleep longest. A lock that the kernel hands on wakes the
    next one at once. It speeds things up and protects nothing: SQLite's own lock does that, and writers that take no
    turn only make the next one wait.
    """
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or ":memory:" in name or "mode=memory" in name or connection.in_atomic_block:
        yield
        return
    with _here, Path(f"{name}.turn").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file gives the lock back
