"""Proof that a browser without a script has fetched a card's images: a cookie that comes with each of them.

With a script, the answer reports how the images were seen. Without one, a browser that shows no images could still send
answers. So each image of a page comes with a cookie that is sent only with that card's answer. It is signed, belongs to
one card and one place, and says nothing about the method. It lasts as long as the browser may cache the image, so a
cached image has its cookie, too. A page that was refused because a cookie is missing requests its images under another
address, so that they come from the server again.
"""

from django.conf import settings
from django.core.signing import Signer
from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import constant_time_compare

IMAGE_SECONDS = 86_400
"""How long a browser may keep an image of a card."""
_SIGNER = Signer(salt="annotations.views.fetched")


def note_fetched(response: HttpResponseBase, card: str, place: int, *, answered_at: str) -> None:
    """Send the proof with the image at this place from the left.

    card         its token
    answered_at  where its answer goes
    """
    response.set_cookie(
        _name(place),
        _proof(card, place),
        max_age=IMAGE_SECONDS,
        path=answered_at,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def were_fetched(request: HttpRequest, card: str, n_images: int) -> bool:
    """Whether the browser that answers the card with this token has fetched each of its images."""
    return all(
        constant_time_compare(request.COOKIES.get(_name(place), ""), _proof(card, place)) for place in range(n_images)
    )


def _name(place: int) -> str:
    return f"image-{place}"


def _proof(card: str, place: int) -> str:
    return _SIGNER.signature(f"{card}/{place}")
