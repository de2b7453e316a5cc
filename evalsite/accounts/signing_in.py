"""Signing in: by name and password, or by a personal link."""

from http import HTTPStatus

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from evalsite.accounts import links

WAITING_LINK = "waiting_link"
"""Where a session keeps the secret of a link until the person who is signed in has said whether to switch."""


class SignIn(LoginView):
    """Name and password; `next` leads back to where the person wanted to go."""

    template_name = "accounts/sign_in.html"


class SignOut(LogoutView):
    """Signs out, and has the browser delete its cached images: the next person to use it may be somebody else.

    Answers that still wait in its storage stay: they are sent after the next sign-in.
    """

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response


@never_cache
@require_safe
def sign_in_by_link(request: HttpRequest) -> HttpResponse:
    """Sign in the link's owner and redirect to an address without the secret.

    The link works again and again until its age or its owner ends it, so that a mail scanner that opens it first does
    no harm. Where somebody else is signed in, they are asked first. A link that does not work changes nothing, and
    neither does HEAD.
    """
    secret = request.GET.get(links.NAME, "")
    user = links.owner_of(secret)
    if user is None:
        response = _failed(request)
    elif request.method == "HEAD":
        response = HttpResponse()
    elif request.user.is_authenticated and request.user != user:
        request.session[WAITING_LINK] = secret
        response = redirect("switch-account")
    else:
        response = _sign_in(request, user)
    # The address holds a secret: no page that is opened from here may learn it.
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def switch_account(request: HttpRequest) -> HttpResponse:
    """Ask whether to sign out and continue as the person whose link was opened; by POST, do it."""
    secret = request.session.get(WAITING_LINK)
    if secret is None:
        return redirect("home")
    user = links.owner_of(secret)
    if user is None:
        return _failed(request)
    if request.method != "POST":
        return render(request, "accounts/switch_account.html", {"other": user})
    return _sign_in(request, user)


def _sign_in(request: HttpRequest, user: User) -> HttpResponse:
    request.session.pop(WAITING_LINK, None)
    login(request, user, backend="sesame.backends.ModelBackend")
    return redirect("home")


def _failed(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/sign_in_link_failed.html", status=HTTPStatus.FORBIDDEN)


@never_cache
@require_safe
def session(request: HttpRequest) -> JsonResponse:
    """The id of the person who is signed in (or null), and a token for their scripts: a page's own is stale once its
    reader has signed in again in another window."""
    return JsonResponse({"user": request.user.pk, "csrf": get_token(request)})
