"""Runs in which something goes wrong, and what they have drawn."""

from datetime import timedelta
from typing import Any

from generation.models import Image, Run
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods as m
from generation.recipes.matrix.matrix import Matrix
from tests.factories import make_matrix, make_prompt, make_prompt_set, make_run

CHAT = EngineSpec("chat", {"endpoint": "here", "model": "small talk"})
SEEDS = (1, 2, 3, 4, 5, 6, 7, 8)
LATER = timedelta(hours=1)


def matrix(*methods: m.MethodSpec, seeds: tuple[int, ...] = (7,)) -> Matrix:
    methods = methods or (m.renoised(2), m.switched(1))
    return make_matrix(*methods, seeds=seeds, metrics=("clip-score",), language=CHAT, critic=CHAT)


def a_prompt() -> Any:
    return make_prompt("A red circle above a blue square.", prompt_set=make_prompt_set())


def pictures(run: Run) -> dict[str, Any]:
    steps = run.steps.filter(kind="draw").values_list("method__name", "seed", "image__sha256")
    return {f"{method} {seed}": sha256 for method, seed, sha256 in steps}


def a_run(**fields: Any) -> Run:
    return make_run(matrix=matrix(seeds=SEEDS), prompts=[a_prompt()], **fields)


def n_images(run: Run) -> int:
    return Image.objects.filter(prompt__runs=run).count()
