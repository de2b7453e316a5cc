"""Keeps a lease alive while the work goes on, and tells the work to end when it is no longer wanted."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from django.db import DatabaseError, InterfaceError, connection

from generation.recipes.requests import Stopped
from generation.services.runs.claiming import lease

logger = logging.getLogger(__name__)
RENEWALS_IN_A_LEASE = 4


class Pulse:
    """Around leased work: renews the lease from a thread of its own, because a single call may outlast it.

    renew  prolongs the lease; False when the work is no longer ours or no longer wanted
    name   for the log and the thread

    A database that does not answer is asked again until the lease is over: then another worker may have the steps.
    """

    def __init__(self, renew: Callable[[], bool], *, name: str) -> None:
        self._renew, self._name = renew, name
        self._ended = threading.Event()
        self._unwanted = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"pulse-{name}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def on_step(self, done: int, total: int) -> None:
        """For engines to call between their steps. Raises Stopped when the work is no longer ours to do."""
        if self._unwanted.is_set():
            raise Stopped

    def _beat(self) -> None:
        pause_s = lease().total_seconds() / RENEWALS_IN_A_LEASE
        n_missed = 0
        try:
            while not self._ended.wait(pause_s):
                try:
                    is_ours = self._renew()
                    n_missed = 0
                except (DatabaseError, InterfaceError):
                    logger.warning("The database does not answer; the lease of %s is not renewed", self._name)
                    connection.close()
                    n_missed += 1
                    is_ours = n_missed < RENEWALS_IN_A_LEASE
                if not is_ours:
                    self._unwanted.set()
                    return
        finally:
            connection.close()
