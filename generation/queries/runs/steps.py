"""Reads for carrying out steps: the results that each needs, and earlier results."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet

from generation.models import Image, Step, StepNeed

_RESULTS = ("decomposition", "variant", "image", "critique", "score")


@dataclass(frozen=True)
class Given:
    """The steps that a step needs, done, by what they are to it (`recipes.plan.Need`), in the plan's order."""

    by_role: dict[str, list[Step]] = field(default_factory=dict)

    def all(self, role: str) -> Sequence[Step]:
        return self.by_role.get(role, [])

    def one(self, role: str) -> Step | None:
        """The step in this role; None where none is needed."""
        return next(iter(self.all(role)), None)

    def image(self, role: str) -> Image | None:
        step = self.one(role)
        return step.image if step else None


def given_to(steps: Collection[Step]) -> dict[int, Given]:
    """The results that each step needs, by its row id: two queries for all of them, images with their latents."""
    needs = (
        StepNeed.objects.filter(step__in=[step.pk for step in steps])
        .select_related(*(f"needed__{result}" for result in _RESULTS), "needed__image__variant")
        .prefetch_related("needed__image__latents")
        .order_by("pk")
    )
    found: dict[int, dict[str, list[Step]]] = {step.pk: defaultdict(list) for step in steps}
    for need in needs:
        found[need.step_id][need.role].append(need.needed)
    return {pk: Given(dict(by_role)) for pk, by_role in found.items()}


def made_before(steps: Collection[Step]) -> dict[str, list[Step]]:
    """Steps of other runs that did the same for the same prompt, by digest, the latest first; two queries."""
    if not steps:
        return {}
    same = (
        Step.objects.filter(
            digest__in={step.digest for step in steps},
            prompt__in={step.prompt_id for step in steps},
            state=Step.State.DONE,
        )
        .exclude(run__in={step.run_id for step in steps})
        .select_related(*_RESULTS)
        .prefetch_related("image__latents")
        .order_by("-pk")
    )
    found: dict[str, list[Step]] = defaultdict(list)
    for step in same:
        found[step.digest].append(step)
    return dict(found)


def drawing_steps(image: Image) -> "QuerySet[Step]":
    """The steps that drew an image, the first one first."""
    done = Step.objects.filter(image=image, kind=Step.Kind.DRAW, state=Step.State.DONE)
    return done.select_related("run", "prompt", "method").order_by("pk")
