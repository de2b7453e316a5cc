"""`manage.py generate`: what the run pages do, from a terminal, with the tiny engines."""

import io
import json
from contextlib import suppress
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from generation.models import Run, Step
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import methods
from generation.recipes.matrix.matrix import Matrix
from generation.recipes.matrix.methods import Drawing
from tests.factories import make_prompt, make_prompt_set, make_user

pytestmark = pytest.mark.django_db(transaction=True)
TINY = EngineSpec("sd3", {"model": "tiny"})
SMALL = Drawing(n_steps=2, width=32, height=32)
ABSENT = EngineSpec("sd3", {"model": "nobody/has-this", "revision": "0" * 40})


@pytest.fixture(autouse=True)
def _prompts() -> None:
    prompt_set = make_prompt_set("to try")
    for category in ("functional", "functional", "other"):
        make_prompt(prompt_set=prompt_set, category=category)


def generate(*arguments: object) -> str:
    said = io.StringIO()
    call_command("generate", *map(str, arguments), stdout=said, stderr=said)
    return said.getvalue()


def matrix_file(folder: Path, image: EngineSpec = TINY) -> Path:
    matrix = Matrix((methods.BASELINE,), (1, 2), {"image": image}, drawing=SMALL)
    file = folder / "matrix.json"
    file.write_text(json.dumps(matrix.as_json()))
    return file


def start(folder: Path, *more: object, image: EngineSpec = TINY) -> str:
    return generate("start", "--prompt-set", "to try", "--matrix", matrix_file(folder, image), *more)


def test_started_here_it_shows_its_progress_and_ends(tmp_path: Path) -> None:
    make_user("ruth")

    said = start(tmp_path, "--category", "functional", "--owner", "ruth", "--name", "mine", "--here")

    run = Run.objects.get()
    assert (run.state, run.name, str(run.owner)) == (Run.State.DONE, "mine", "ruth")
    assert said.splitlines()[0] == f"Run {run.pk}: mine, 2 prompts."
    assert said.splitlines()[-1] == f"Run {run.pk}, done: 4 of 4 steps, 4 images, 0 failed."


def test_a_run_that_waits_for_a_worker_can_be_steered(tmp_path: Path) -> None:
    start(tmp_path, "--first", "1")
    run = Run.objects.get()
    assert run.state == Run.State.PLANNING
    assert "being planned" in generate("list")

    generate("show", run.pk, "--here")
    with pytest.raises(CommandError, match="This run is done"):
        generate("pause", run.pk)


def test_paused_resumed_cancelled(tmp_path: Path) -> None:
    start(tmp_path)
    run = Run.objects.get()
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, lease_until=None)

    assert "Paused" in generate("pause", run.pk)
    assert "Resumed" in generate("resume", run.pk)
    assert "Cancelled" in generate("cancel", run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    with pytest.raises(CommandError, match="This run is cancelled"):
        generate("resume", run.pk)


def test_failures_are_listed_with_their_cure_and_retried(tmp_path: Path) -> None:
    start(tmp_path, "--here")
    run = Run.objects.get()
    Step.objects.filter(pk=run.steps.all()[0].pk).update(
        state=Step.State.FAILED, message="No room on the device.", cure="Draw smaller."
    )

    told = generate("failures", run.pk)
    assert "No room on the device." in told
    assert "Draw smaller." in told
    assert "Steps that will be retried: 1." in generate("retry", run.pk, "--here")
    assert not run.steps.exclude(state=Step.State.DONE).exists()


def test_missing_weights_are_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Nothing was started"):
        start(tmp_path, "--check", image=ABSENT)
    assert not Run.objects.exists()
    assert "Nothing is missing." in start(tmp_path, "--check")


def test_a_run_whose_weights_are_missing_pauses_with_the_command_that_gets_them(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"hf download nobody/has-this --revision 0+"):
        start(tmp_path, "--here", image=ABSENT)

    run = Run.objects.get()
    assert run.state == Run.State.PAUSED
    assert set(run.steps.values_list("state", "n_tries")) == {(Step.State.WAITING, 0)}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ("start", "--prompt-set", "no such", "--experiment", "tiny"),
            "There is no prompt set 'no such'",
        ),
        (("start", "--prompt-set", "to try", "--experiment", "tiny", "--category", "x"), "No prompt of 'to try' fits"),
        (("start", "--prompt-set", "to try", "--experiment", "detailscribe", "--category", "functional"), "critic"),
        (("start", "--prompt-set", "to try", "--matrix", "no such file"), "No such file"),
        (("start", "--prompt-set", "to try", "--experiment", "tiny", "--critic", "a person"), "--critic: give JSON"),
        (("start", "--prompt-set", "to try", "--experiment", "tiny", "--owner", "nobody"), "There is no user 'nobody'"),
        (("show", "99"), "There is no run 99"),
        (("start", "--prompt-set", "to try"), "required"),
    ],
)
def test_bad_input_is_refused_with_what_would_do(arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        generate(*arguments)
    assert not Run.objects.exists()


def test_a_matrix_file_that_is_none_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "matrix.json"
    file.write_text('{"methods": 3}')
    with pytest.raises(CommandError, match=r"matrix\.json"):
        generate("start", "--prompt-set", "to try", "--matrix", file)


@pytest.mark.sqlite
def test_a_database_without_room_is_named_with_the_command_that_goes_on(tmp_path: Path) -> None:
    matrix = Matrix(
        (methods.BASELINE,), tuple(range(40)), {"image": TINY}, drawing=Drawing(n_steps=1, width=16, height=16)
    )
    file = tmp_path / "many.json"
    file.write_text(json.dumps(matrix.as_json()))
    generate("start", "--prompt-set", "to try", "--first", "1", "--matrix", file)
    run = Run.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE ballast (filler BLOB)")
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
        # The free pages that other tests left are used up first.
        with suppress(OperationalError):
            for _n in range(10_000):
                cursor.execute("INSERT INTO ballast VALUES (zeroblob(3000))")
    try:
        with pytest.raises(CommandError, match=rf"disk is full.*`generate show {run.pk} --here`"):
            generate("show", run.pk, "--here")
        with pytest.raises(CommandError, match=rf"not paused.*`generate show {run.pk} --here`"):
            generate("resume", run.pk)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA max_page_count = 1073741823")
            cursor.execute("DROP TABLE ballast")
    Run.objects.update(lease_until=None)  # instead of waiting for the planner's lease to end
    generate("show", run.pk, "--here")
    run.refresh_from_db()
    assert run.state == Run.State.DONE
