"""Imports in a worker: claimed once, ended truly, taken over when their worker dies."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from generation import dispatch, tasks
from generation.models import ImportRun, MetricScore, Prompt
from generation.services.imports import import_runs
from generation.services.imports.importers import importers
from generation.services.imports.prompts import ROWS_AT_ONCE
from tests import servers
from tests.factories import make_user

pytestmark = pytest.mark.django_db
TABLE = b"prompt,topic\na fox,x\na hen,y\n,z\n"


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of messages: they are noted and go nowhere."""
    ids: list[int] = []
    monkeypatch.setattr(tasks.run_import, "apply_async", lambda *, args, **_: ids.append(*args))
    return ids


def make_run(
    content: bytes = TABLE, kind: str = "prompts", *, dry_run: bool = False, owner: User | None = None, **options: str
) -> ImportRun:
    importer = importers()[kind]
    return import_runs.create_run(
        importer=importer,
        uploads={importer.files[0].name: ContentFile(content, name="dir/prompts.csv")},
        options=options or {"prompt_set": "p"},
        owner=owner or make_user(),
        dry_run=dry_run,
    )


def test_the_task_imports_and_keeps_what_was_refused() -> None:
    run = make_run()
    tasks.run_import(run.pk)
    run.refresh_from_db()
    assert (run.state, run.file_name) == (ImportRun.State.DONE, "prompts.csv")
    assert (run.n_rows, run.n_created, run.n_unchanged, run.n_rejected) == (3, 2, 0, 1)
    assert run.message == "Added: prompts 2. 1 row was refused."
    assert run.first_rejects[0] | {"cure": ""} == {
        "file": "prompts.csv",
        "row": 4,
        "field": "prompt",
        "value": "",
        "problem": "the cell is empty",
        "cure": "",
    }
    with default_storage.open(run.rejects.name) as stream:
        rows = list(csv.DictReader(io.StringIO(stream.read().decode())))
    assert [(row["row"], row["field"]) for row in rows] == [("4", "prompt")]
    assert run.started_at is not None
    assert run.ended_at is not None


def test_called_twice_it_imports_once() -> None:
    run = make_run()
    tasks.run_import(run.pk)
    ended_at = ImportRun.objects.get().ended_at
    tasks.run_import(run.pk)
    assert (Prompt.objects.count(), ImportRun.objects.get().ended_at) == (2, ended_at)


def test_a_run_that_another_worker_has_is_left_to_it() -> None:
    run = make_run()
    assert import_runs.claim(run_id=run.pk) is not None
    assert import_runs.claim(run_id=run.pk) is None
    tasks.run_import(run.pk)
    assert not Prompt.objects.exists()


