"""The clock of periodic work: Celery's beat, which does the work itself instead of sending messages."""

import logging
import time

from celery.beat import Scheduler
from django.db import close_old_connections

logger = logging.getLogger(__name__)


class Clock(Scheduler):
    """Runs each periodic task at the start and then in its interval (seconds), in beat's own process.

    Such a task takes a few queries. As a message it would wait behind an import of an hour, at the very time when it
    should notice that another worker has died. Nothing is kept between two starts, so no file can be damaged, and the
    machine's time may be changed.
    """

    _is_closed = False

    def setup_schedule(self) -> None:
        self._due_at: dict[str, float] = dict.fromkeys(self.app.conf.beat_schedule, time.monotonic())

    def tick(self) -> float:  # type: ignore[override]
        """Run the tasks that are due; returns the seconds until the next one."""
        if self._is_closed:
            raise SystemExit
        for name, entry in self.app.conf.beat_schedule.items():
            if self._due_at[name] <= time.monotonic():
                self._run(entry["task"])
                self._due_at[name] = time.monotonic() + entry["schedule"]
        return max(0.0, min(self._due_at.values()) - time.monotonic())

    def close(self) -> None:
        """Called by beat's signal handler, whose SystemExit may get lost in the task that it interrupts."""
        self._is_closed = True
        super().close()

    def _run(self, task: str) -> None:
        close_old_connections()
        try:
            self.app.tasks[task]()
        except Exception:
            logger.exception("%s failed; it runs again when it is next due", task)
        finally:
            close_old_connections()
