"""What goes wrong while steps are carried out: the run goes on or stops with a cure, no image twice, none lost."""

import errno
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import OperationalError, transaction
from django.utils import timezone

from generation.models import Image, Run, Step
from generation.recipes.contract import (
    BadAnswer,
    DrawRequest,
    OutOfMemory,
    Stopped,
)
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods as m
from generation.services.runs import work
from generation.services.runs.claiming import claim, reap
from generation.services.runs.steering import cancel, resume, retry_failed
from generation.services.runs.steps import drawing
from tests.factories import make_run
from tests.generation.runs.faulty import LATER, SEEDS, a_prompt, a_run, matrix, n_images, pictures
from tests.generation.small_engines import Workshop

pytestmark = pytest.mark.django_db


WHOLE: dict[str, Any] = {}


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, Any]:
    """What a run gives in which nothing goes wrong, by method and seed, for prompts of the same words. It is carried
    out once; its rows and files are gone, so that others write their own."""
    if not WHOLE:
        before = transaction.savepoint()
        run = make_run(matrix=matrix(seeds=SEEDS), prompts=[a_prompt()])
        Workshop().work()
        WHOLE.update(pictures(run))
        transaction.savepoint_rollback(before)
        shutil.rmtree(tmp_path / "media")
    return dict(WHOLE)


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
    """Like kill -9: nothing runs after it."""


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


def test_a_worker_that_is_asked_to_end_returns_its_steps_untouched() -> None:
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


def test_an_error_nobody_foresaw_fails_its_step_with_type_and_text_and_is_re_raised(settings: Any) -> None:
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


def test_an_engine_that_finds_no_room_at_all_pauses_the_run() -> None:
    workshop, run = Workshop(), a_run()

    def engine_for(spec: EngineSpec) -> Any:
        raise OutOfMemory("16 GB are not enough.")

    workshop.step("gpu", engine_for=engine_for)

    run.refresh_from_db()
    assert run.state == Run.State.PAUSED
    assert "not enough memory for sd3" in run.message
    assert "offload" in run.cure


def test_a_score_that_is_not_a_number_fails() -> None:
    workshop, run = Workshop(), make_run(matrix=matrix(m.BASELINE))
    workshop.clip.constant = float("nan")
    workshop.work()

    assert "nan" in run.steps.get(kind="score").message


def test_of_a_file_that_is_gone_only_its_score_fails_and_says_so() -> None:
    class Losing(Workshop):
        """The first image's file is lost just before the images are scored."""

        def engine_for(self, spec: EngineSpec) -> Any:
            if spec.engine == "clip-score":
                default_storage.delete(str(Image.objects.order_by("pk")[0].file.name))
            return super().engine_for(spec)

    run = make_run(matrix=matrix(m.BASELINE), n_prompts=2)
    Losing().work()

    failed = run.steps.get(state=Step.State.FAILED)
    assert failed.kind == "score"
    assert failed.message.startswith("The file of image ")
    assert "from a backup" in failed.cure
    assert run.steps.filter(kind="score", state=Step.State.DONE).count() == 1


def test_a_file_that_is_not_an_image_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    workshop, run = Workshop(), make_run(matrix=matrix(m.BASELINE))
    draw = workshop.painter._draw
    monkeypatch.setattr(workshop.painter, "_draw", lambda request: type(draw(request))(b"no image"))
    workshop.work()

    assert run.steps.get(kind="draw").state == Step.State.FAILED
    assert n_images(run) == 0
