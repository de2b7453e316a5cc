"""The port that `manage.py serve` listens on, and a note by which a successor learns that it is about to be free.

The note is a file in the data folder, locked for as long as its site runs: its writer is alive exactly if it is
locked, however that process ended. Its text says whether the site is stopping.
"""

import errno
import fcntl
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

PORTS_TRIED = 20
STOPPING = "stopping"
PATIENCE_S = 40
"""How long to wait for a site that is stopping. Its workers may take 15 s to end, and then its web server as long."""
LAST_CLOSING_S = 1
"""How long what a stopped site has killed may take to close the socket, once the site itself is gone."""
POLL_S = 0.05


class NoPort(Exception):
    """There is no port to listen on; the message says why."""


def listen(
    host: str, wanted: int, *, notes: Path, say: Callable[[str], object], patience_s: float = PATIENCE_S
) -> socket.socket:
    """A listening socket on the wanted port, or on the next free one.

    If the wanted port belongs to a site of this data folder that is stopping, its end is awaited: a site that is
    restarted keeps its address. Connections that linger in TIME_WAIT do not matter.

    notes       the data folder
    say         prints one line, when something takes time or the port is another one
    patience_s  the longest wait for a site that is stopping
    Raises NoPort if no port can be listened on.
    """
    for port in range(wanted, min(wanted + PORTS_TRIED, 65_536)):
        listener = _bound(host, port)
        if listener is None and port == wanted and _is_stopping(_note(notes, port)):
            say(f"==> The site on port {port} is still stopping; waiting for it")
            listener = _bound_after(host, port, notes, patience_s)
        if listener is not None:
            if port != wanted:
                say(f"==> Port {wanted} is taken; using {port}")
            return listener
    raise NoPort(f"Ports {wanted} to {port} are all taken: choose another with --port or EVALSITE_PORT.")


@contextmanager
def noted(port: int, *, notes: Path) -> Iterator[Callable[[], None]]:
    """Within this block a note says that this process's site has the port. Gives the function that notes its stopping.

    The socket is closed after the block, so that the next site on the port finds no note and can leave its own.
    Without a note, as on a full disk, a successor takes the next port: nothing else depends on it.
    """
    path = _note(notes, port)
    note = _locked(path)
    if note is None:
        yield lambda: None
        return

    def stopping() -> None:
        with suppress(OSError):
            note.write(STOPPING)
            note.flush()

    with note:  # closing it releases the lock
        try:
            yield stopping
        finally:
            path.unlink(missing_ok=True)


def _bound(host: str, port: int) -> socket.socket | None:
    """None: the port is taken."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise NoPort(f"Cannot listen on {host}, port {port}: {error.strerror}.") from error
    return listener


def _bound_after(host: str, port: int, notes: Path, patience_s: float) -> socket.socket | None:
    """The socket when the site that is stopping is gone; None if it takes too long or another one has come first."""
    give_up_at = time.monotonic() + patience_s
    while _is_stopping(_note(notes, port)) and time.monotonic() < give_up_at:
        time.sleep(POLL_S)
    give_up_at = min(give_up_at, time.monotonic() + LAST_CLOSING_S)
    while (listener := _bound(host, port)) is None and time.monotonic() < give_up_at:
        time.sleep(POLL_S)
    return listener


def _note(notes: Path, port: int) -> Path:
    return notes / f"serve-{port}.lock"


def _locked(path: Path) -> IO[str] | None:
    """The note, empty and locked; None if it cannot be written, or is a site's on another address of this machine."""
    try:
        note = path.open("a")
    except OSError:
        return None
    try:
        fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
        note.truncate(0)  # what a killed site left there
    except OSError:
        note.close()
        return None
    return note


def _is_stopping(note: Path) -> bool:
    try:
        with note.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read() == STOPPING
    except OSError:
        pass  # there is no note
    return False
