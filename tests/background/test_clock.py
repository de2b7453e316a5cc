"""The clock runs periodic tasks by itself, each in its interval, whatever becomes of another."""

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.utils import timezone

from evalsite.background import clock
from generation.models import ImportRun
from tests import servers
from tests.conftest import site_environment


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in a list of one number."""
    now = [1000.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: now[0])
    return now


def fail() -> None:
    raise ZeroDivisionError


def make_clock(**tasks: tuple[Callable[[], object], float]) -> clock.Clock:
    conf = SimpleNamespace(
        beat_schedule={name: {"task": name, "schedule": seconds} for name, (_run, seconds) in tasks.items()},
        beat_max_loop_interval=0,
        beat_sync_every=0,
    )
    runs = {name: run for name, (run, _seconds) in tasks.items()}
    return clock.Clock(SimpleNamespace(conf=conf, tasks=runs, amqp=SimpleNamespace(Producer=None)))


@pytest.mark.django_db  # the clock closes the connections that an earlier test may have left open
def test_each_task_runs_at_the_start_and_then_in_its_interval(at: list[float]) -> None:
    ran: list[str] = []
    conf = SimpleNamespace(
        beat_schedule={
            name: {"task": name, "schedule": seconds} for name, seconds in (("bad", 3), ("a", 5), ("b", 20))
        },
        beat_max_loop_interval=0,
        beat_sync_every=0,
    )
    tasks = {"bad": fail, "a": lambda: ran.append("a"), "b": lambda: ran.append("b")}
    scheduler = clock.Clock(SimpleNamespace(conf=conf, tasks=tasks, amqp=SimpleNamespace(Producer=None)))
    assert scheduler.tick() == 3
    assert ran == ["a", "b"]
    for _ in range(20):
        at[0] += 1
        scheduler.tick()
    assert ran == ["a", "b", "a", "a", "a", "a", "b"]


@pytest.mark.django_db
def test_a_task_that_swallows_the_signal_to_end_does_not_keep_the_clock_going() -> None:
    def interrupted() -> None:
        scheduler.close()  # as beat's signal handler does before it raises SystemExit
        raise RuntimeError("an import turned SystemExit into this")

    scheduler = make_clock(interrupted=(interrupted, 1))
    scheduler.tick()
    with pytest.raises(SystemExit):
        scheduler.tick()


@pytest.mark.worker
@pytest.mark.django_db(transaction=True)
def test_beat_sends_an_abandoned_import_again_without_any_worker(tmp_path: Path) -> None:
    run = ImportRun.objects.create(kind="prompts", file_name="a.csv", lease_until=timezone.now() - timedelta(seconds=1))
    command = [sys.executable, "-m", "celery", "--quiet", "--app", "evalsite", "beat", "--loglevel", "INFO"]
    beat = servers.start(command, log=tmp_path / "beat.log", env=site_environment(CELERY_BROKER_URL="filesystem://"))
    try:
        servers.wait_until(lambda: ImportRun.objects.get(pk=run.pk).lease_until > timezone.now(), beat)
    finally:
        assert beat.stop() in (0, -15), beat.says()
    assert not (servers.ROOT / "celerybeat-schedule").exists()
