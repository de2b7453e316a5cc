"""An answer is acknowledged only when it would survive a power cut."""

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from annotations.models import Assignment, Response
from annotations.queries import rating as queries
from annotations.services import turnstile
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


@pytest.mark.django_db(transaction=True)
@pytest.mark.sqlite
def test_a_disk_that_fails_acknowledges_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_study(n_items=1)
    rater = make_rater(study)
    reserve(rater=rater)
    [card] = queries.reserved(rater)
    [image] = card.item.images.all()
    answer = Answer(study.dimensions.get().pk, image.pk, 3)

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
    with turnstile.write_turn():
        pass
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        assert cursor.fetchone() == (2,)  # FULL


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
    disk = turnstile._Disk()
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
