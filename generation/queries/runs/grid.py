"""A run as a grid of pictures: for some of its prompts, the image of each method and seed, or its state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from generation.models import Prompt, Run, Step
from generation.recipes.matrix.matrix import Matrix
from generation.recipes.matrix.plan import PromptFacts, images_of


@dataclass(frozen=True)
class Cell:
    """state: a step's, "blocked" where what it needs failed, or "never" in a run that ended without it."""

    method: str
    state: str
    image_id: int | None = None
    width: int = 1
    height: int = 1


@dataclass(frozen=True)
class SeedRow:
    seed: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class PromptRows:
    prompt: Prompt
    rows: tuple[SeedRow, ...]


def grid(run: Run, matrix: Matrix, prompts: Sequence[Prompt], seeds: Sequence[int]) -> list[PromptRows]:
    """One query for the steps with their images, and one for what failed of the prompts."""
    part = replace(matrix, seeds=tuple(seeds))
    wanted = {prompt.pk: images_of(PromptFacts(prompt.digest), part) for prompt in prompts}
    digests = {digest for by_cell in wanted.values() for digest in by_cell.values()}
    rows = Step.objects.filter(run=run, prompt__in=[prompt.pk for prompt in prompts], digest__in=digests)
    steps: dict[tuple[int, str], dict[str, Any]] = {
        (row["prompt_id"], row["digest"]): dict(row)
        for row in rows.order_by().values(
            "prompt_id", "digest", "state", "image_id", "image__width", "image__height", "image__shown"
        )
    }
    failed = Step.objects.filter(run=run, prompt__in=[prompt.pk for prompt in prompts], state=Step.State.FAILED)
    troubled = set(failed.order_by().values_list("prompt_id", "seed").distinct())
    return [
        PromptRows(
            prompt,
            tuple(
                SeedRow(
                    seed,
                    tuple(
                        _cell(
                            run,
                            method.label,
                            steps.get((prompt.pk, wanted[prompt.pk][method.label, seed])),
                            _is(troubled, prompt.pk, seed),
                        )
                        for method in part.methods
                    ),
                )
                for seed in part.seeds
            ),
        )
        for prompt in prompts
    ]


def _is(troubled: set[tuple[int, int | None]], prompt_id: int, seed: int) -> bool:
    """Whether something failed that an image of this prompt and seed may wait for; a decomposition has no seed."""
    return (prompt_id, seed) in troubled or (prompt_id, None) in troubled


def _cell(run: Run, method: str, step: Mapping[str, Any] | None, is_troubled: bool) -> Cell:
    if step is None:
        return Cell(method, "never" if run.has_ended else Step.State.WAITING.value)
    if step["image_id"] is not None and step["image__shown"]:
        return Cell(method, Step.State.DONE.value, step["image_id"], step["image__width"], step["image__height"])
    state: str = step["state"]
    if state == Step.State.WAITING and run.has_ended:
        state = "blocked" if is_troubled else "never"
    return Cell(method, state)
