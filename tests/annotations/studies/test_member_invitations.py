"""Members without an account: a link makes the account and gives the role, once, until it expires or is revoked."""

import re
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations.models import MemberInvitation, Membership, Study
from annotations.services import invitations
from generation.models import Activity
from tests.factories import make_study, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "quiet-Otter-carves-27"
ACCOUNT = {"username": "bea", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def study() -> Study:
    return make_study(n_items=1)


def invited(study: Study, role: str = "researcher") -> str:
    """The address that a researcher is shown, made as they make it."""
    client = Client()
    client.force_login(study.owner)
    page = client.post(reverse("study-member-invite", args=[study.token]), {"role": role}).content.decode()
    address = re.search(r"http://testserver(/member/[^\"]+/)", page)
    assert address
    settings = reverse("study-settings", args=[study.token])
    assert address[1] not in client.get(settings).content.decode(), "shown once"
    return address[1]


@pytest.mark.parametrize("role", ["researcher", "auditor"])
def test_a_link_makes_the_account_and_gives_the_role_once(study: Study, role: str) -> None:
    address = invited(study, role)
    client = Client()
    assert study.title in client.get(address).content.decode()
    assert client.post(address, ACCOUNT).headers["Location"] == reverse("home")
    member = User.objects.get(username="bea")
    assert list(study.memberships.values_list("user__username", "role")) == [("bea", role)]
    assert client.get(reverse("account")).context["user"] == member
    assert client.get(reverse("study", args=[study.token])).status_code == (200 if role == "researcher" else 403)
    assert not member.has_perm("annotations.add_study")
    added = Activity.objects.get(action=Activity.Action.MEMBER_ADDED)
    assert (added.actor, added.details["person"]) == (study.owner, "bea")

    second = Client()
    assert second.get(address).status_code == HTTPStatus.NOT_FOUND
    assert second.post(address, ACCOUNT | {"username": "eve"}).status_code == HTTPStatus.NOT_FOUND
    assert not User.objects.filter(username="eve").exists()
    assert member.check_password(PASSWORD)


def test_somebody_who_has_an_account_takes_part_with_it(study: Study) -> None:
    address, user = invited(study), make_user("carl")
    client = Client()
    client.force_login(user)
    assert "Take part as carl" in client.get(address).content.decode()
    assert not study.memberships.exists(), "looking is not taking part"
    client.post(address)
    assert study.memberships.get().user == user
    assert User.objects.filter(username="bea").count() == 0


@pytest.mark.parametrize("how", ["revoked", "expired", "made up"])
def test_a_link_that_does_not_work_any_more_makes_nothing(study: Study, how: str) -> None:
    address = invited(study)
    if how == "revoked":
        client = Client()
        client.force_login(study.owner)
        client.post(reverse("study-member-invitation-revoke", args=[study.token, study.member_invitations.get().pk]))
    elif how == "expired":
        study.member_invitations.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        address = reverse("member-accept", args=["made-up"])
    answer = Client().post(address, ACCOUNT)
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert "Ask the person who sent it" in answer.content.decode()
    assert not Membership.objects.exists()
    assert not User.objects.filter(username="bea").exists()


def test_a_bad_password_or_a_taken_name_uses_nothing_up(study: Study) -> None:
    address = invited(study)
    make_user("Bea")
    client = Client()
    taken = client.post(address, ACCOUNT)
    assert taken.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "already exists" in taken.content.decode()
    weak = client.post(address, {"username": "dora", "password1": "abc", "password2": "abc"})
    assert weak.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert study.member_invitations.usable().exists()
    assert client.post(address, ACCOUNT | {"username": "dora"}).status_code == HTTPStatus.FOUND


def test_of_two_who_come_at_once_one_is_too_late(study: Study) -> None:
    invited(study)
    invitation = study.member_invitations.get()
    first = make_user("first")
    invitations.accept_membership(invitation=invitation, user=first)
    with pytest.raises(ValidationError, match="has been used"):
        invitations.accept_membership(invitation=invitation, user=make_user("second"))
    assert list(study.memberships.values_list("user__username", flat=True)) == ["first"]


def test_a_database_that_leaks_opens_nothing(study: Study) -> None:
    secret = invited(study).split("/")[-2]
    assert secret not in str(MemberInvitation.objects.values().get())
