"""An answer is acknowledged only when it would survive a power cut."""

import errno
import fcntl
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from django.db import connection, connections
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.models import Assignment, Response
from annotations.queries import rating as queries
from annotations.services import sqlite_writes
from annotations.services.rating import Answer, reserve, submit
from tests.factories import make_rater, make_study


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], int]:
    """What a power cut would leave, as a query on it: the files as they were when the log was last flushed.

    What a write has put into the log since then is only in the kernel's memory, and lost.
    """
    flush = os.fdatasync
    name = Path(str(connection.settings_dict["NAME"]))

    def flush_and_copy(file: int) -> None:
        flush(file)
        for suffix in ("", "-wal"):
            if Path(f"{name}{suffix}").exists():
                shutil.copyfile(f"{name}{suffix}", tmp_path / f"left.sqlite3{suffix}")

    monkeypatch.setattr(os, "fdatasync", flush_and_copy)

    def count(sql: str) -> int:
        with closing(sqlite3.connect(tmp_path / "left.sqlite3")) as left:
            [(n,)] = left.execute(sql)
        return int(n)

    return count


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_what_was_acknowledged_is_there_after_a_power_cut(on_disk: Callable[[str], int]) -> None:
    study = make_study(n_items=5)
    rater = make_rater(study)
    reserve(rater=rater)
    dimension = study.dimensions.get()

    for n_answers, card in enumerate(queries.reserved(rater, limit=5), start=1):
        [image] = card.item.images.all()
        submit(assignment=card, answers=[Answer(dimension.pk, image.pk, 3)], answered_at=timezone.now())

        assert on_disk("SELECT count(*) FROM annotations_response WHERE level = 3") == n_answers
        assert on_disk("SELECT count(*) FROM annotations_assignment WHERE state = 'answered'") == n_answers


def one_card() -> tuple[Assignment, Answer]:
    study = make_study(n_items=1)
    rater = make_rater(study)
    reserve(rater=rater)
    [card] = queries.reserved(rater)
    [image] = card.item.images.all()
    return card, Answer(study.dimensions.get().pk, image.pk, 3)


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_a_disk_that_fails_acknowledges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    card, answer = one_card()

    def fail(file: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", fail)
        with pytest.raises(OSError, match="No space"):
            submit(assignment=card, answers=[answer], answered_at=timezone.now())

    # The browser sends it again, and then it is acknowledged; it was not saved twice.
    submit(assignment=Assignment.objects.get(), answers=[answer], answered_at=timezone.now())
    assert Response.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_every_other_write_waits_for_the_disk_by_itself() -> None:
    with sqlite_writes.write_turn():
        pass
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (2,)  # FULL


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_an_answer_is_acknowledged_where_python_has_no_fdatasync(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS."""
    monkeypatch.delattr(os, "fdatasync")
    flushed: list[int] = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: flushed.append(file) or sync(file))
    card, answer = one_card()
    submit(assignment=card, answers=[answer], answered_at=timezone.now())
    assert Response.objects.count() == 1
    assert flushed


@pytest.mark.parametrize("is_known", [True, False])
def test_on_macos_the_drive_s_own_cache_is_flushed_too(monkeypatch: pytest.MonkeyPatch, is_known: bool) -> None:
    """By F_FULLFSYNC, or by fsync on a file system that does not know it."""
    calls: list[str] = []

    def control(file: int, command: int) -> None:
        calls.append(f"command {command}")
        if not is_known:
            raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.delattr(os, "fdatasync")
    monkeypatch.setattr(os, "fsync", lambda file: calls.append("fsync"))
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", control)
    sqlite_writes._sync(0)
    assert calls == (["command 51"] if is_known else ["command 51", "fsync"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_while_something_holds_the_file_all_give_up_after_one_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not each one after those before it; the answers can be sent again, and are saved then."""
    patience_s, n_raters = 1.5, 6
    monkeypatch.setitem(connections.settings["default"]["OPTIONS"], "timeout", patience_s)
    study = make_study(n_items=2 * n_raters, batch_size=1)
    field = f"d{study.dimensions.get().pk}-0"
    sends: list[Callable[[], HttpResponse]] = []
    for _ in range(n_raters):
        rater = make_rater(study)
        assert rater.user is not None
        reserve(rater=rater)
        [card] = queries.reserved(rater, limit=1)
        client = Client()
        client.force_login(rater.user, backend="django.contrib.auth.backends.ModelBackend")
        url = reverse("rate-answer", args=[study.token, card.token])
        sends.append(partial(client.post, url, {field: "3"}, headers={"accept": "application/json"}))
    statuses: list[int] = []

    def send(post: Callable[[], HttpResponse]) -> None:
        try:
            statuses.append(post().status_code)
        finally:
            connection.close()

    def send_all() -> float:
        threads = [threading.Thread(target=send, args=[post]) for post in sends]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return time.monotonic() - began

    with closing(sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        took_s = send_all()
        holder.execute("ROLLBACK")
    assert statuses == [503] * n_raters
    assert took_s < 3 * patience_s
    statuses.clear()
    send_all()
    assert statuses == [200] * n_raters
    assert Response.objects.count() == n_raters


def test_nobody_is_served_by_a_flush_that_began_too_early(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.touch()
    began, may_end = threading.Semaphore(0), threading.Semaphore(0)
    flushes: list[int] = []

    def slow(file: int) -> None:
        flushes.append(file)
        began.release()
        assert may_end.acquire(timeout=10)

    monkeypatch.setattr(os, "fdatasync", slow)
    disk = sqlite_writes._Disk()
    first = threading.Thread(target=disk.flush, args=[path])
    first.start()
    assert began.acquire(timeout=10)
    late = [threading.Thread(target=disk.flush, args=[path]) for _ in range(5)]
    for thread in late:
        thread.start()
    may_end.release()
    first.join(10)
    assert began.acquire(timeout=10), "those who came during the first flush need another"
    assert all(thread.is_alive() for thread in late)
    may_end.release()
    for thread in late:
        thread.join(10)
    assert len(flushes) == 2  # five threads, one flush
