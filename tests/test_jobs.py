"""The law of jobs, for every kind of row that a worker carries out: one winner, one successor, nothing lost."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from annotations import tasks as report_tasks
from annotations.models import ReportSnapshot
from annotations.queries.reports import inputs_of
from annotations.services import reports
from generation import tasks
from generation.jobs import MOST_TRIES, Leased, Pulse, renew, send_or_wait
from generation.models import ImportRun, Reproduction, Run, Step
from generation.services import reproduction_runs
from generation.services.imports import import_runs
from generation.services.runs import claiming, planning
from tests.factories import make_image, make_matrix, make_prompt, make_run, make_study, make_user

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=2)


@dataclass(frozen=True)
class Kind:
    """How one kind of job is made, claimed, and freed or sent again after its worker's death."""

    make: Callable[[], Leased]
    claim: Callable[[int, datetime], Any]
    find_abandoned: Callable[[datetime], object]


def _import() -> ImportRun:
    return ImportRun.objects.create(kind="prompts", owner=make_user(), file_name="a.csv", lease_until=timezone.now())


def _planning() -> Run:
    prompt = make_prompt()
    return planning.create_run(
        name="a run", owner=None, prompt_set=prompt.prompt_set, prompts=[prompt.pk], matrix=make_matrix()
    )


def _step() -> Step:
    return make_run(n_prompts=1).steps.filter(n_unmet=0).order_by("position")[0]


def _report() -> ReportSnapshot:
    study = make_study(n_items=1)
    return reports.ask_report(study=study, inputs=inputs_of(study, []), comparisons=[])[0]


KINDS = {
    "import": Kind(
        _import,
        lambda pk, now: import_runs.claim(run_id=pk, now=now),
        lambda now: import_runs.take_abandoned(now=now),
    ),
    "planning": Kind(
        _planning,
        lambda pk, now: planning.claim_planning(pk, now=now),
        lambda now: planning.waiting_for_planner(now=now),
    ),
    "step": Kind(_step, lambda pk, now: claiming.claim(queue="gpu", now=now), lambda now: claiming.reap(now=now)),
    "reproduction": Kind(
        lambda: reproduction_runs.ask(image=make_image(), owner=None)[0],
        lambda pk, now: reproduction_runs.claim(reproduction_id=pk, now=now),
        lambda now: reproduction_runs.take_abandoned(now=now),
    ),
    "report": Kind(
        _report,
        lambda pk, now: reports.claim(snapshot_id=pk, now=now),
        lambda now: reports.take_abandoned(now=now),
    ),
}


@pytest.fixture(params=sorted(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


def test_of_two_claims_one_wins(kind: Kind) -> None:
    now = timezone.now()
    row = kind.make()
    assert kind.claim(row.pk, now)
    assert not kind.claim(row.pk, now)
    row.refresh_from_db()
    assert len(row.claim) == 32
    assert row.n_tries == 1
    assert row.lease_until is not None
    assert row.lease_until > now


def test_when_the_lease_is_over_another_worker_takes_it_and_the_first_writes_nothing(kind: Kind) -> None:
    now = timezone.now()
    row = kind.make()
    kind.claim(row.pk, now)
    row.refresh_from_db()
    first = row.claim
    assert type(row).held(first).exists()
    assert not type(row).held("").exists()

    assert kind.find_abandoned(now + LATER)
    assert kind.claim(row.pk, now + LATER)

    row.refresh_from_db()
    assert row.claim not in ("", first)
    assert row.n_tries == 2
    assert not type(row).held(first).update(n_tries=99)
    assert not renew(type(row).held(first))
    assert renew(type(row).held(row.claim))


def test_a_living_worker_keeps_it(kind: Kind) -> None:
    now = timezone.now()
    row = kind.make()
    kind.claim(row.pk, now)
    row.refresh_from_db()
    assert renew(type(row).held(row.claim), now=now + LATER)
    kind.find_abandoned(now + LATER)
    assert not kind.claim(row.pk, now + LATER)


@pytest.mark.parametrize("name", sorted(set(KINDS) - {"planning"}))
def test_what_has_outlived_several_workers_fails_and_says_so(name: str) -> None:
    kind = KINDS[name]
    now = timezone.now()
    row = kind.make()
    kind.claim(row.pk, now)
    type(row)._default_manager.filter(pk=row.pk).update(n_tries=MOST_TRIES)

    kind.find_abandoned(now + LATER)

    row = type(row)._default_manager.get(pk=row.pk)
    assert row.state == "failed"  # type: ignore[attr-defined]
    assert row.lease_until is None
    said = row.problem if isinstance(row, Reproduction) else row.message  # type: ignore[attr-defined]
    assert str(MOST_TRIES) in said
    assert not kind.claim(row.pk, now + LATER)


@pytest.mark.parametrize(
    ("task", "send"),
    [
        (tasks.run_import, tasks.send_import),
        (tasks.plan_run, tasks.send_planning),
        (tasks.reproduce_image, tasks.send_reproduction),
        (tasks.advance, lambda _: tasks.hint("cpu")),
        (report_tasks.build_report, report_tasks.send_report),
    ],
)
def test_where_the_broker_does_not_answer_the_row_waits(
    task: Any, send: Callable[[int], object], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(task, "apply_async", refuse)
    send(7)
    assert "The broker does not answer" in caplog.text
    assert send_or_wait(task, 7, waits="row 7") is False
    assert "row 7 waits" in caplog.text


def test_a_pulse_renews_until_the_work_ends_and_stops_work_that_is_no_longer_ours() -> None:
    from threading import Event

    from generation.recipes.contract import Stopped

    renewed, lost = Event(), Event()

    def answer() -> bool:
        renewed.set()
        return not lost.is_set()

    with Pulse(answer, lease=timedelta(seconds=0.2), name="test") as pulse:
        assert renewed.wait(30)
        pulse.on_step(1, 2)
        lost.set()
        pulse._thread.join(30)
        with pytest.raises(Stopped):
            pulse.on_step(2, 2)
