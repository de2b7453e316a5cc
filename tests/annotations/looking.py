"""What a browser without a script does before a card can be answered: it fetches the images of the page."""

from django.test import Client
from django.urls import reverse


def fetch_images(client: Client, token: str, n_images: int = 1) -> None:
    for place in range(n_images):
        assert client.get(reverse("rate-image", args=[token, place]), {"page": "1"}).status_code == 200
