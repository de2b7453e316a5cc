"""From a matrix and its prompts to rows: a run is made, claimed by a planner, and given its steps batch by batch."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from generation import jobs
from generation.jobs import LeaseLost
from generation.models import Activity, Method, Prompt, PromptSet, Run, Step, StepNeed
from generation.models.digests import digest
from generation.recipes.matrix.matrix import BadMatrix, Matrix
from generation.recipes.matrix.methods import BadMethod, MethodSpec
from generation.recipes.matrix.plan import PlannedStep, PromptFacts, plan
from generation.services.runs.checking import check_matrix
from generation.services.runs.steps.method_rows import method_row

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

    Raises BadMatrix, with the cure, for what could not be carried out. The caller sends the planner's message.
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
        )
        through = Run.prompts.through
        through.objects.bulk_create(through(run_id=run.pk, prompt_id=pk) for pk in sorted(ids))
        Activity.note(
            actor=owner,
            action=Activity.Action.ADDED,
            subject=Activity.Subject.PROMPT_SET,
            key=prompt_set.pk,
            name=prompt_set.name,
            kind="run",
            run=run.pk,
        )
    return run


def claim_planning(run_id: int, *, now: datetime | None = None) -> Run | None:
    """Take a run to plan it; None when another planner has it or it needs none any more."""
    now = now or timezone.now()
    claim = jobs.take(Run.overdue(now).filter(pk=run_id), now=now)
    return Run.held(claim).first() if claim else None


def waiting_for_planner(*, now: datetime | None = None) -> list[int]:
    """Runs, by their ids, that no planner has: their message was lost or is on its way, or their planner died."""
    return list(Run.overdue(now or timezone.now()).order_by("pk").values_list("pk", flat=True))


def plan_run(*, run: Run, steps_at_once: int = 5_000) -> bool:
    """Make the steps of a claimed run and let it run; False when it was cancelled or another planner has it now.

    Each batch of prompts, with about `steps_at_once` steps, is a transaction that renews the lease: what a dead planner
    leaves is whole prompts, and its successor goes on behind them. The first prompt's steps come first.
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
        for batch in planner.batches(steps_at_once):
            planner.save(batch)
        planner.start()
    except LeaseLost:
        return False
    finally:
        run.refresh_from_db()
    return True


_Planned = tuple[Prompt, list[PlannedStep]]


class _Planner:
    def __init__(self, run: Run) -> None:
        self._run, self._matrix = run, run.plan
        self._methods: dict[MethodSpec, Method] = {}
        last = Step.objects.filter(run=run).aggregate(last=Max("position"))["last"]
        self._position = 0 if last is None else last + 1

    def batches(self, steps_at_once: int) -> Iterator[list[_Planned]]:
        """The prompts that have no steps yet with what is planned for them, about `steps_at_once` steps at once."""
        planned = set(Step.objects.filter(run=self._run).order_by().values_list("prompt_id", flat=True).distinct())
        batch: list[_Planned] = []
        n_steps = 0
        for prompt in self._run.prompts.order_by("pk").iterator(PROMPTS_READ_AT_ONCE):
            if prompt.pk in planned:
                continue
            steps = plan(PromptFacts(prompt.digest), self._matrix)
            batch.append((prompt, steps))
            n_steps += len(steps)
            if n_steps >= steps_at_once:
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
        if not Run.held(self._run.claim).update(**fields):
            raise LeaseLost

    def _hold(self) -> None:
        """Renew the lease first in its transaction, so that who cancels comes before it or after all of it."""
        if not jobs.renew(Run.held(self._run.claim)):
            raise LeaseLost

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
