"""What a browser without a script does before a card can be answered: it fetches the images of the page."""

import re

from django.test import Client
from django.urls import reverse


def fetch_exercise(client: Client, study: str) -> None:
    """The same on a page of practice or of the quiz."""
    page = client.get(reverse("rate-before", args=[study])).content.decode()
    for address in re.findall(r'<img src="([^"]+)"', page):
        assert client.get(address).status_code == 200


def fetch_images(client: Client, token: str, n_images: int = 1) -> None:
    for place in range(n_images):
        assert client.get(reverse("rate-image", args=[token, place]), {"page": "1"}).status_code == 200
