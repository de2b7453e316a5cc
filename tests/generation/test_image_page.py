"""An image's page: where it comes from, what became of it, and how it is made again."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.factories import make_image, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher() -> User:
    return make_user("ruth", researcher=True)


@pytest.fixture
def page(client: Client, researcher: User) -> Client:
    client.force_login(researcher)
    return client


def test_the_picture_is_the_rendition_kept_by_this_browser_alone(page: Client) -> None:
    image = make_image()
    response = page.get(reverse("image-shown", args=[image.pk]))
    with image.shown.open("rb") as file:
        assert b"".join(response.streaming_content) == file.read()  # type: ignore[arg-type]
    assert response.headers["Content-Type"] == "image/webp"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"


def test_an_image_whose_file_is_elsewhere_has_no_picture(page: Client) -> None:
    image = make_image(sha256="", file="", shown="", width=None, height=None, n_bytes=None, key="k1")
    assert page.get(reverse("image-shown", args=[image.pk])).status_code == 404