def test_one_person_s_imports_run_one_after_the_other_and_keep_nobody_waiting(sent: list[int]) -> None:
    first, second, third = (make_run(owner=user) for user in [make_user()] * 3)
    of_another = make_run(b"prompt\na heron\n", prompt_set="q")
    at_work = import_runs.claim(run_id=first.pk)
    assert at_work is not None

    for run in (second, third, of_another):
        tasks.run_import(run.pk)

    assert set(ImportRun.objects.filter(state=ImportRun.State.WAITING)) == {second, third}
    assert ImportRun.objects.get(pk=of_another.pk).state == ImportRun.State.DONE
    assert sent == []
    # When it has ended, and also when its worker has died, the next one is on its way.
    ImportRun.objects.filter(pk=first.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.run_import(second.pk)
    assert sent == [third.pk]
    assert ImportRun.objects.get(pk=second.pk).state == ImportRun.State.DONE


def test_the_next_import_is_sent_after_a_fault_too(sent: list[int]) -> None:
    owner = make_user()
    first, second = make_run(owner=owner), make_run(owner=owner)
    default_storage.delete(first.upload.name)
    with pytest.raises(FileNotFoundError):
        tasks.run_import(first.pk)
    assert sent == [second.pk]


def test_a_trial_run_counts_and_writes_nothing() -> None:
    run = make_run(dry_run=True)
    tasks.run_import(run.pk)
    run.refresh_from_db()
    assert (run.state, run.n_created, run.n_rejected) == (ImportRun.State.DONE, 2, 1)
    assert run.message == "Trial run. It would add: prompts 2. 1 row was refused."
    assert not Prompt.objects.exists()


def test_a_file_that_cannot_be_taken_fails_with_its_cure_and_without_alarm() -> None:
    run = make_run(b"colour\nred\n")
    tasks.run_import(run.pk)
    run.refresh_from_db()
    assert run.state == ImportRun.State.FAILED
    assert "no column holds the prompts" in run.message
    assert 'Name the column "prompt"' in run.message
    assert run.n_rejected == 1


def test_an_upload_that_is_gone_fails_the_run() -> None:
    run = make_run()
    default_storage.delete(run.upload.name)
    with pytest.raises(FileNotFoundError):
        tasks.run_import(run.pk)
    run.refresh_from_db()
    assert run.state == ImportRun.State.FAILED


N = ROWS_AT_ONCE
MANY = b"prompt\n" + b"".join(b"a fox number %d\n" % n for n in range(3 * N))
"""Three batches."""


@contextmanager
def once_saved(n_created: int, act: Callable[[], object]) -> Iterator[None]:
    """Within this block, `act` follows the statement that records this many created rows, before it is committed."""
    done = False

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal done
        result = execute(sql, params, many, context)
        if not done and sql.startswith('UPDATE "generation_importrun"'):
            done = ImportRun.objects.filter(n_created=n_created).exists()
            if done:
                act()
        return result

    with connection.execute_wrapper(watch):
        yield


def test_cancelled_it_keeps_what_was_saved_and_stops() -> None:
    run = make_run(MANY)
    with once_saved(N, lambda: import_runs.ask_to_cancel(run=run)):
        tasks.run_import(run.pk)
    run.refresh_from_db()
    assert (run.state, run.n_created, Prompt.objects.count()) == (ImportRun.State.CANCELLED, N, N)
    assert "is kept" in run.message


def test_cancelled_before_it_began_it_never_begins() -> None:
    run = make_run()
    import_runs.ask_to_cancel(run=run)
    tasks.run_import(run.pk)
    run.refresh_from_db()
    assert (run.state, Prompt.objects.count()) == (ImportRun.State.CANCELLED, 0)


def test_a_dead_workers_run_goes_on_with_true_counts() -> None:
    run = make_run(MANY)

    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    with once_saved(3 * N, die), pytest.raises(Killed):
        tasks.run_import(run.pk)
    run.refresh_from_db()
    assert (run.state, run.n_created, Prompt.objects.count()) == (ImportRun.State.RUNNING, 2 * N, 2 * N)
    tasks.run_import(run.pk)  # its lease still holds
    assert Prompt.objects.count() == 2 * N
    ImportRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.run_import(run.pk)
    run.refresh_from_db()
    assert (run.state, run.n_created, run.n_unchanged, run.n_rows) == (ImportRun.State.DONE, 3 * N, 0, 3 * N)
    assert (Prompt.objects.count(), run.message) == (3 * N, f"Added: prompts {3 * N:,}.")


def test_a_worker_whose_run_was_taken_over_writes_nothing_more() -> None:
    run = make_run(MANY)

    def take_over() -> None:
        past = timezone.now() - timedelta(seconds=1)
        ImportRun.objects.update(lease_until=past)
        assert import_runs.claim(run_id=run.pk) is not None

    with once_saved(N, take_over):
        tasks.run_import(run.pk)
    taken_over = ImportRun.objects.get()
    assert (taken_over.state, taken_over.n_tries) == (ImportRun.State.RUNNING, 2)
    assert Prompt.objects.count() == N


def test_a_run_that_is_held_is_renewed_by_its_own_worker_alone() -> None:
    run = make_run()
    first = import_runs.claim(run_id=run.pk)
    assert first is not None
    past = timezone.now() - timedelta(seconds=1)
    ImportRun.objects.update(lease_until=past)
    assert import_runs.renew(run=first)
    assert ImportRun.objects.get().lease_until > timezone.now()
    ImportRun.objects.update(lease_until=past)
    second = import_runs.claim(run_id=run.pk)
    assert second is not None
    assert (import_runs.renew(run=first), import_runs.renew(run=second)) == (False, True)


def test_a_fault_in_the_middle_of_a_batch_ends_the_run() -> None:
    """The batch is undone, and with it what it noted of its lease; the run is still ours to end."""

    def fail() -> None:
        raise ZeroDivisionError

    run = make_run()
    with once_saved(2, fail), pytest.raises(ZeroDivisionError):
        tasks.run_import(run.pk)
    run.refresh_from_db()
    assert (run.state, Prompt.objects.count()) == (ImportRun.State.FAILED, 0)
    assert "not your file (ZeroDivisionError)" in run.message


def test_a_run_that_has_outlived_several_workers_fails() -> None:
    """Otherwise one whose file takes all memory would end workers for ever."""
    run = make_run()
    for _ in range(import_runs.MOST_TRIES):
        assert tasks.resume_imports() in (0, 1)
        assert import_runs.claim(run_id=run.pk) is not None
        ImportRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert tasks.resume_imports() == 0
    run.refresh_from_db()
    assert (run.state, run.has_ended) == (ImportRun.State.FAILED, True)
    assert "died 6 times" in run.message


def test_lost_messages_and_dead_workers_are_found(sent: list[int]) -> None:
    waiting, running, fresh, done = (make_run() for _ in range(4))
    past = timezone.now() - timedelta(seconds=1)
    ImportRun.objects.filter(pk__in=[waiting.pk, running.pk]).update(lease_until=past)
    ImportRun.objects.filter(pk=running.pk).update(state=ImportRun.State.RUNNING)
    tasks.run_import(done.pk)
    assert tasks.resume_imports() == 2
    assert sent == [waiting.pk, running.pk]
    tasks.run_import(running.pk)
    assert tasks.resume_imports() == 0  # the waiting one was just sent
    assert fresh.state == ImportRun.State.WAITING


def test_the_message_is_sent_after_the_commit_alone(
    sent: list[int], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    importer = importers()["prompts"]
    with django_capture_on_commit_callbacks() as callbacks:
        run = dispatch.start_import(
            importer=importer,
            uploads={"table": ContentFile(TABLE, name="a.csv")},
            options={"prompt_set": "p"},
            owner=make_user(),
            dry_run=False,
        )
        assert sent == []
    for callback in callbacks:
        callback()
    assert sent == [run.pk]


def test_a_broker_that_does_not_answer_leaves_the_run_waiting(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    def refuse(**_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.run_import, "apply_async", refuse)
    run = make_run(dry_run=True)
    with django_capture_on_commit_callbacks(execute=True):
        again = dispatch.repeat_import(run=run, dry_run=False)
    assert (again.state, again.is_dry_run, again.upload.name) == ("waiting", False, run.upload.name)


def test_several_files_of_one_import_run_in_their_order() -> None:
    make = importers()["ratings"]
    run = import_runs.create_run(
        importer=make,
        uploads={
            "metrics": ContentFile(b"item,metric,value\ni1,clip,0.5\n", name="m.csv"),
            "table": ContentFile(b"item,rater,dimension,value\ni1,ann,match,4\n", name="r.csv"),
            "items": ContentFile(b"item,prompt,method\ni1,a fox,m\n", name="i.csv"),
        },
        options={"study": "s", "scale": "1-5"},
        owner=make_user(),
        dry_run=False,
    )
    tasks.run_import(run.pk)
    run.refresh_from_db()
    assert (run.state, run.n_created, run.first_rejects) == (ImportRun.State.DONE, 3, [])
    assert MetricScore.objects.get().image.prompt.prompt_set.name == "s"


@pytest.mark.worker
@pytest.mark.django_db(transaction=True)
def test_a_real_worker_imports_what_the_site_sends(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, celery_worker_process: Callable[..., servers.Server]
) -> None:
    monkeypatch.undo()  # messages are sent, and files lie where the worker looks for them
    files = {"location": str(settings.MEDIA_ROOT)}
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": files}
    }
    celery_worker_process("filesystem")
    run = dispatch.start_import(
        importer=importers()["prompts"],
        uploads={"table": ContentFile(TABLE, name="a.csv")},
        options={"prompt_set": "p"},
        owner=make_user(),
        dry_run=False,
    )
    deadline = timezone.now() + timedelta(seconds=30)
    while not run.has_ended and timezone.now() < deadline:
        run.refresh_from_db()
    assert (run.state, run.n_created) == (ImportRun.State.DONE, 2)
