"""The worker's pool of processes, which ends the worker if a dead process has blocked its successors."""

import logging
import os
import signal
from typing import Any

from billiard.pool import Pool
from celery.concurrency.prefork import TaskPool as CeleryTaskPool

logger = logging.getLogger(__name__)
LOCK_PATIENCE_S = 2.0
"""How long another process may hold a lock of the pipes for a message; only a dead one or an idle one takes longer."""
BLOCKED = 1  # exit status


class WatchedPool(Pool):
    """Processes that share one pipe for tasks and one for results, each under a lock that one process holds at a time.

    A process that is killed while it waits for a task holds the lock for ever. Its successor, and the queue, would wait
    for ever too.
    """

    _pool: list[Any]
    _inqueue: Any
    _outqueue: Any

    def _join_exited_workers(self, shutdown: bool = False) -> list[int]:
        exit_codes: list[int] = super()._join_exited_workers(shutdown)  # type: ignore[misc]  # private: not in the stubs
        if not shutdown and any(code < 0 for code in exit_codes if code) and self._is_blocked():
            logger.error("A process was killed that held a lock of its pool: this worker ends, to be started again.")
            for process in self._pool:
                os.kill(process.pid, signal.SIGKILL)
            os._exit(BLOCKED)  # an orderly end would wait for the same lock
        return exit_codes

    def _is_blocked(self) -> bool:
        """Whether a lock stays taken. An idle process holds one as well, so this is wrong if several share the pool."""
        for lock in (self._inqueue._rlock, self._outqueue._wlock):
            if not lock.acquire(timeout=LOCK_PATIENCE_S):
                return True
            lock.release()
        return False


class TaskPool(CeleryTaskPool):
    """Like Celery's; with a broker without sockets (the folder), its processes share their pipes."""

    BlockingPool: Any = WatchedPool
