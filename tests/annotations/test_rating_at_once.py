"""Many raters at once, through the real views, each in a thread with a database connection of its own."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection, transaction
from django.db.models import Count, F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.models import Assignment, LateAnswer, Rater, Response, Study
from annotations.services import rating
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db(transaction=True)
N_RATERS = 16
N_ITEMS = 60
N_WALKERS = 4


def work(rater: Rater, study: Study, field: str, *, most: int | None = None) -> int:
    """Rate over HTTP views until nothing comes, or until `most` answers; how many were given."""
    client = Client()
    assert rater.user is not None
    client.force_login(rater.user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("rate", args=[study.token])).content.decode()
    found = re.search(r'data-token="([^"]+)"', page)
    token = found.group(1) if found else None
    n = 0
    while token and n != most:
        url = reverse("rate-answer", args=[study.token, token])
        # Every answer comes twice, as from an impatient finger; the second brings the same next card.
        for _ in range(2):
            response = client.post(url, {field: str(n % 5)}, headers={"accept": "application/json"})
            assert response.status_code == 200, response.content
        cards = response.json()["cards"]
        token = cards[0]["token"] if cards else None
        n += 1
    return n


def at_once(jobs: list[Callable[[], object]]) -> None:
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(jobs))

    def run(job: Callable[[], object]) -> None:
        try:
            close_old_connections()
            barrier.wait(30)
            job()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)
    assert not errors, errors[0]


@pytest.mark.parametrize("k", [1, 3])
def test_exactly_k_answers_an_item_while_some_walk_away(k: int) -> None:
    study = make_study(n_items=N_ITEMS, k=k, batch_size=5)
    raters = [make_rater(study) for _ in range(N_RATERS)]
    walkers, workers = raters[:N_WALKERS], raters[N_WALKERS:]
    field = f"d{study.dimensions.get().pk}-0"

    at_once(
        [lambda rater=rater: work(rater, study, field, most=2) for rater in walkers]  # type: ignore[misc]
        + [lambda rater=rater: work(rater, study, field) for rater in workers]  # type: ignore[misc]
    )
    held = Assignment.objects.filter(rater__in=walkers, state=Assignment.State.LEASED)
    assert held.exists(), "the walkers must leave something reserved, or this shows nothing"
    held.update(lease_until=timezone.now() - timedelta(seconds=1))
    at_once([lambda rater=rater: work(rater, study, field) for rater in workers])  # type: ignore[misc]

    answered = study.items.filter(assignments__state=Assignment.State.ANSWERED)
    counts = dict(answered.annotate(n=Count("assignments")).values_list("pk", "n"))
    assert set(counts.values()) == {k}
    assert len(counts) == N_ITEMS
    assert study.items.filter(taken=F("wanted")).count() == N_ITEMS
    twice = Assignment.objects.values("item", "rater").annotate(n=Count("pk")).filter(n__gt=1)
    assert not twice.exists()
    assert Response.objects.count() == k * N_ITEMS
    assert not LateAnswer.objects.exists()


def test_who_comes_while_another_gives_back_overdue_items_waits_for_them() -> None:
    study = make_study(n_items=1, k=2)
    walker, returns, comes = make_rater(study), make_rater(study), make_rater(study)
    for rater in (walker, returns):
        assert rating.reserve(rater=rater) == 1
    Assignment.objects.filter(rater=returns).update(
        state=Assignment.State.ANSWERED, lease_until=None, answered_at=timezone.now()
    )
    Assignment.objects.filter(rater=walker).update(lease_until=timezone.now() - timedelta(seconds=1))
    gave_back, tried, reserved = threading.Event(), threading.Event(), []

    def give_back_slowly() -> None:
        with transaction.atomic():
            assert rating.reserve(rater=returns) == 0  # they have answered it already
            gave_back.set()
            tried.wait(1)

    def come() -> None:
        gave_back.wait(10)
        threading.Timer(0.3, tried.set).start()
        reserved.append(rating.reserve(rater=comes))

    at_once([give_back_slowly, come])

    assert reserved == [1]


def test_one_rater_in_many_windows_gets_no_item_twice() -> None:
    study = make_study(n_items=30, k=2, batch_size=4)
    rater = make_rater(study)
    field = f"d{study.dimensions.get().pk}-0"

    at_once([lambda: work(rater, study, field) for _ in range(6)])

    assert Response.objects.filter(is_current=True).count() == 30  # the windows disagree: revisions, not answers
    assert set(study.items.values_list("taken", flat=True)) == {1}


def test_one_card_answered_in_many_windows_at_once_has_one_current_answer() -> None:
    study = make_study(n_items=1, k=1)
    rater = make_rater(study)
    client = Client()
    assert rater.user is not None
    client.force_login(rater.user, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("rate", args=[study.token])).content.decode()
    url = re.search(r'action="([^"]+/answer/[^"]+)"', page).group(1)  # type: ignore[union-attr]
    field = f"d{study.dimensions.get().pk}-0"

    def answer(level: int) -> None:
        own = Client()
        own.cookies = client.cookies
        assert own.post(url, {field: str(level)}, headers={"accept": "application/json"}).status_code == 200

    at_once([lambda level=level: answer(level % 5) for level in range(8)])  # type: ignore[misc]

    responses = Response.objects.order_by("revision")
    assert [r.is_current for r in responses] == [False] * (len(responses) - 1) + [True]
    assert [r.revision for r in responses] == list(range(1, len(responses) + 1))
