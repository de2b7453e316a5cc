"""What a remote engine refuses, asks for, or never answers."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from generation.models import ModelCall, Run, Step
from generation.queries.runs.overview import patience
from generation.recipes.contract import (
    Call,
    RateLimited,
    Refused,
    TryAgain,
    Unusable,
)
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods as m
from generation.services.runs.claiming import MOST_TRIES, claim
from generation.services.runs.steering import resume
from tests.factories import make_run
from tests.generation.runs.faulty import LATER, matrix
from tests.generation.small_engines import Workshop

pytestmark = pytest.mark.django_db


def test_a_refusal_fails_the_critique_with_its_calls_in_the_ledger() -> None:
    workshop, run = Workshop(), make_run(matrix=matrix(m.BASELINE, m.renoised(2)))
    while not run.steps.filter(kind="critique", n_unmet=0).exists():
        workshop.step("cpu") or workshop.step("gpu")
    paid = Call("chat", "small talk", "refused", 50, 5, 0.001)
    workshop.talker.faults = [Refused("It declines.", "Choose another critic.", calls=[paid])]
    workshop.work()

    assert run.steps.get(kind="critique").message == "It declines."
    assert ModelCall.objects.get(outcome="refused").step == run.steps.get(kind="critique")
    # The refined image waits for somebody to retry; the baseline has its score.
    assert run.steps.get(kind="draw", round=1).state == Step.State.WAITING
    assert run.steps.filter(kind="score", state=Step.State.DONE).count() == 1


def test_a_server_that_asks_for_patience_gets_it() -> None:
    workshop, run = Workshop(), make_run(matrix=matrix(m.REWRITE))
    busy = Call("chat", "small talk", "rate limited")
    workshop.talker.faults = [TryAgain("Too many requests.", "Wait.", calls=[busy], retry_after_s=90)]
    now = timezone.now()
    workshop.step("cpu", now=now)

    step = run.steps.get(kind="words")
    assert (step.state, step.message, step.n_tries) == (Step.State.WAITING, "Too many requests.", 1)
    assert step.not_before is not None
    assert timedelta(seconds=89) < step.not_before - now < timedelta(seconds=95)
    assert claim(queue="cpu") is None
    workshop.work(now=now + LATER)
    run.refresh_from_db()
    assert run.state == Run.State.DONE
    assert list(run.calls.values_list("outcome", flat=True)) == ["rate limited", "ok"]


def test_a_rate_limit_is_not_a_try_and_a_long_wait_is_capped_and_shown() -> None:
    workshop, run = Workshop(), make_run(matrix=matrix(m.REWRITE))
    workshop.talker.faults = [
        RateLimited("Too many requests.", "Wait.", retry_after_s=asked) for asked in [1] * 2 * MOST_TRIES + [86_400]
    ]
    now = timezone.now()
    for _n in range(2 * MOST_TRIES):
        workshop.step("cpu", now=now)
        step = run.steps.get(kind="words")
        assert (step.state, step.n_tries) == (Step.State.WAITING, 0)
        assert step.not_before is not None
        now = max(step.not_before, now) + timedelta(seconds=1)
    before = timezone.now()
    workshop.step("cpu", now=now)

    step.refresh_from_db()
    assert step.not_before is not None
    assert step.not_before - before <= timedelta(hours=1, seconds=60)
    run.refresh_from_db()
    waiting = patience(run, timezone.now())
    assert waiting is not None
    assert (waiting.n, waiting.until, waiting.message) == (1, step.not_before, "Too many requests.")
    workshop.work(now=now + LATER)
    run.refresh_from_db()
    assert run.state == Run.State.DONE


def test_a_server_that_never_comes_back_fails_the_step_after_ever_longer_waits() -> None:
    workshop, run = Workshop(), make_run(matrix=matrix(m.REWRITE))
    workshop.talker.faults = [TryAgain("No answer.", "Look whether the server runs.") for _ in range(MOST_TRIES)]
    waits = []
    for _n in range(MOST_TRIES):
        before = timezone.now()
        workshop.step("cpu", now=before + LATER)
        step = run.steps.get(kind="words")
        if step.not_before is not None:
            waits.append((step.not_before - before).total_seconds())

    assert (step.state, step.message) == (Step.State.FAILED, "No answer.")
    assert step.cure.startswith(f"It was tried {MOST_TRIES} times. Retry it once the server works again.")
    assert len(waits) == MOST_TRIES - 1
    for n, wait in enumerate(waits, start=1):
        assert 5 * 2**n / 2 <= wait <= 5 * 2**n + 5


@pytest.mark.parametrize("while_loading", [True, False])
def test_a_key_that_is_not_accepted_pauses_the_run_with_the_cure(while_loading: bool) -> None:
    workshop, run = Workshop(), make_run(matrix=matrix(m.REWRITE))
    refused = Unusable("The key was not accepted (401).", "Set EVALSITE_KEY_HERE.")

    def engine_for(spec: EngineSpec) -> Any:
        raise refused

    if while_loading:
        workshop.step("cpu", engine_for=engine_for)
    else:
        workshop.talker.faults = [refused]
        workshop.step("cpu")

    run.refresh_from_db()
    assert (run.state, run.message, run.cure) == (Run.State.PAUSED, refused.problem, refused.cure)
    assert run.steps.get(kind="words").state == Step.State.WAITING
    resume(run=run)
    workshop.work()
    run.refresh_from_db()
    assert run.state == Run.State.DONE
