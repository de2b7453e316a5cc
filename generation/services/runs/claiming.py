"""Claims of steps with a lease, so that a step is done by one worker, and by another if that one dies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from generation import jobs
from generation.jobs import MOST_TRIES, LeaseLost
from generation.models import Run, Step

TRIES_TO_CLAIM = 5
# A claim is what a dead worker can leave undone: a few batches of images, but one call of a paid model.
MOST_AT_ONCE = {Step.Kind.DRAW: 8, Step.Kind.SCORE: 32}


@dataclass(frozen=True)
class Claim:
    """Steps of one run that can be done together: of one kind, by one engine. They are ours while the lease runs."""

    token: str
    steps: Sequence[Step]

    @property
    def run_id(self) -> int:
        return self.steps[0].run_id


def ready(now: datetime) -> QuerySet[Step]:
    """Steps that could be done now, in the order in which they are to be."""
    may_begin = Q(not_before=None) | Q(not_before__lte=now)
    steps = Step.objects.filter(may_begin, run__state=Run.State.RUNNING, state=Step.State.WAITING, n_unmet=0)
    return steps.order_by("-run__priority", "run_id", "position")


def claim(*, queue: str, now: datetime | None = None) -> Claim | None:
    """Claim the next steps on a queue; None if there are none."""
    now = now or timezone.now()
    for _try in range(TRIES_TO_CLAIM):
        with transaction.atomic():
            steps = jobs.locked(ready(now).filter(queue=queue))
            first = steps.first()
            if first is None:
                return None
            most = MOST_AT_ONCE.get(Step.Kind(first.kind), 1)
            alike = steps.filter(run=first.run_id, batch_key=first.batch_key)[:most]
            # The condition repeats what was read, for databases that lock no rows.
            free = Step.objects.filter(pk__in=[step.pk for step in alike], state=Step.State.WAITING)
            token = jobs.take(free, now=now, started_at=now, not_before=None)
        if token:
            ours = Step.objects.filter(claim=token).select_related("run", "prompt", "method").order_by("position")
            return Claim(token, list(ours))
    return None


def renew(*, token: str, now: datetime | None = None) -> bool:
    """Renew the rest of a claim; False if nothing of it is ours any more or its run was cancelled."""
    # A step of this claim that is done is no longer running: the others may still be held.
    return jobs.renew(Step.held(token).exclude(run__state=Run.State.CANCELLED), now=now)


def complete(*, step: Step, token: str, seconds: float | None = None, is_reused: bool = False, **results: Any) -> None:
    """Close a step with what came of it, and free those that waited for it. To be called where the results are saved,
    in the same transaction. Raises LeaseLost, which undoes it.

    results  the step's fields `decomposition`, `variant`, `image`, `critique`, `score`
    """
    with transaction.atomic():
        ours = Step.held(token).filter(pk=step.pk)
        now = timezone.now()
        fields = {"lease_until": None, "ended_at": now, "seconds": seconds, "is_reused": is_reused}
        if not ours.update(state=Step.State.DONE, message="", cure="", **fields, **results):
            raise LeaseLost
        # One by one and in order: two workers that free the same steps must not wait for each other crosswise.
        waiting = Step.objects.filter(pk__in=step.needed_by_rows.values("step")).order_by("pk")
        for pk in waiting.values_list("pk", flat=True):
            Step.objects.filter(pk=pk).update(n_unmet=F("n_unmet") - 1)


def fail(*, step: Step, token: str, message: str, cure: str = "") -> None:
    """Close a step that cannot be done. Steps that need it wait until somebody retries."""
    Step.held(token).filter(pk=step.pk).update(
        state=Step.State.FAILED, message=message, cure=cure, lease_until=None, ended_at=timezone.now()
    )


def give_back(*, token: str, wait_s: float = 0, message: str = "", cure: str = "", is_try: bool = True) -> None:
    """Return what is left of a claim, to be done later; a step that was tried too often fails with the message.

    wait_s  not before this many seconds have passed
    is_try  False where the server only asked for patience: such a step never fails, however often it is put off
    """
    now = timezone.now()
    left = Step.held(token)
    with transaction.atomic():
        if message and is_try:
            for_good = _("It was tried %(n)s times. Retry it once the server works again.") % {"n": MOST_TRIES}
            left.filter(n_tries__gte=MOST_TRIES).update(
                state=Step.State.FAILED,
                message=message,
                cure=f"{for_good}\n{cure}" if cure else for_good,
                lease_until=None,
                ended_at=now,
            )
        left.filter(run__state=Run.State.CANCELLED).update(state=Step.State.CANCELLED, lease_until=None, ended_at=now)
        left.update(
            state=Step.State.WAITING,
            lease_until=None,
            message=message,
            cure=cure,
            not_before=now + timedelta(seconds=wait_s) if wait_s > 0 else None,
            # Work that was only interrupted, or put off by the server, was not a try.
            n_tries=F("n_tries") if message and is_try else F("n_tries") - 1,
        )


def reap(*, now: datetime | None = None) -> int:
    """Free the steps that dead workers hold; returns how many. A step that has lost several workers fails."""
    now = now or timezone.now()
    dead = Step.overdue(now)
    with transaction.atomic():
        dead.filter(run__state=Run.State.CANCELLED).update(state=Step.State.CANCELLED, lease_until=None, ended_at=now)
        dead.filter(n_tries__gte=MOST_TRIES).update(
            state=Step.State.FAILED,
            lease_until=None,
            ended_at=now,
            message=_("The worker died %(n)s times during this step.") % {"n": MOST_TRIES},
            cure=_("Check the worker's log and its memory, then retry failed steps."),
        )
        return dead.update(state=Step.State.WAITING, lease_until=None)


def ready_queues(now: datetime | None = None) -> list[str]:
    """The queues on which something could be done now."""
    return sorted(set(ready(now or timezone.now()).order_by().values_list("queue", flat=True).distinct()))


def somebody_is_at_work(queue: str, now: datetime | None = None) -> bool:
    """Whether a living worker holds a step of a queue: when it ends, it looks for more by itself."""
    held = Step.objects.filter(state=Step.State.RUNNING, queue=queue, lease_until__gte=now or timezone.now())
    return held.exists()


def running_runs() -> list[int]:
    """Runs that are under way, by their ids."""
    return list(Run.objects.filter(state=Run.State.RUNNING).values_list("pk", flat=True))
