"""What goes wrong while steps are carried out: the run goes on or stops with a cure, no image twice, none lost."""

import errno
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError
from django.utils import timezone

from generation.models import Image, ModelCall, Run, Step
from generation.recipes import methods as m
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import Matrix
from generation.recipes.requests import (
    BadAnswer,
    Call,
    DrawRequest,
    OutOfMemory,
    Refused,
    Stopped,
    TryAgain,
    Unusable,
)
from generation.services.runs import drawing, work
from generation.services.runs.claiming import MOST_TRIES, claim, reap
from generation.services.runs.steering import cancel, resume, retry_failed
from tests.factories import make_matrix, make_prompt, make_prompt_set, make_run
from tests.generation.small_engines import Workshop

pytestmark = pytest.mark.django_db
CHAT = EngineSpec("chat", {"endpoint": "here", "model": "small talk"})
SEEDS = (1, 2, 3, 4, 5, 6, 7, 8)
LATER = timedelta(hours=1)


def matrix(*methods: m.MethodSpec, seeds: tuple[int, ...] = (7,)) -> Matrix:
    methods = methods or (m.renoised(2), m.switched(1))
    return make_matrix(*methods, seeds=seeds, metrics=("clip-score",), language=CHAT, critic=CHAT)


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, Any]:
    """What a run gives in which nothing goes wrong, by method and seed, for prompts of the same words; its files are
    gone, so that others write their own."""
    run = make_run(matrix=matrix(seeds=SEEDS), prompts=[a_prompt()])
    Workshop().work()
    shutil.rmtree(tmp_path / "media")
    return pictures(run)


def a_prompt() -> Any:
    return make_prompt("A red circle above a blue square.", prompt_set=make_prompt_set())


def pictures(run: Run) -> dict[str, Any]:
    steps = run.steps.filter(kind="draw").values_list("method__name", "seed", "image__sha256")
    return {f"{method} {seed}": sha256 for method, seed, sha256 in steps}


def a_run(**fields: Any) -> Run:
    return make_run(matrix=matrix(seeds=SEEDS), prompts=[a_prompt()], **fields)


def n_images(run: Run) -> int:
    return Image.objects.filter(prompt__runs=run).count()


