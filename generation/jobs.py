"""Jobs: rows that a worker carries out under a lease, so that another takes over where one dies.

The rules, for imports, the planning of runs, their steps, reproductions and reports alike:

1. A worker takes a row by one conditional update, which writes a new claim into it. Of several, one wins.
2. The row is the worker's until `lease_until`. A `Pulse` renews it while the work goes on.
3. When the lease is over, anybody may take the row. Its former holder finds the claim gone and writes nothing.
4. A message is only a hint. If the broker does not answer, the row waits, and a periodic task sends it again.
5. A row that has outlived MOST_TRIES workers fails.

Assignments and audits, which people hold, have leases of their own kind: they count places and need no claim.
"""

import logging
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, models
from django.db.models import F, Q, QuerySet
from django.utils import timezone

if TYPE_CHECKING:
    from celery import Task

logger = logging.getLogger(__name__)
MOST_TRIES = 6
RENEWALS_IN_A_LEASE = 4


AnyRow = TypeVar("AnyRow", bound=models.Model)


def locked(rows: QuerySet[AnyRow]) -> QuerySet[AnyRow]:
    """Lock the rows, leaving out what another transaction holds. SQLite has one writer and needs no row locks."""
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True, of=("self",))
    return rows


class LeaseLost(Exception):
    """This worker no longer holds the job, so its result must not be written."""


class Leased(models.Model):
    """A row that a worker carries out. What is in the state AT_WORK belongs to the worker that has its claim."""

    AT_WORK: ClassVar[str] = "running"

    claim = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    n_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        abstract = True

    @classmethod
    def held(cls, claim: str) -> QuerySet[Self]:
        """The rows that are still held under this claim: a worker that takes one over changes it."""
        return cls._default_manager.filter(claim=claim, state=cls.AT_WORK).exclude(claim="")

    @classmethod
    def overdue(cls, now: datetime) -> QuerySet[Self]:
        """Rows at work whose lease is over."""
        return cls._default_manager.filter(expired(now), state=cls.AT_WORK)


_Job = TypeVar("_Job", bound=Leased)


def lease() -> timedelta:
    """How long a worker holds a job without a sign of life: EVALSITE_LEASE_SECONDS."""
    return timedelta(seconds=settings.GENERATION_LEASE_SECONDS)


def expired(now: datetime) -> Q:
    """No lease, or one that is over. Only together with a state: a row that has ended has none either."""
    return Q(lease_until=None) | Q(lease_until__lt=now)


def take(rows: QuerySet[_Job], *, now: datetime, holds: timedelta | None = None, **fields: Any) -> str | None:
    """Take all of these rows by one conditional update; their claim, or None where none of them is free any more.

    rows    those that are free, by a condition that the database checks again as it updates
    holds   the length of the lease where it is not `lease()`
    fields  what else is written: the time of the beginning, an empty message
    """
    claim = secrets.token_hex(16)
    held = {"state": rows.model.AT_WORK, "claim": claim, "lease_until": now + (holds or lease())}
    return claim if rows.update(**held, n_tries=F("n_tries") + 1, **fields) else None


def renew(rows: QuerySet[_Job], *, now: datetime | None = None, holds: timedelta | None = None) -> bool:
    """Keep the held rows; False when none is ours any more."""
    return bool(rows.update(lease_until=(now or timezone.now()) + (holds or lease())))


def load_celery_app() -> None:
    """For modules with tasks: later messages are sent by the application that the settings name.

    It is loaded there and not by every command, since Celery takes as long to load as Django.
    """
    import_module(settings.BACKGROUND_MODULE)


def send_or_wait(task: "Task[Any, Any]", *args: object, waits: str, **options: Any) -> bool:
    """Send the message of a job after which a row waits; False when the broker does not answer.

    Nothing is lost then: the row waits, and the periodic task that looks for such rows sends it again. It is not
    tried again here, because the person who asked is waiting for an answer.

    waits    for the log: what waits, such as "import 7"
    options  of `apply_async`, such as the queue
    """
    from kombu.exceptions import OperationalError  # here, since most commands send nothing

    try:
        task.apply_async(args=args, retry=False, **options)
    except OperationalError:
        logger.warning("The broker does not answer; %s waits", waits)
        return False
    return True


class Pulse:
    """Around leased work: renews the lease from a thread of its own, because a single call may outlast it.

    renew  prolongs the lease; False when the work is no longer ours or no longer wanted
    lease  how long it holds from each renewal on
    name   for the log and the thread

    A database that does not answer is asked again until the lease is over: then another worker may have the steps.
    """

    def __init__(self, renew: Callable[[], bool], *, lease: timedelta, name: str) -> None:
        self._renew, self._name = renew, name
        self._pause_s = lease.total_seconds() / RENEWALS_IN_A_LEASE
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
            from generation.recipes.contract import Stopped  # pydantic comes with it

            raise Stopped

    def _beat(self) -> None:
        n_missed = 0
        try:
            while not self._ended.wait(self._pause_s):
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
