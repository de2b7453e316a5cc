"""Joining by invitation: informed, with consent, once, and blind."""

import html
import re

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client

from annotations.models import Membership, Rater, Study
from annotations.services import invitations
from annotations.services.studies import join
from tests.factories import make_answer, make_member, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db


def invitation(study: Study) -> str:
    return f"/join/{study.invitation}/"


def test_the_invitation_says_what_it_asks_and_names_no_method(client: Client) -> None:
    study = make_study(
        title="Look closely", consent="Answers are kept.", instructions="Look first.", notes="refined wins", n_items=40
    )

    text = client.get(invitation(study)).content.decode()

    for words in ("Look closely", "Answers are kept.", "Look first.", "<dd>40</dd>", "10 min"):
        assert words in text
    assert "refined wins" not in text
    for method in {image.method.name for item in study.items.all() for image in item.images.all()}:
        assert method not in text


def test_time_is_measured_once_there_are_twenty_cards_and_no_more_than_a_raters_share(client: Client) -> None:
    study = make_study(n_items=30, items_per_rater=15)
    rater = make_rater(study)
    for item in study.items.all()[:20]:
        make_answer(item, rater, active_ms=40_000)

    text = client.get(invitation(study)).content.decode()

    assert "at other raters’ pace" in text
    assert "<dd>15</dd>" in text
    assert "10 min" in text  # 15 cards × 40 s


def test_without_consent_nobody_joins(client: Client) -> None:
    study = make_study()

    response = client.post(invitation(study), {"name": "Anna"})

    assert response.status_code == 200
    assert "Without your consent you cannot take part." in response.content.decode()
    assert not Rater.objects.exists()
    assert User.objects.count() == 1  # the owner


def test_a_stranger_gets_an_account_without_password_and_goes_to_the_first_card(client: Client) -> None:
    study = make_study()

    response = client.post(invitation(study), {"name": "  Anna   B. ", "consent": "on"})

    assert response.headers["Location"] == f"/rate/{study.token}/"
    rater = study.raters.get()
    assert rater.name == "Anna B."
    assert rater.consented_at is not None
    assert rater.user is not None
    assert not rater.user.has_usable_password()
    assert client.session["_auth_user_id"] == str(rater.user.pk)


def test_opening_the_invitation_again_goes_on_and_makes_no_second_rater(client: Client) -> None:
    study = make_study()
    client.post(invitation(study), {"consent": "on"})

    assert client.get(invitation(study)).headers["Location"] == f"/rate/{study.token}/"
    assert client.post(invitation(study), {"consent": "on"}).headers["Location"] == f"/rate/{study.token}/"
    assert study.raters.count() == 1


def test_a_rater_who_returns_without_a_session_is_warned_before_becoming_a_second_rater(client: Client) -> None:
    study, other = make_study(), make_study()
    warning = "Someone has already joined this study in this browser."
    assert warning not in client.get(invitation(study)).content.decode()
    client.post(invitation(study), {"name": "Maria", "consent": "on"})
    del client.cookies["sessionid"]
    invitations.renew_invitation(study=study, by=None)

    page = client.get(invitation(study)).content.decode()

    assert warning in page
    assert "Maria" not in page  # it may be somebody else's browser
    assert warning not in client.get(invitation(other)).content.decode()
    assert warning not in Client().get(invitation(study)).content.decode()


def test_the_first_card_leads_to_the_personal_link_that_brings_a_stranger_back(client: Client) -> None:
    study = make_study()
    page = client.post(invitation(study), {"consent": "on"}, follow=True).content.decode()
    assert 'Keep <a href="/me/link/"' in page
    assert 'href="/me/link/"' not in client.get(f"/rate/{study.token}/").content.decode()

    link = re.search(r'value="http://testserver(/s/\?[^"]+)"', client.get("/me/link/").content.decode())

    assert link
    elsewhere = Client()
    elsewhere.get(html.unescape(link.group(1)))
    assert elsewhere.session["_auth_user_id"] == str(study.raters.get().user_id)


def test_a_signed_in_person_joins_as_themselves(client: Client) -> None:
    anna, study = make_user(), make_study()
    client.force_login(anna)

    client.post(invitation(study), {"consent": "on"})

    assert study.raters.get().user == anna


def test_two_people_of_one_name_are_kept_apart(client: Client) -> None:
    study = make_study()

    first = join(study=study, user=None, name="Anna")
    second = join(study=study, user=None, name="Anna")

    assert first.name == "Anna"
    assert second.name.startswith("Anna (")
    assert first.user != second.user


def test_without_a_name_raters_are_random_numbers() -> None:
    study = make_study()

    names = {join(study=study, user=None).name for _ in range(5)}

    assert len(names) == 5
    assert all(name.startswith("rater-") for name in names)


@pytest.mark.parametrize(("state", "words"), [("draft", "has not opened yet"), ("closed", "is closed")])
def test_a_study_that_is_not_open_says_so_kindly_and_takes_nobody(client: Client, state: str, words: str) -> None:
    study = make_study(state=state)

    response = client.post(invitation(study), {"consent": "on"})

    assert response.status_code == 403
    assert words in response.content.decode()
    assert not study.raters.exists()
    with pytest.raises(ValidationError):
        join(study=study, user=None)


def test_an_unknown_invitation_is_not_found(client: Client) -> None:
    make_study()

    assert client.get("/join/nothing-here/").status_code == 404


def test_an_auditor_of_the_study_cannot_rate_in_it(client: Client) -> None:
    study = make_study(n_items=1)
    auditor = make_member(study, role=Membership.Role.AUDITOR)
    client.force_login(auditor, backend="django.contrib.auth.backends.ModelBackend")

    page = client.post(invitation(study), {"consent": "on"})

    assert "You audit this study" in page.content.decode()
    assert not Rater.objects.exists()
