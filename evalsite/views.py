"""Coming in and going out: by name and password, or by a personal link."""

from http import HTTPStatus

from django.contrib.auth import login
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from sesame.utils import get_user


class SignIn(LoginView):
    """Name and password; `next` leads back to where the person wanted to go."""

    template_name = "sign_in.html"


@never_cache
@require_safe
def sign_in_by_link(request: HttpRequest) -> HttpResponse:
    """Sign in whoever the link belongs to and move on to an address without the secret.

    The link works again and again until its age or its account ends, so that a mail scanner that opens it first does
    no harm. A link that does not work changes nothing: whoever is signed in stays so. Administrators have no such
    link: one that leaked would open everything for as long as it lasts.
    """
    user = get_user(request)
    if user is None or user.is_staff:
        response = render(request, "sign_in_link_failed.html", status=HTTPStatus.FORBIDDEN)
    else:
        login(request, user, backend="sesame.backends.ModelBackend")
        response = redirect("home")
    # The address holds a secret: no page that is opened from here may be told it.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
