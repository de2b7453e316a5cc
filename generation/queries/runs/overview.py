"""Reads about runs for their pages: progress, pace, cost, failures. Each takes a fixed number of queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Avg, Count, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from generation.models import ModelCall, Run, Step
from generation.recipes.matrix.estimate import Remaining, seconds_left

# The pace is computed from what ended in this time: long enough for a few slow images, short enough to notice a change.
WINDOW = timedelta(minutes=10)
MOST_REASONS = 20
OPEN = (Step.State.WAITING, Step.State.RUNNING)


def may_steer(user: User, run: Run) -> bool:
    """Pause, resume, cancel, retry: its owner, and the site's staff. To look is for every researcher."""
    return user.is_staff or user.is_superuser or (run.owner_id is not None and run.owner_id == user.pk)


def runs() -> QuerySet[Run, Any]:
    """All runs, newest first, with `n_steps`, `n_done`, `n_failed` and `n_images`."""

    def counted(condition: Q) -> Coalesce:
        of_run = Step.objects.filter(condition, run=OuterRef("pk")).order_by().values("run")
        return Coalesce(Subquery(of_run.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)

    done = Q(state=Step.State.DONE)
    return Run.objects.select_related("owner", "prompt_set").annotate(
        n_steps=counted(Q()),
        n_done=counted(done),
        n_failed=counted(Q(state=Step.State.FAILED)),
        n_images=counted(done & Q(kind=Step.Kind.DRAW)),
    )


@dataclass(frozen=True)
class KindProgress:
    """The progress of the steps of one kind."""

    kind: str
    label: str
    n: int
    n_done: int
    n_running: int
    n_failed: int
    n_reused: int


@dataclass(frozen=True)
class Progress:
    """A run's progress.

    images_per_minute  of those that it drew itself lately; None where none ended, and once nothing is being done
    seconds_left       None while it is unknown
    """

    kinds: tuple[KindProgress, ...]
    images_per_minute: float | None
    seconds_left: float | None

    def _sum(self, name: str) -> int:
        return sum(getattr(kind, name) for kind in self.kinds)

    @property
    def n(self) -> int:
        return self._sum("n")

    @property
    def n_done(self) -> int:
        return self._sum("n_done")

    @property
    def n_running(self) -> int:
        return self._sum("n_running")

    @property
    def n_failed(self) -> int:
        return self._sum("n_failed")

    @property
    def images(self) -> KindProgress | None:
        return next((kind for kind in self.kinds if kind.kind == Step.Kind.DRAW), None)


@dataclass(frozen=True)
class Patience:
    """Steps that a server has put off. until: when the first of them is tried again; message: the server's message."""

    n: int
    until: datetime
    message: str
    cure: str


def patience(run: Run, now: datetime) -> Patience | None:
    """What a running run waits for at its servers, or None. At most two queries."""
    put_off = Step.objects.filter(run=run, state=Step.State.WAITING, not_before__gt=now)
    first = put_off.order_by("not_before").first() if run.state == Run.State.RUNNING else None
    if first is None or first.not_before is None:
        return None
    return Patience(put_off.count(), first.not_before, first.message, first.cure)


def progress(run: Run, now: datetime) -> Progress:
    """Two queries, whatever the run's size."""
    state = {name: Count("pk", filter=Q(state=name)) for name in Step.State.values}
    made = Q(state=Step.State.DONE, is_reused=False)
    rows: list[dict[str, Any]] = [
        dict(row)
        for row in Step.objects.filter(run=run)
        .order_by()
        .values("kind", "queue")
        .annotate(n=Count("pk"), n_reused=Count("pk", filter=Q(is_reused=True)), each=Avg("seconds", filter=made))
        .annotate(**state)
    ]
    kinds = []
    for kind in Step.Kind:
        of_kind = [row for row in rows if row["kind"] == kind]
        if of_kind:
            kinds.append(
                KindProgress(
                    kind.value,
                    str(kind.label),
                    n=sum(row["n"] for row in of_kind),
                    n_done=sum(row[Step.State.DONE] for row in of_kind),
                    n_running=sum(row[Step.State.RUNNING] for row in of_kind),
                    n_failed=sum(row[Step.State.FAILED] for row in of_kind),
                    n_reused=sum(row["n_reused"] for row in of_kind),
                )
            )
    if run.state != Run.State.RUNNING:
        return Progress(tuple(kinds), _whole_pace(run, rows, kinds), None)
    per_minute, busy = _pace(run, now)
    remaining = [
        # A choice computes nothing.
        Remaining(
            row["queue"],
            sum(row[state] for state in OPEN),
            0.0 if row["kind"] == Step.Kind.CHOOSE else row["each"],
        )
        for row in rows
    ]
    return Progress(tuple(kinds), per_minute, seconds_left(remaining, busy))


def _pace(run: Run, now: datetime) -> tuple[float | None, dict[str, float]]:
    """Images per minute, and by queue the seconds of work done per second, over what ended lately."""
    since = max(now - WINDOW, run.started_at or run.created_at)
    length = max((now - since).total_seconds(), 1.0)
    lately = (
        Step.objects.filter(run=run, state=Step.State.DONE, is_reused=False, ended_at__gt=since)
        .order_by()
        .values("queue")
        .annotate(n_images=Count("pk", filter=Q(kind=Step.Kind.DRAW)), work=Sum("seconds"))
    )
    rows = list(lately)
    n_images = sum(row["n_images"] for row in rows)
    return (60 * n_images / length if n_images else None), {row["queue"]: (row["work"] or 0) / length for row in rows}


def _whole_pace(run: Run, rows: list[dict[str, Any]], kinds: list[KindProgress]) -> float | None:
    """Images per minute from its beginning to its end, for a run that has ended."""
    images = next((kind for kind in kinds if kind.kind == Step.Kind.DRAW), None)
    if images is None or run.ended_at is None or run.started_at is None:
        return None
    n_drawn, seconds = images.n_done - images.n_reused, (run.ended_at - run.started_at).total_seconds()
    return 60 * n_drawn / seconds if n_drawn > 0 and seconds > 0 else None


@dataclass(frozen=True)
class Cost:
    """The cost of one model's calls so far. dollars: None if no price is known; n_unpriced: calls without one."""

    engine: str
    model: str
    n_calls: int
    n_failed: int
    n_unpriced: int
    n_tokens_in: int
    n_tokens_out: int
    dollars: Decimal | None


def costs(run: Run) -> list[Cost]:
    """The ledger's sums by model."""
    rows = (
        ModelCall.objects.filter(run=run)
        .order_by("engine", "model")
        .values("engine", "model")
        .annotate(
            n_calls=Count("pk"),
            n_failed=Count("pk", filter=~Q(outcome="ok")),
            n_unpriced=Count("pk", filter=Q(cost=None)),
            tokens_in=Sum("n_tokens_in"),
            tokens_out=Sum("n_tokens_out"),
            dollars=Sum("cost"),
        )
    )
    return [
        Cost(
            row["engine"],
            row["model"],
            row["n_calls"],
            row["n_failed"],
            row["n_unpriced"],
            row["tokens_in"] or 0,
            row["tokens_out"] or 0,
            row["dollars"],
        )
        for row in rows
    ]


@dataclass(frozen=True)
class Reason:
    """Why steps failed: the same message and cure, and how many had it."""

    kind: str
    message: str
    cure: str
    n: int


def reasons(run: Run) -> list[Reason]:
    """Failures by their message, the most frequent first."""
    rows = (
        Step.objects.filter(run=run, state=Step.State.FAILED)
        .order_by()
        .values("kind", "message", "cure")
        .annotate(n=Count("pk"))
        .order_by("-n", "message")[:MOST_REASONS]
    )
    return [Reason(str(Step.Kind(row["kind"]).label), row["message"], row["cure"], row["n"]) for row in rows]


def failures(run: Run) -> QuerySet[Step]:
    """Every failed step, in the run's order."""
    failed = Step.objects.filter(run=run, state=Step.State.FAILED)
    return failed.select_related("prompt", "method").order_by("position")


def prices_per_call(models: Mapping[tuple[str, str], Any]) -> dict[tuple[str, str], float | None]:
    """By engine and model the average cost of a successful call; no entry if the ledger has no price."""
    names = {model for _, model in models}
    rows = (
        ModelCall.objects.filter(model__in=names, outcome="ok", cost__isnull=False)
        .order_by()
        .values("engine", "model")
        .annotate(each=Avg("cost"))
    )
    return {(row["engine"], row["model"]): float(row["each"]) for row in rows}
