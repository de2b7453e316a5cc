"""The default broker: kombu's file system transport, with files that are either complete or absent.

kombu 5.7 writes a message, and the table of an exchange, under its final name, where readers find it half-written
(celery/kombu#1551). It parses whatever it finds, and an error there ends the worker. Here every file appears at once,
and one that cannot be read is set aside with a line in the log. A lost message does no harm: messages are hints, the
database is the truth (docs/decisions/0002-embedded-broker.md).
"""

import fcntl
import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.transport.filesystem import exchange_queue_t
from kombu.utils.json import dumps, loads

from evalsite.background.whole_files import Unreadable, read_whole, remove_leftovers, set_aside, write_whole

logger = logging.getLogger(__name__)


def use_for_filesystem_urls() -> None:
    """Make `filesystem://` mean this transport in this process."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"


class Channel(filesystem.Channel):
    bindings_checked_every_s: float = 1

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bindings: set[tuple[str, exchange_queue_t]] = set()
        self._bindings_checked_at = time.monotonic()
        for folder in (self._inbox, self.control_folder):
            remove_leftovers(folder)

    # --- messages ----------------------------------------------------------------------------------------------------
    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        path = Path(self.data_folder_out) / f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        try:
            write_whole(path, dumps(payload))
        except OSError as error:
            raise ChannelError(f"Cannot add a message to {path.parent}: {error.strerror}") from error

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        """Take the oldest message of a queue that can be read. Raises Empty."""
        self._keep_bindings()
        for path in self._waiting(queue):
            taken = path.with_name(f".{path.name}.taken")
            try:
                path.rename(taken)
            except OSError:
                continue  # another worker was faster
            try:
                return read_whole(taken, self._as_message)
            except (FileNotFoundError, Unreadable) as problem:
                self._reject(taken, "message", path.name, problem)
            finally:
                with suppress(OSError):
                    taken.unlink()
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        waiting = self._waiting(queue)
        for path in waiting:
            with suppress(OSError):
                path.unlink()
        return len(waiting)

    @property
    def _inbox(self) -> Path:
        return Path(self.data_folder_in)

    def _waiting(self, queue: str) -> list[Path]:
        """The files of a queue's messages, the oldest first."""
        try:
            return sorted(path for path in self._inbox.iterdir() if path.name.partition(".")[2] == f"{queue}.msg")
        except OSError:
            return []  # the next message makes the folder

    def _as_message(self, text: bytes) -> dict[str, Any]:
        """A message's parts. Raises an error for a message on which Celery's consumer would fail."""
        payload = loads(text)
        message = self.Message(payload, channel=self)
        headers, body = message.headers, message.decode()
        texts = [message.delivery_tag, message.delivery_info["exchange"], message.delivery_info["routing_key"]]
        if "task" in headers:
            texts += [headers["task"], headers["id"]]
            has_body = isinstance(body, list) and len(body) == 3
        else:  # a control command, its reply or an event
            has_body = isinstance(body, dict) and "task" not in body
        if not has_body or not all(isinstance(text, str) for text in texts):
            raise Unreadable("it is not a message of Celery")
        return payload

    def _reject(self, path: Path, what: str, name: str, problem: Exception) -> None:
        place = set_aside(path, self._inbox.parent / "unreadable", name) or "lost"
        logger.warning("Skipped an unreadable %s, %s (%s); it is now %s", what, name, problem, place)

    # --- exchanges ---------------------------------------------------------------------------------------------------
    def get_table(self, exchange: str) -> list[exchange_queue_t]:  # type: ignore[override]
        path = self._table(exchange)
        try:
            return read_whole(path, _as_table)
        except FileNotFoundError:
            return []
        except Unreadable:
            with self._changing_tables():
                return self._table_or_nothing(path)

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str) -> None:
        binding = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self._bindings.add((exchange, binding))
        path = self._table(exchange)
        with self._changing_tables():
            table = self._table_or_nothing(path)
            if binding not in table:
                write_whole(path, dumps([binding, *table]))

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any) -> None:
        self._purge(queue)
        binding = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self._bindings.discard((exchange, binding))
        path = self._table(exchange)
        with self._changing_tables():
            table = self._table_or_nothing(path)
            if binding in table:
                write_whole(path, dumps([other for other in table if other != binding]))

    def _table(self, exchange: str) -> Path:
        return Path(self._exchange_file(exchange))  # type: ignore[attr-defined]

    def _table_or_nothing(self, path: Path) -> list[exchange_queue_t]:
        try:
            return read_whole(path, _as_table)
        except FileNotFoundError:
            pass
        except Unreadable as problem:
            self._reject(path, "table of an exchange", path.name, problem)
        return []

    def _keep_bindings(self) -> None:
        """Restore this process's bindings if the table was lost, so that a worker still receives broadcast messages."""
        if time.monotonic() < self._bindings_checked_at + self.bindings_checked_every_s:
            return
        self._bindings_checked_at = time.monotonic()
        with suppress(ChannelError):  # a full disk: again in a second, as tasks come without any table
            for exchange, binding in list(self._bindings):
                if binding not in self.get_table(exchange):
                    self._queue_bind(exchange, *binding)

    @contextmanager
    def _changing_tables(self) -> Iterator[None]:
        """A change to a table reads it first: one at a time. Raises ChannelError if the folder is not usable."""
        try:
            self.control_folder.mkdir(parents=True, exist_ok=True)
            with (self.control_folder / "lock").open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield  # closing the file releases the lock
        except OSError as error:
            raise ChannelError(f"Cannot use {self.control_folder}: {error.strerror}") from error


class Transport(filesystem.Transport):
    Channel = Channel


def _as_table(text: bytes) -> list[exchange_queue_t]:
    rows = loads(text)
    table = [exchange_queue_t(*row) for row in rows]
    if not isinstance(rows, list) or not all(isinstance(part, str) for row in table for part in row):
        raise Unreadable("it is not a table of bindings")
    return table
