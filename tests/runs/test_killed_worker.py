"""A worker is killed at each kind of step, again and again: at the end the images are those of an undisturbed run."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

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


@pytest.fixture
def work() -> Iterator[Callable[..., int]]:
    """Call it with a run: the exit status of a worker process that ends with the run, or kills itself at a step."""
    command = [sys.executable, "-m", "tests.runs.dying_worker"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env=site_environment(), text=True, bufsize=1, **pipes) as nursery:

        def live(run: Run, *until: str) -> int:
            assert nursery.stdin
            assert nursery.stdout
            print(run.pk, *until, file=nursery.stdin)
            return int(nursery.stdout.readline())

        yield live


def let_leases_run_out(run: Run) -> int:
    """As if the time had passed; how many steps a dead worker has left claimed."""
    held = run.steps.filter(state=Step.State.RUNNING)
    return held.update(lease_until=timezone.now() - timedelta(seconds=1))


def made(run: Run) -> Counter[tuple[str, str, int, str]]:
    """What a run's images are, whatever their prompt set."""
    images = Image.objects.filter(steps__run=run).distinct()
    return Counter(images.values_list("prompt__text", "method__name", "round", "sha256"))


def test_killed_at_each_step_the_images_are_the_same(work: Callable[..., int]) -> None:
    undisturbed = start(WITH_WORDS)
    assert work(undisturbed) == 0
    undisturbed.refresh_from_db()
    assert (undisturbed.state, undisturbed.message) == (Run.State.DONE, "")

    run = start(WITH_WORDS)
    for step, moment in DEATHS:
        assert work(run, step, moment) == -signal.SIGKILL, (step, moment)
        assert let_leases_run_out(run), "the dead worker must leave something claimed, or this shows nothing"
    assert work(run) == 0

    run.refresh_from_db()
    assert (run.state, run.message) == (Run.State.DONE, "")
    assert set(run.steps.values_list("state", flat=True)) == {Step.State.DONE}
    assert made(run) == made(undisturbed)
    assert max(Counter(run.steps.exclude(image=None).values_list("image", flat=True)).values()) == 1
