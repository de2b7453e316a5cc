"""A study's pages for its researchers: overview, raters, settings, members, opening and closing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from annotations.models import Assignment, Membership, Rater, Study
from annotations.queries.studies import overview
from tests.factories import make_answer, make_member, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db

PAGES = ["", "items/", "raters/", "settings/"]
POSTS = ["state/", "members/", "members/1/remove/"]


@pytest.fixture
def study() -> Study:
    return make_study(title="Look closely", notes="refined should win", n_items=4, k=2)


def as_user(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_the_owner_and_a_member_researcher_may_read(client: Client, study: Study, page: str) -> None:
    for user in (study.owner, make_member(study), make_user(is_superuser=True)):
        response = as_user(client, user).get(f"/study/{study.token}/{page}")
        assert response.status_code == 200
        assert "Look closely" in response.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_everybody_else_may_not(client: Client, study: Study, page: str) -> None:
    address = f"/study/{study.token}/{page}"
    assert client.get(address).headers["Location"] == f"/sign-in/?next={address}"
    rater = make_rater(study)
    assert rater.user is not None
    for user in (
        make_user(),
        make_user(researcher=True),
        make_member(study, role=Membership.Role.AUDITOR),
        rater.user,
    ):
        response = as_user(client, user).get(address)
        assert response.status_code == 403
        assert "Look closely" not in response.content.decode()


@pytest.mark.parametrize("page", POSTS)
def test_nobody_else_changes_anything(client: Client, study: Study, page: str) -> None:
    rater = make_rater(study)
    assert rater.user is not None
    as_user(client, rater.user)

    response = client.post(f"/study/{study.token}/{page}", {"state": "closed", "username": "x", "role": "researcher"})

    assert response.status_code == 403
    study.refresh_from_db()
    assert study.state == Study.State.OPEN
    assert as_user(client, study.owner).get(f"/study/{study.token}/{page}").status_code == 405


def test_an_unknown_study_is_not_found(client: Client) -> None:
    assert as_user(client, make_user(is_superuser=True)).get("/study/nothing/").status_code == 404


def test_the_overview_counts_answers_not_reservations(client: Client, study: Study) -> None:
    first, second = study.items.all()[:2]
    anna, ben = make_rater(study), make_rater(study)
    make_answer(first, anna)
    make_answer(first, ben)
    make_answer(second, ben)
    second.taken += 1
    second.save()
    Assignment.objects.create(
        study=study, item=second, rater=anna, sequence=9, lease_until=timezone.now() + timedelta(minutes=5)
    )

    figures = overview(study, timezone.now())

    assert (figures.n_answered, figures.n_wanted, figures.n_items) == (3, 8, 4)
    assert figures.n_complete == 1  # the second item's other place is only reserved
    assert (figures.n_raters, figures.n_active) == (2, 2)
    text = as_user(client, study.owner).get(f"/study/{study.token}/").content.decode()
    assert "3 of 8 cards answered" in text
    assert f"http://testserver/join/{study.invitation}/" in text
    assert "refined should win" in text


def test_the_end_is_foretold_by_the_last_day_and_not_without_it(study: Study) -> None:
    now = timezone.now()
    rater = make_rater(study)
    items = list(study.items.all())
    make_answer(items[0], rater, at=now - timedelta(days=3))
    old = overview(study, now)
    assert old.done_at is None
    assert old.last_answer_at == now - timedelta(days=3)

    make_answer(items[1], rater, at=now - timedelta(hours=2))
    make_answer(items[2], rater, at=now - timedelta(minutes=2))

    figures = overview(study, now)
    assert (figures.last_hour, figures.last_day) == (1, 2)
    # 5 of 8 are left, at 2 per day.
    assert figures.done_at == now + timedelta(days=2.5)


def test_opening_and_closing(client: Client) -> None:
    study = make_study(state=Study.State.DRAFT)
    as_user(client, study.owner)
    assert "Open the study" in client.get(f"/study/{study.token}/").content.decode()

    for asked, state in (("open", "open"), ("closed", "closed"), ("nonsense", "closed"), ("open", "open")):
        client.post(f"/study/{study.token}/state/", {"state": asked})
        study.refresh_from_db()
        assert study.state == state


def test_a_study_with_nothing_to_show_says_why_it_stays_closed(client: Client) -> None:
    study = make_study(state=Study.State.DRAFT, n_items=0)

    response = as_user(client, study.owner).post(f"/study/{study.token}/state/", {"state": "open"}, follow=True)

    assert "needs a question and an item" in response.content.decode()


def test_settings_change_words_but_never_what_was_asked(client: Client, study: Study) -> None:
    data = {
        "title": "Look again",
        "consent": "c",
        "instructions": "i",
        "notes": "n",
        "items_per_rater": "",
        "batch_size": "5",
        "lease_minutes": "20",
        "raters_per_item": "9",
        "seed": "99",
        "state": "closed",
    }

    response = as_user(client, study.owner).post(f"/study/{study.token}/settings/", data)

    assert response.status_code == 302
    study.refresh_from_db()
    assert (study.title, study.batch_size, study.lease_minutes) == ("Look again", 5, 20)
    assert (study.raters_per_item, study.seed, study.state) == (2, 0, "open")


def test_bad_settings_are_refused_and_the_head_shows_what_is_saved(client: Client, study: Study) -> None:
    response = as_user(client, study.owner).post(
        f"/study/{study.token}/settings/", {"title": "", "batch_size": "0", "lease_minutes": "0"}
    )

    text = response.content.decode()
    assert text.count('aria-invalid="true"') == 3
    assert '<h1 dir="auto">Look closely</h1>' in text


def test_members_come_and_go(client: Client, study: Study) -> None:
    ben = make_user("ben")
    as_user(client, study.owner)
    add = f"/study/{study.token}/members/"

    assert (
        "There is no account with the user name"
        in client.post(add, {"username": "nobody", "role": "auditor"}).content.decode()
    )
    client.post(add, {"username": "ben", "role": "researcher"})
    membership = study.memberships.get()
    assert membership.user == ben
    assert as_user(client, ben).get(f"/study/{study.token}/").status_code == 200

    # People who remove themselves are led home rather than to a closed door.
    assert client.post(f"{add}{membership.pk}/remove/").headers["Location"] == "/"
    assert client.get(f"/study/{study.token}/").status_code == 403


def test_members_of_another_study_are_out_of_reach(client: Client, study: Study) -> None:
    other = make_study()
    make_member(other)

    as_user(client, study.owner).post(f"/study/{study.token}/members/{other.memberships.get().pk}/remove/")

    assert other.memberships.exists()


def test_raters_are_listed_with_what_they_did(client: Client, study: Study) -> None:
    make_rater(study, name="idle one")
    busy = make_rater(study, name="busy one")
    make_rater(study, name="machine", kind=Rater.Kind.SIMULATED, consented_at=None)
    for item in study.items.all()[:2]:
        make_answer(item, busy)

    text = as_user(client, study.owner).get(f"/study/{study.token}/raters/").content.decode()

    assert text.index("busy one") < text.index("idle one")
    assert "3 raters" in text
    assert "simulated" in text


@pytest.mark.parametrize("n", [3, 30])
@pytest.mark.parametrize(("page", "queries"), [("", 11), ("raters/", 13), ("settings/", 9)])
def test_queries_do_not_grow_with_the_study(
    client: Client, django_assert_num_queries: Callable[..., Any], n: int, page: str, queries: int
) -> None:
    study = make_study(n_items=n, k=n)
    raters = [make_rater(study) for _ in range(n)]
    for rater in raters[:3]:
        for item in study.items.all():
            make_answer(item, rater)
    for _ in range(n):
        make_member(study)
    as_user(client, study.owner)

    with django_assert_num_queries(queries):
        assert client.get(f"/study/{study.token}/{page}").status_code == 200
