"""How long work has been waiting for a worker, and for the clock."""

from datetime import datetime

from django.db.models import F, Min, Q
from django.db.models.functions import Coalesce

from generation.models import ImportRun, Run, Step


def longest_waits_s(now: datetime) -> dict[str, int]:
    """Seconds by process that should have begun: the workers on the queues "cpu", "imports" and "gpu", and the clock.

    A step waits since its run was started or resumed, an import since its upload, and the clock since a dead worker's
    lease ended. Some minutes mean that the workers are busy; hours mean that there are none.
    """
    steps = Step.objects.filter(
        Q(not_before=None) | Q(not_before__lte=now), run__state=Run.State.RUNNING, state=Step.State.WAITING, n_unmet=0
    )
    busy = set(
        Step.objects.filter(state=Step.State.RUNNING, lease_until__gte=now).values_list("queue", flat=True).distinct()
    )
    since = dict(
        steps.exclude(queue__in=busy)
        .order_by()
        .values("queue")
        .annotate(since=Min(Coalesce("not_before", "run__started_at", F("run__created_at"))))
        .values_list("queue", "since")
    )
    waiting = ImportRun.objects.filter(state=ImportRun.State.WAITING)
    if not ImportRun.objects.filter(state=ImportRun.State.RUNNING, lease_until__gte=now).exists():
        since["imports"] = waiting.aggregate(since=Min("created_at"))["since"]
    overdue = ImportRun.objects.filter(state=ImportRun.State.RUNNING, lease_until__lt=now)
    dead = Step.objects.filter(state=Step.State.RUNNING, lease_until__lt=now)
    leases = (rows.aggregate(since=Min("lease_until"))["since"] for rows in (overdue, dead))
    since["clock"] = min((at for at in leases if at), default=None)
    return {who: _seconds(now, since.get(who)) for who in ("cpu", "imports", "gpu", "clock")}


def _seconds(now: datetime, since: datetime | None) -> int:
    return max(0, int((now - since).total_seconds())) if since else 0
