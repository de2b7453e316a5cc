"""Runs for the tests of pages: planned as a worker does it, and carried out by marking steps, not by engines."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from generation.models import Run, Step
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.experiments import TINY, questions_critic, tiny
from generation.recipes.matrix.matrix import Matrix
from generation.recipes.matrix.methods import OFFERED, Drawing
from generation.services.runs.planning import claim_planning, create_run, plan_run
from tests.factories import make_image, make_prompt, make_prompt_set, make_user

METHODS = ("baseline", "renoise-2", "switch-2")


def tiny_matrix(methods: tuple[str, ...] = METHODS, seeds: tuple[int, ...] = (7,)) -> Matrix:
    return Matrix(
        methods=tuple(OFFERED[key] for key in methods),
        seeds=seeds,
        engines={"image": TINY, "language": EngineSpec("rules"), "critic": questions_critic(is_tiny=True)},
        metrics={"clip-score": tiny("clip-score")},
        drawing=Drawing(n_steps=6, width=64, height=64),
    )


def make_run(
    *, owner: User | None = None, n_prompts: int = 2, matrix: Matrix | None = None, name: str = "a run", **fields: Any
) -> Run:
    """A run that is planned and begun a minute ago; nothing of it is done."""
    prompt_set = fields.pop("prompt_set", None) or make_prompt_set()
    prompts = [make_prompt(prompt_set=prompt_set).pk for _ in range(n_prompts)]
    run = create_run(
        name=name,
        owner=owner or make_user(researcher=True),
        prompts=prompts,
        prompt_set=prompt_set,
        matrix=matrix or tiny_matrix(),
        **fields,
    )
    claimed = claim_planning(run.pk)
    assert claimed is not None
    assert plan_run(run=claimed)
    Run.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(minutes=1))
    return Run.objects.get(pk=run.pk)


def finish(*steps: Step, seconds: float = 2.0, size: tuple[int, int] = (8, 8), **fields: Any) -> None:
    """Have steps done; those that draw or choose get an image."""
    for step in steps:
        draws = step.kind in (Step.Kind.DRAW, Step.Kind.CHOOSE)
        image = make_image(prompt=step.prompt, method=step.method, size=size) if draws else None
        done = {"state": Step.State.DONE, "image": image, "seconds": seconds, "ended_at": timezone.now()}
        Step.objects.filter(pk=step.pk).update(**done | fields)


def break_down(*steps: Step, message: str = "The image is all black.", cure: str = "Use another seed.") -> None:
    """Have steps fail."""
    Step.objects.filter(pk__in=[step.pk for step in steps]).update(
        state=Step.State.FAILED, message=message, cure=cure, n_tries=1, ended_at=timezone.now()
    )


def steps_of(run: Run, kind: str, **fields: Any) -> list[Step]:
    return list(run.steps.filter(kind=kind, **fields).select_related("prompt", "method").order_by("position"))
