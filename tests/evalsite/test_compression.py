"""Text is compressed for those who take it, images and pages with secrets are not."""

import gzip

import pytest
from django.test import Client

from tests.factories import make_rater, make_study

pytestmark = pytest.mark.django_db
GZIP = {"accept-encoding": "gzip, br"}


@pytest.fixture
def rater_client() -> tuple[Client, str]:
    rater = make_rater(make_study(n_items=4, instructions="Look at the hands. " * 40))
    client = Client()
    client.force_login(rater.user, backend="django.contrib.auth.backends.ModelBackend")
    return client, rater.study.token


def test_a_card_is_compressed_for_browsers_that_take_it(rater_client: tuple[Client, str]) -> None:
    client, token = rater_client
    plain = client.get(f"/rate/{token}/")
    packed = client.get(f"/rate/{token}/", headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert b"Look at the hands." in gzip.decompress(packed.content)
    assert len(packed.content) < len(plain.content) / 2


def test_the_cards_ahead_are_compressed_and_their_images_are_not(rater_client: tuple[Client, str]) -> None:
    client, token = rater_client
    first = client.get(f"/rate/{token}/").context["card"]
    cards = client.get(f"/rate/{token}/upcoming/?after={first['token']}&n=20", headers=GZIP)
    assert cards.headers["Content-Encoding"] == "gzip"
    image = client.get(f"/rate/image/{first['token']}/0/", headers=GZIP)
    assert image.status_code == 200
    assert "Content-Encoding" not in image.headers


def test_a_page_with_a_secret_is_not_compressed(rater_client: tuple[Client, str]) -> None:
    client, _ = rater_client
    page = client.get("/me/link/", headers=GZIP)
    assert "/s/?" in page.content.decode()
    assert "Content-Encoding" not in page.headers


def test_the_size_of_one_page_differs_from_time_to_time(rater_client: tuple[Client, str]) -> None:
    client, token = rater_client
    sizes = {len(client.get(f"/rate/{token}/", headers=GZIP).content) for _ in range(20)}
    assert len(sizes) > 3
