"""Without a script, a card is answered only by a browser that has fetched its images."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import Assignment, Rater, Response, Study
from annotations.services import rating as services
from tests.annotations.looking import fetch_images
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db


def a_rater(client: Client, study: Study) -> tuple[Rater, list[Assignment]]:
    rater = make_rater(study)
    services.reserve(rater=rater)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
    return rater, list(rater.assignments.order_by("sequence"))


def answer(client: Client, card: Assignment) -> str:
    """The page's message after it; empty if the answer was accepted."""
    name = f"d{card.study.dimensions.get().pk}" + ("" if card.study.item_kind == Study.ItemKind.PAIR else "-0")
    response = client.post(reverse("rate-answer", args=[card.study.token, card.token]), {name: "1"})
    return "" if response.status_code == 302 else response.content.decode()


def test_a_page_whose_images_were_blocked_takes_no_answer_and_asks_for_them_again(client: Client) -> None:
    study = make_study(n_items=2)
    _rater, (card, other) = a_rater(client, study)
    before = client.get(f"/rate/{study.token}/").content.decode()
    fetch_images(client, other.token)

    refused = answer(client, card)

    assert "had not loaded" in refused
    assert not Response.objects.exists()
    first, again = (re.search(r'<img src="([^"]+)"', page)[1] for page in (before, refused))  # type: ignore[index]
    assert first.split("?")[0] == again.split("?")[0]
    assert first != again
    client.get(again)
    assert answer(client, card) == ""
    assert Response.objects.get().level == 1


def test_every_image_of_a_card_is_needed(client: Client) -> None:
    study = make_study(n_items=1, item_kind=Study.ItemKind.PAIR)
    _rater, (card,) = a_rater(client, study)
    fetch_images(client, card.token, 1)
    assert "had not loaded" in answer(client, card)
    fetch_images(client, card.token, 2)
    assert answer(client, card) == ""


def test_the_proof_goes_with_one_answer_and_says_nothing_of_the_image(client: Client) -> None:
    study = make_study(n_items=1)
    rater, (card,) = a_rater(client, study)
    for_scripts = client.get(reverse("rate-image", args=[card.token, 0]))
    assert not for_scripts.cookies
    (cookie,) = client.get(reverse("rate-image", args=[card.token, 0]), {"page": "1"}).cookies.values()
    assert cookie["path"] == reverse("rate-answer", args=[study.token, card.token])
    assert cookie["httponly"]
    image = card.item.images.get()
    same_image = make_study(n_items=1)
    same_image.items.get().item_images.update(image=image)
    other = Client()
    _other, (theirs,) = a_rater(other, same_image)
    (another,) = other.get(reverse("rate-image", args=[theirs.token, 0]), {"page": "1"}).cookies.values()
    assert another.value != cookie.value
    assert rater.assignments.get().state == Assignment.State.LEASED
