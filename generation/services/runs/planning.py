"""From a matrix and its prompts to rows: a run is made, claimed by a planner, and given its steps batch by batch."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from generation.models import Method, Prompt, PromptSet, Run, Step, StepNeed
from generation.models.digests import digest
from generation.recipes.matrix import BadMatrix, Matrix
from generation.recipes.methods import BadMethod, MethodSpec
from generation.recipes.plan import PlannedStep, PromptFacts, plan
from generation.services.runs.checking import check_matrix
from generation.services.runs.claiming import lease
from generation.services.runs.method_rows import method_row

STEPS_AT_ONCE = 5_000
PROMPTS_READ_AT_ONCE = 500


def create_run(
    *,
    name: str,
    owner: User | None,
    prompts: "QuerySet[Prompt] | Collection[int]",
    prompt_set: PromptSet,
    matrix: Matrix,
    priority: int = 0,
    may_reuse: bool = True,
) -> Run:
    """A run that waits for a planner. prompts: of this set, as rows or ids.

    Raises BadMatrix, with the cure, for what could not be carried out. Whoever calls this sends the planner's message.
    """
    of_set = set(Prompt.objects.filter(prompt_set=prompt_set).values_list("pk", flat=True))
    ids = set(prompts.values_list("pk", flat=True) if isinstance(prompts, QuerySet) else prompts)
    if not ids:
        raise BadMatrix(_("No prompt is chosen. Choose at least one."))
    if ids - of_set:
        raise BadMatrix(_("A prompt belongs to another prompt set. Choose prompts of one set."))
    check_matrix(matrix, ids)
    with transaction.atomic():
        run = Run.objects.create(
            name=name.strip()[:200] or _("Run"),
            owner=owner,
            prompt_set=prompt_set,
            matrix=matrix.as_json(),
            priority=priority,
            may_reuse=may_reuse,
            # Over already: the first planner takes it, and a lost message is seen at the next look.
            lease_until=timezone.now(),
        )
        through = Run.prompts.through
        through.objects.bulk_create(through(run_id=run.pk, prompt_id=pk) for pk in sorted(ids))
    return run


def claim_planning(run_id: int, *, now: datetime | None = None) -> Run | None:
    """Take a run to plan it; None when another planner has it or it needs none any more."""
    now = now or timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    taken = Run.objects.filter(free, pk=run_id, state=Run.State.PLANNING).update(lease_until=now + lease())
    return Run.objects.get(pk=run_id) if taken else None


def waiting_for_planner(*, now: datetime | None = None) -> list[int]:
    """Runs, by their ids, that no planner has: their message was lost or is on its way, or their planner died."""
    free = Q(lease_until=None) | Q(lease_until__lte=now or timezone.now())
    return list(Run.objects.filter(free, state=Run.State.PLANNING).order_by("pk").values_list("pk", flat=True))


def plan_run(*, run: Run) -> bool:
    """Make the steps of a claimed run and let it run; False when it was cancelled or another planner has it now.

    Batches of prompts, each in a transaction with the lease renewed: what a dead planner leaves is whole prompts, and
    its successor goes on behind them. The first prompt's steps stand first.
    """
    try:
        planner = _Planner(run)
    except (BadMatrix, BadMethod) as problem:
        fields = {"message": str(problem), "cure": _("Start a new run.")}
        ended = {"state": Run.State.CANCELLED, "ended_at": timezone.now(), "lease_until": None}
        Run.objects.filter(pk=run.pk, state=Run.State.PLANNING).update(**ended, **fields)
        run.refresh_from_db()
        return False
    try:
        for batch in planner.batches():
            planner.save(batch)
        planner.start()
    except _NotOurs:
        return False
    finally:
        run.refresh_from_db()
    return True


class _NotOurs(Exception):
    """The run was cancelled, or another planner has it."""


_Planned = tuple[Prompt, list[PlannedStep]]


class _Planner:
    def __init__(self, run: Run) -> None:
        self._run, self._matrix = run, run.plan
        self._lease_until = run.lease_until
        self._methods: dict[MethodSpec, Method] = {}
        last = Step.objects.filter(run=run).aggregate(last=Max("position"))["last"]
        self._position = 0 if last is None else last + 1

    def batches(self) -> Iterator[list[_Planned]]:
        """The prompts that have no steps yet with what is planned for them, about STEPS_AT_ONCE steps at once."""
        planned = set(Step.objects.filter(run=self._run).order_by().values_list("prompt_id", flat=True).distinct())
        batch: list[_Planned] = []
        n_steps = 0
        for prompt in self._run.prompts.order_by("pk").iterator(PROMPTS_READ_AT_ONCE):
            if prompt.pk in planned:
                continue
            steps = plan(PromptFacts(prompt.digest), self._matrix)
            batch.append((prompt, steps))
            n_steps += len(steps)
            if n_steps >= STEPS_AT_ONCE:
                yield batch
                batch, n_steps = [], 0
        if batch:
            yield batch

    def save(self, batch: Sequence[_Planned]) -> None:
        methods = {step.method for _prompt, steps in batch for step in steps if step.method is not None}
        for spec in sorted(methods - set(self._methods), key=lambda spec: spec.label):
            self._methods[spec] = method_row(self._matrix, spec)
        with transaction.atomic():
            self._hold()
            rows = Step.objects.bulk_create(
                self._step(prompt, step, self._position + n)
                for n, (prompt, step) in enumerate((prompt, step) for prompt, steps in batch for step in steps)
            )
            by_digest = {(row.prompt_id, row.digest): row for row in rows}
            StepNeed.objects.bulk_create(
                StepNeed(
                    step=by_digest[prompt.pk, step.digest],
                    needed=by_digest[prompt.pk, need.digest],
                    role=need.role,
                )
                for prompt, steps in batch
                for step in steps
                for need in step.needs
            )
        self._position += len(rows)

    def start(self) -> None:
        """Let the workers begin."""
        fields = {"state": Run.State.RUNNING, "started_at": timezone.now(), "lease_until": None}
        if not self._ours().update(**fields):
            raise _NotOurs

    def _hold(self) -> None:
        """Renew the lease, whose end is also the proof that the run is still ours; first in its transaction, so that
        who cancels comes before it or after all of it."""
        lease_until = timezone.now() + lease()
        if not self._ours().update(lease_until=lease_until):
            raise _NotOurs
        self._lease_until = lease_until

    def _ours(self) -> "QuerySet[Run]":
        return Run.objects.filter(pk=self._run.pk, state=Run.State.PLANNING, lease_until=self._lease_until)

    def _step(self, prompt: Prompt, step: PlannedStep, position: int) -> Step:
        return Step(
            run=self._run,
            kind=step.kind,
            digest=step.digest,
            position=position,
            queue=step.queue,
            batch_key=batch_key(step),
            engine=step.engine.as_json() if step.engine else None,
            parameters=dict(step.parameters),
            keep_after=list(step.keep_after),
            prompt=prompt,
            method=self._methods[step.method] if step.method else None,
            seed=step.seed,
            round=step.round,
            n_unmet=len({need.digest for need in step.needs}),
        )


def batch_key(step: PlannedStep) -> str:
    """The same for steps that one engine can do together: for drawings also of one size and number of steps."""
    drawing: dict[str, Any] = step.parameters.get("drawing", {}) if step.kind == "draw" else {}
    alike = [drawing.get(name) for name in ("width", "height", "n_steps", "guidance")]
    return digest(step.kind, step.engine.as_json() if step.engine else None, alike)[:16]
