"""The start page: everybody sees what is theirs, with one thing to do next."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.models import Membership, Study
from tests.factories import make_answer, make_image, make_member, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db


def page(client: Client, user: User | None = None) -> str:
    if user is not None:
        client.force_login(user)
    response = client.get("/")
    assert response.status_code == 200
    return response.content.decode()


def test_a_stranger_reads_how_to_come_in_and_nothing_of_any_study(client: Client) -> None:
    make_study(title="Secret study")

    text = page(client)

    assert "/sign-in/" in text
    assert "Secret study" not in text


def test_a_researcher_on_an_empty_site_is_offered_the_demo(client: Client) -> None:
    text = page(client, make_user(researcher=True))

    assert "demo" in text
    assert "/study/new/" not in text


def test_a_researcher_with_images_and_no_study_is_led_to_design_one(client: Client) -> None:
    make_image()

    assert 'href="/study/new/"' in page(client, make_user(researcher=True))


def test_a_researcher_sees_the_progress_of_own_and_shared_studies_and_of_no_others(client: Client) -> None:
    rosa = make_user(researcher=True)
    own = make_study(title="Own study", owner=rosa, n_items=2, k=3)
    make_answer(own.items.all()[0], make_rater(own))
    shared = make_study(title="Shared study", n_items=1)
    make_member(shared, rosa)
    make_study(title="Foreign study", n_items=1)

    text = page(client, rosa)

    assert "Own study" in text
    assert "Shared study" in text
    assert "Foreign study" not in text
    assert 'max="6" value="1"' in text


def test_an_annotator_sees_their_studies_without_method_notes_or_others(client: Client) -> None:
    study = make_study(title="Rate these", notes="hypothesis: refined wins", n_items=2)
    method = study.items.all()[0].images.get().method
    anna = make_user()
    make_answer(study.items.all()[0], make_rater(study, anna))
    make_study(title="Foreign study", n_items=1)

    text = page(client, anna)

    assert "Rate these" in text
    assert f'href="/rate/{study.token}/"' in text
    assert "You have answered 1 card." in text
    assert "hypothesis" not in text
    assert method.name not in text
    assert "Foreign study" not in text
    assert study.get_absolute_url() not in text


def test_a_closed_study_has_no_way_into_rating_and_a_draft_does_not_show(client: Client) -> None:
    anna = make_user()
    closed = make_study(title="Over now", state=Study.State.CLOSED, n_items=1)
    draft = make_study(title="Not yet", state=Study.State.DRAFT, n_items=1)
    make_rater(closed, anna)
    make_rater(draft, anna)

    text = page(client, anna)

    assert "Over now" in text
    assert f"/rate/{closed.token}/" not in text
    assert "Not yet" not in text


def test_an_auditor_sees_the_study_but_not_its_pages(client: Client) -> None:
    study = make_study(title="Judge the critic", n_items=1)
    audrey = make_member(study, role=Membership.Role.AUDITOR)

    text = page(client, audrey)

    assert "Judge the critic" in text
    assert study.get_absolute_url() not in text


def test_somebody_with_nothing_reads_what_to_do(client: Client) -> None:
    assert "invitation" in page(client, make_user())


@pytest.mark.parametrize("n", [3, 30])
def test_queries_do_not_grow_with_studies(
    client: Client, django_assert_num_queries: Callable[..., Any], n: int
) -> None:
    rosa = make_user(researcher=True)
    rated = make_study(n_items=1)
    for _ in range(n):
        make_rater(make_study(n_items=2, owner=rosa), rosa)
        make_member(rated if _ == 0 else make_study(n_items=1), rosa, role=Membership.Role.AUDITOR)
    client.force_login(rosa)

    # session, user, rights (2), count, studies, audits, raters, whether there are images
    with django_assert_num_queries(9):
        client.get("/")
