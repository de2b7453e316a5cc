"""A worker is killed at each kind of step, again and again: at the end the images are those of an undisturbed run."""

import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest

from generation import dispatch, tasks
from generation.models import Image, Run, Step
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods
from generation.recipes.matrix.experiments import questions_critic
from generation.recipes.matrix.matrix import Matrix
from generation.recipes.matrix.methods import BestOf, Drawing, MethodSpec, Refinement
from tests.conftest import site_environment
from tests.factories import make_prompt, make_prompt_set
from tests.servers import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.worker]

LEASE_S = 2
TEXTS = ("A fox stirs a red pot.", "A hare holds a lamp.")
TINY = {"model": "tiny"}
BEST_OF_TWO = MethodSpec("best of two", refinement=Refinement("switch", 1), best_of=BestOf("k", (1, 2)))
MATRIX = Matrix(
    methods=(methods.BASELINE, methods.renoised(2), BEST_OF_TWO),
    seeds=(7,),
    engines={
        "image": EngineSpec("sd3", TINY),
        "language": EngineSpec("rules"),
        "critic": questions_critic(is_tiny=True),
    },
    metrics={"clip-score": EngineSpec("clip-score", TINY)},
    drawing=Drawing(n_steps=5, width=32, height=32),
)
WITH_WORDS = replace(MATRIX, methods=(*MATRIX.methods, methods.REWRITE))
DEATHS = (
    ("decompose", "claimed"),
    ("words", "saving"),
    ("draw-0", "saving"),
    ("critique", "saving"),
    ("draw-1", "claimed"),
    ("draw-1", "saving"),
    ("score", "saving"),
    ("choose", "saving"),
)


def start(matrix: Matrix = MATRIX) -> Run:
    prompt_set = make_prompt_set()
    prompts = [make_prompt(text, prompt_set=prompt_set) for text in TEXTS]
    for prompt in prompts:
        prompt.variants.create(kind="rewritten", text=f"{prompt.text} Seen from above.", digest="rewritten")
    run = dispatch.start_run(
        name="killed",
        owner=None,
        prompt_set=prompt_set,
        prompts=[prompt.pk for prompt in prompts],
        matrix=matrix,
        may_reuse=False,
    )
    tasks.plan_run(run.pk)
    return run


def work(run: Run, *until: str) -> int:
    """The exit status of a worker process that ends with the run, or kills itself at a step."""
    command = [sys.executable, "-m", "tests.runs.dying_worker", str(run.pk), *until]
    environment = site_environment(EVALSITE_LEASE_SECONDS=str(LEASE_S))
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, timeout=120).returncode


def made(run: Run) -> Counter[tuple[str, str, int, str]]:
    """What a run's images are, whatever their prompt set."""
    images = Image.objects.filter(steps__run=run).distinct()
    return Counter(images.values_list("prompt__text", "method__name", "round", "sha256"))


def test_killed_at_each_step_the_images_are_the_same() -> None:
    undisturbed = start(WITH_WORDS)
    assert work(undisturbed) == 0
    undisturbed.refresh_from_db()
    assert (undisturbed.state, undisturbed.message) == (Run.State.DONE, "")

    run = start(WITH_WORDS)
    for step, moment in DEATHS:
        assert work(run, step, moment) == -signal.SIGKILL, (step, moment)
        held = Step.objects.filter(run=run, state=Step.State.RUNNING)
        assert held.exists(), "the dead worker must leave something claimed, or this shows nothing"
        time.sleep(LEASE_S)
    assert work(run) == 0

    run.refresh_from_db()
    assert (run.state, run.message) == (Run.State.DONE, "")
    assert set(run.steps.values_list("state", flat=True)) == {Step.State.DONE}
    assert made(run) == made(undisturbed)
    assert max(Counter(run.steps.exclude(image=None).values_list("image", flat=True)).values()) == 1