# --- too little memory -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("most", [4, 2, 1])
def test_out_of_memory_halves_the_batch_until_it_fits_and_gives_the_same_images(
    most: int, whole: dict[str, Any]
) -> None:
    workshop, run = Workshop(), a_run()
    workshop.painter.most = most
    workshop.work()

    assert pictures(run) == whole
    # Eight, then half as many, and what fits stays the size for the rest of the claim.
    tried = {4: [8], 2: [8, 4], 1: [8, 4, 2]}[most]
    first_claim = workshop.painter.sizes[: len(tried) + 8 // most]
    assert first_claim == tried + [most] * (8 // most)
    assert not run.steps.filter(state=Step.State.FAILED).exists()


def test_an_image_that_does_not_fit_alone_fails_with_the_cure_and_those_that_fit_are_kept() -> None:
    workshop, run = Workshop(), a_run()
    workshop.painter.broken = lambda request: (
        OutOfMemory("no room for seed 5", "Use a smaller size.") if request.seed == 5 else None
    )
    workshop.work()

    failed = run.steps.get(state=Step.State.FAILED)
    assert (failed.seed, failed.cure) == (5, "Use a smaller size.")
    assert "no room for seed 5" in failed.message
    assert run.steps.filter(kind="draw", round=0, state=Step.State.DONE).count() == 7
    run.refresh_from_db()
    assert run.state == Run.State.DONE
    assert run.message.startswith("1 step failed")


def test_engines_that_lie_idle_make_room_before_the_batch_is_halved() -> None:
    workshop = Workshop()
    a_run()
    workshop.painter.most = 4
    asked = []

    def make_room(spec: EngineSpec) -> int:
        asked.append(spec.engine)
        workshop.painter.most = 8
        return 1 if len(asked) == 1 else 0

    workshop.step("gpu", make_room=make_room)

    assert asked == ["sd3"]
    assert workshop.painter.sizes == [8, 8]


# --- a full disk -----------------------------------------------------------------------------------------------------
def test_a_full_disk_pauses_the_run_and_after_the_cure_it_goes_on_to_the_same_images(
    monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]
) -> None:
    workshop, run = Workshop(), a_run()
    save = FileSystemStorage._save
    room = [10]

    def full(self: FileSystemStorage, name: str, content: Any) -> str:
        if not room[0]:
            # As a real file system does it: the file is there, and half of it is written.
            save(self, name, content.__class__(content.read()[:5]))
            raise OSError(errno.ENOSPC, "No space left on device")
        room[0] -= 1
        return save(self, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", full)
    workshop.work()

    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert run.cure == "Free space, then resume."
    assert run.steps.filter(state=Step.State.DONE, kind="draw").count() == n_images(run) == 2
    assert not run.steps.filter(state__in=[Step.State.RUNNING, Step.State.FAILED]).exists()
    assert set(run.steps.filter(state=Step.State.WAITING).values_list("n_tries", flat=True)) == {0}

    room[0] = 10_000
    resume(run=run)
    workshop.work()
    assert pictures(run) == whole
    assert all(image.file.read()[-8:-4] == b"IEND" for image in Image.objects.filter(prompt__runs=run))


@pytest.mark.parametrize("text", ["database or disk is full", 'could not extend file "x": No space left on device'])
def test_a_full_database_pauses_too(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    workshop, run = Workshop(), a_run()

    def full(*args: Any, **fields: Any) -> None:
        raise OperationalError(text)

    monkeypatch.setattr(drawing, "save_image", full)
    workshop.step("gpu")

    run.refresh_from_db()
    assert (run.state, run.cure) == (Run.State.PAUSED, "Free space, then resume.")


def test_a_database_that_does_not_answer_fails_no_step(monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]) -> None:
    workshop, run = Workshop(), a_run()

    def gone(*args: Any, **fields: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(drawing, "save_image", gone)
        with pytest.raises(OperationalError):
            workshop.step("gpu")
    assert not run.steps.exclude(state=Step.State.WAITING).exists()

    workshop.work()
    assert pictures(run) == whole


# --- workers that die, and work that is stopped ----------------------------------------------------------------------
class Killed(BaseException):
    """Stands for kill -9: nothing runs after it."""


@pytest.mark.parametrize("place", ["before the file", "between file and row", "behind the third row"])
def test_a_killed_workers_successor_goes_on_and_makes_no_image_twice(
    place: str, monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]
) -> None:
    workshop, run = Workshop(), a_run()
    seen = []

    def dies(name: str, after: int) -> Any:
        function = getattr(drawing, name)

        def call(*args: Any, **fields: Any) -> Any:
            seen.append(name)
            if len(seen) > after:
                raise Killed
            return function(*args, **fields)

        return call

    name, after = {
        "before the file": ("store_image", 0),
        "between file and row": ("save_image", 0),
        "behind the third row": ("save_image", 3),
    }[place]
    with monkeypatch.context() as patch:
        patch.setattr(drawing, name, dies(name, after))
        patch.setattr(work, "give_back", lambda **fields: None)
        with pytest.raises(Killed):
            workshop.step("gpu")
    assert n_images(run) == after
    assert run.steps.filter(state=Step.State.RUNNING).count() == 8 - after
    assert claim(queue="gpu") is None

    assert reap(now=timezone.now() + LATER) == 8 - after
    workshop.work()
    assert pictures(run) == whole
    assert n_images(run) == len(whole)


def test_a_worker_that_is_told_to_end_returns_what_it_has_as_if_nothing_had_been() -> None:
    workshop, run = Workshop(), a_run()
    workshop.painter.faults = [SystemExit()]
    with pytest.raises(SystemExit):
        workshop.step("gpu")
    workshop.painter.faults = [Stopped()]
    workshop.step("gpu")

    steps = set(run.steps.values_list("state", "n_tries", "message"))
    assert steps == {(Step.State.WAITING, 0, "")}


def test_a_cancelled_run_is_broken_off_at_the_engines_next_step() -> None:
    workshop, run = Workshop(), a_run()
    n = []

    def on_step(done: int, total: int) -> None:
        n.append(done)
        if len(n) == 2:
            cancel(run=Run.objects.get(pk=run.pk))
            raise Stopped

    workshop.step("gpu", on_step=on_step)

    assert set(run.steps.values_list("state", flat=True)) == {Step.State.CANCELLED}
    assert n_images(run) == 0


def test_what_another_worker_took_over_is_not_written_and_the_rest_is() -> None:
    workshop, run = Workshop(), a_run()
    claimed = claim(queue="gpu")
    assert claimed is not None
    lost = claimed.steps[2]
    Step.objects.filter(pk=lost.pk).update(claim="another worker's")

    work.carry_out(claim=claimed, engine_for=workshop.engine_for, on_step=lambda done, total: None)

    lost.refresh_from_db()
    assert (lost.state, lost.image) == (Step.State.RUNNING, None)
    assert run.steps.filter(kind="draw", state=Step.State.DONE).count() == n_images(run) == 7


# --- engines that fail -----------------------------------------------------------------------------------------------
def test_only_the_culprit_of_a_batch_fails_with_its_reason_and_can_be_retried(whole: dict[str, Any]) -> None:
    workshop, run = Workshop(), a_run()
    workshop.painter.broken = lambda request: BadAnswer("It overflowed.", "Use bf16.") if request.seed == 3 else None
    workshop.work()

    failed = run.steps.get(state=Step.State.FAILED)
    assert (failed.seed, failed.message, failed.cure) == (3, "It overflowed.", "Use bf16.")
    workshop.painter.broken = lambda request: None
    run.refresh_from_db()
    retry_failed(run=run)
    workshop.work()
    assert pictures(run) == whole


def test_an_error_nobody_foresaw_fails_its_step_with_type_and_text_and_is_raised_on(settings: Any) -> None:
    settings.GENERATION_ENDPOINTS = {"here": ("http://localhost/v1", "sk-very-secret")}
    workshop, run = Workshop(), a_run()

    def broken(request: DrawRequest) -> BaseException | None:
        return ValueError("sk-very-secret " + "x" * 5_000) if request.seed == 3 else None

    workshop.painter.broken = broken
    with pytest.raises(ValueError, match="xxx"):
        workshop.step("gpu")

    failed = run.steps.get(state=Step.State.FAILED)
    assert failed.message.startswith("ValueError: … xxx")
    assert len(failed.message) <= 500
    assert run.steps.filter(kind="draw", round=0, state=Step.State.DONE).count() == 7


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


def test_an_engine_that_finds_no_room_at_all_pauses_the_run() -> None:
    workshop, run = Workshop(), a_run()

    def engine_for(spec: EngineSpec) -> Any:
        raise OutOfMemory("16 GB are not enough.")

    workshop.step("gpu", engine_for=engine_for)

    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert "no room for sd3" in run.message
    assert "offload" in run.cure


def test_a_score_that_is_no_number_fails() -> None:
    workshop, run = Workshop(), make_run(matrix=matrix(m.BASELINE))
    workshop.clip.constant = float("nan")
    workshop.work()

    assert "nan" in run.steps.get(kind="score").message


def test_a_file_that_is_no_image_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    workshop, run = Workshop(), make_run(matrix=matrix(m.BASELINE))
    draw = workshop.painter._draw
    monkeypatch.setattr(workshop.painter, "_draw", lambda request: type(draw(request))(b"no image"))
    workshop.work()

    assert run.steps.get(kind="draw").state == Step.State.FAILED
    assert n_images(run) == 0
