"""Reports in a worker: claimed once, sent after commit, failed loudly, given up when their worker is dead."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError

from annotations import dispatch, tasks
from annotations.models import ReportSnapshot, Study
from annotations.queries.reports import inputs_of, methods_of
from annotations.queries.result_units import linked_methods, study_methods
from annotations.reports.documents.conversion import from_json
from annotations.reports.documents.study import StudyDocument
from annotations.reports.study import analysis
from annotations.services import reports
from generation.models import Image, MetricScore
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.django_db

State = ReportSnapshot.State


@pytest.fixture
def study() -> Study:
    study = make_study(n_items=4, k=9)
    for _ in range(2):
        rater = make_rater(study)
        for i, item in enumerate(study.items.all()):
            make_answer(item, rater, level=i)
    return study


def enlarge(study: Study) -> None:
    """Have the study count as too large for a request: by its metrics, which are quicker to make than ratings."""
    images = Image.objects.filter(items__study=study)
    MetricScore.objects.bulk_create(
        MetricScore(image=image, metric=f"metric {n}", version="1", value=n * image.pk)
        for image in images
        for n in range(reports.MOST_METRICS_AT_ONCE + 1)
    )


@pytest.fixture
def large(study: Study) -> None:
    enlarge(study)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sent: list[int] = []
    monkeypatch.setattr(tasks.build_report, "apply_async", lambda *, args, **_: sent.append(*args))
    return sent


def waiting(study: Study) -> ReportSnapshot:
    return reports.ask_report(study=study, inputs=inputs_of(study, []), comparisons=[])[0]


def test_called_twice_one_result(study: Study) -> None:
    snapshot = waiting(study)
    tasks.build_report(snapshot.pk)
    snapshot.refresh_from_db()
    first = snapshot.results
    assert snapshot.state == State.DONE
    assert snapshot.n_ratings == 8

    tasks.build_report(snapshot.pk)

    snapshot.refresh_from_db()
    assert snapshot.results == first
    assert study.snapshots.count() == 1


def test_the_same_seed_gives_the_same_figures_again(study: Study) -> None:
    snapshot = waiting(study)
    tasks.build_report(snapshot.pk)
    first = ReportSnapshot.objects.get().results
    assert first is not None
    snapshot.delete()
    tasks.build_report(waiting(study).pk)
    second = ReportSnapshot.objects.get().results
    assert second is not None
    assert second["dimensions"] == first["dimensions"]
    assert second["made"]["inputs_hash"] == first["made"]["inputs_hash"]


def test_a_failure_is_kept_and_re_raised(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no disk")

    snapshot = waiting(study)
    monkeypatch.setattr(analysis, "analyse", broken)

    with pytest.raises(RuntimeError, match="no disk"):
        tasks.build_report(snapshot.pk)

    snapshot.refresh_from_db()
    assert snapshot.state == State.FAILED
    assert "no disk" in snapshot.message
    assert snapshot.results is None


def test_who_asks_at_once_gets_the_same_one(study: Study) -> None:
    assert waiting(study) == waiting(study)


def test_a_large_study_is_sent_to_a_worker_after_commit(
    study: Study, large: None, sent: list[int], client: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client.force_login(study.owner)
    with django_capture_on_commit_callbacks(execute=False) as callbacks:
        text = client.get(f"/study/{study.token}/results/").content.decode()
    assert sent == []
    assert len(callbacks) == 1
    callbacks[0]()
    (snapshot_id,) = sent
    assert "being calculated" in text
    state = f"/study/{study.token}/results/{snapshot_id}/state/"
    assert state in text
    assert "being calculated" in client.get(state).content.decode()

    tasks.build_report(snapshot_id)

    assert client.get(state).headers["HX-Refresh"] == "true"
    text = client.get(f"/study/{study.token}/results/").content.decode()
    assert "8 ratings of 4 items by 2 raters" in text
    assert "being calculated" not in text


def test_a_large_study_is_not_computed_at_every_answer(
    study: Study, large: None, sent: list[int], client: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    def look(**options: bool) -> ReportSnapshot:
        with django_capture_on_commit_callbacks(execute=True):
            return dispatch.find_report(study=study, comparisons=[], user=None, **options).snapshot

    first = look()
    tasks.build_report(first.pk)
    make_answer(study.items.all()[0], make_rater(study))

    assert look() == first
    client.force_login(study.owner)
    assert "New answers have arrived since then" in client.get(f"/study/{study.token}/results/").content.decode()
    assert look(again=True) != first
    assert len(sent) == 2

    study.snapshots.all().delete()
    tasks.build_report(look().pk)
    study.snapshots.update(ended_at=timezone.now() - timedelta(hours=2))
    make_answer(study.items.all()[1], make_rater(study))
    assert look().state == State.WAITING


def test_without_a_broker_it_waits_and_is_sent_later(
    study: Study,
    large: None,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    def no_broker(**_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(tasks.build_report, "apply_async", no_broker)
    with django_capture_on_commit_callbacks(execute=True):
        snapshot = dispatch.find_report(study=study, comparisons=[], user=None).snapshot
    assert snapshot.state == State.WAITING
    sent: list[int] = []
    monkeypatch.setattr(tasks.build_report, "apply_async", lambda *, args, **_: sent.append(*args))
    assert tasks.resume_reports() == 0  # it has only just been asked for
    study.snapshots.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert tasks.resume_reports() == 1
    assert tasks.resume_reports() == 0  # it may only be in a long queue
    assert sent == [snapshot.pk]


def test_a_small_report_that_a_dead_process_left_is_computed_by_the_next_page(study: Study) -> None:
    dead = waiting(study)
    assert reports.claim(snapshot_id=dead.pk) is not None
    study.snapshots.update(lease_until=timezone.now() - timedelta(seconds=1))

    found = dispatch.find_report(study=study, comparisons=[], user=None).snapshot

    assert (found.pk, found.state, found.n_tries) == (dead.pk, State.DONE, 2)


def test_a_large_report_that_a_dead_worker_left_is_sent_by_the_next_page(
    study: Study, large: None, sent: list[int], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    dead = waiting(study)
    reports.claim(snapshot_id=dead.pk)
    study.snapshots.update(lease_until=timezone.now() - timedelta(seconds=1))
    with django_capture_on_commit_callbacks(execute=True):
        found = dispatch.find_report(study=study, comparisons=[], user=None)
    assert (found.snapshot, sent) == (dead, [dead.pk])
    tasks.build_report(dead.pk)
    assert study.snapshots.get().state == State.DONE


def test_a_slow_worker_does_not_overwrite_its_successor(study: Study) -> None:
    slow = reports.claim(snapshot_id=waiting(study).pk)
    assert slow is not None
    study.snapshots.update(lease_until=timezone.now() - timedelta(seconds=1))
    tasks.build_report(slow.pk)
    results = study.snapshots.get().results
    assert results is not None

    reports.build_report(snapshot=slow)
    of_the_slow_one = from_json(StudyDocument, results | {"title": "Of the slow one"})
    reports.build_report(snapshot=slow, work_out=lambda snapshot: (of_the_slow_one, []))

    assert (study.snapshots.get().state, study.snapshots.get().results) == (State.DONE, results)


@pytest.mark.worker
@pytest.mark.django_db(transaction=True)
def test_a_real_worker_computes_it(celery_worker_process: Callable[..., Any]) -> None:
    study = make_study(n_items=3, k=2)
    rater = make_rater(study)
    for item in study.items.all():
        make_answer(item, rater)
    enlarge(study)
    celery_worker_process("filesystem")

    snapshot = dispatch.find_report(study=study, comparisons=[], user=None).snapshot

    deadline = time.monotonic() + 60
    while snapshot.state in (State.WAITING, State.RUNNING) and time.monotonic() < deadline:
        time.sleep(0.1)
        snapshot.refresh_from_db()
    assert snapshot.state == State.DONE, snapshot.message
    assert snapshot.results is not None
    assert snapshot.results["dimensions"][0]["n_ratings"] == 3


def test_counts_of_a_large_study_are_kept_for_a_moment() -> None:
    study = make_study(n_items=2, k=3)
    item, rater = study.items.order_by("pk")[0], make_rater(study)
    before = inputs_of(study, [], large=-1)
    assert methods_of(study) == (study_methods(study), linked_methods(study))
    make_answer(item, rater)
    assert inputs_of(study, [], large=-1) == before
    assert inputs_of(study, [], fresh=True) != before
    assert inputs_of(study, []).n_ratings == 1
