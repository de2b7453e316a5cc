"""Says whether this site can answer people: for load balancers, containers and `manage.py serve`."""

import math
import tempfile
import time
from http import HTTPStatus

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import F
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from generation.queries.waiting import longest_waits_s

LOCK_PATIENCE_MS = 2000
A_FEW_ANSWERS = bytes(2**16)
KEPT_FOR_S = 2
"""A process tests writing at most this often, because anybody may ask."""


@never_cache
@require_safe
def livez(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers at all: a supervisor asks this to decide whether to restart it."""
    return JsonResponse({"process": "ok"})


@never_cache
@require_safe
def healthz(
    request: HttpRequest, *, kept_for_s: float = KEPT_FOR_S, lock_patience_ms: int = LOCK_PATIENCE_MS
) -> JsonResponse:
    """Readiness: 200 when answers can be saved, 503 when not. Needs no account.

    It also says how long work for each kind of worker has been waiting, in seconds, and how long the clock has been
    overdue. Raters need neither, so that does not change the status.

    kept_for_s        how long the result of a test write is kept; below 0 writing is tested anew
    lock_patience_ms  how long another connection may hold the lock of an SQLite database
    """
    found = _writes.now(kept_for_s, lock_patience_ms)
    waits: dict[str, int] = {}
    if set(found.values()) == {"ok"}:
        try:
            waits = longest_waits_s(timezone.now())
        except DatabaseError:
            found = {**found, "database": "unreachable"}
    is_ready = set(found.values()) == {"ok"}
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return JsonResponse({**found, **({"waiting_s": waits} if waits else {})}, status=status)


class _Writes:
    """The result of a test write, kept for a moment."""

    def __init__(self) -> None:
        self._tried_at, self._found = -math.inf, {"database": "", "disk": ""}

    def now(self, kept_for_s: float, lock_patience_ms: int) -> dict[str, str]:
        if time.monotonic() > self._tried_at + kept_for_s:
            self._found = {"database": _database(lock_patience_ms), "disk": _disk()}
            self._tried_at = time.monotonic()
        return self._found


_writes = _Writes()


def _database(lock_patience_ms: int) -> str:
    """Whether a row can really be written: a row that every installation has is set to its own value."""
    is_sqlite = connection.vendor == "sqlite"
    rows = MigrationRecorder(connection).migration_qs
    try:
        with connection.cursor() as cursor:
            if is_sqlite:
                cursor.execute(f"PRAGMA busy_timeout={lock_patience_ms}")
            first = rows.order_by("pk").values_list("pk", flat=True).first()
            rows.filter(pk=first).update(app=F("app"))
            if is_sqlite:
                patience_s = connection.settings_dict["OPTIONS"].get("timeout", 5)
                cursor.execute(f"PRAGMA busy_timeout={int(patience_s * 1000)}")
    except DatabaseError as error:
        connection.close()  # with its short patience
        return "cannot be written" if "locked" in str(error) or "full" in str(error) else "unreachable"
    return "ok"


def _disk() -> str:
    try:
        with tempfile.TemporaryFile(dir=settings.DATA_DIR) as file:
            file.write(A_FEW_ANSWERS)
            file.flush()
    except OSError:
        return "cannot be written"
    return "ok"
