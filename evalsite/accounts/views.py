"""The page "Your account": the ways into it, and how to end them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotations.queries.studies import is_researcher
from annotations.views.rights import signed_in
from evalsite.accounts import access, links
from evalsite.accounts.forms import EndForm, TokenForm
from evalsite.accounts.tokens import MOST_TOKENS, make_token


@never_cache
@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    return _page(request, TokenForm())


@never_cache
@login_required
@require_safe
def personal_link(request: HttpRequest) -> HttpResponse:
    """The link that signs this person in on another device."""
    user = signed_in(request)
    link = links.link_here(request, user) if links.may_have_link(user) else ""
    context = {"link": link, "days": links.life_of_links(user).days}
    response = render(request, "accounts/personal_link.html", context)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@never_cache
@login_required
@require_POST
def new_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show its key, this once: the answer to the form itself, so that the key is stored nowhere."""
    user = signed_in(request)
    if not is_researcher(user):
        raise PermissionDenied
    form = TokenForm(request.POST)
    if form.is_valid() and user.api_tokens.count() >= MOST_TOKENS:
        form.add_error(
            None, _("You already have %(n)s tokens. Revoke one that you no longer need.") % {"n": MOST_TOKENS}
        )
    if not form.is_valid():
        return _page(request, form, status=422)
    _token, key = make_token(user=user, **form.cleaned_data)
    return _page(request, TokenForm(), key=key)


@login_required
@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    get_object_or_404(signed_in(request).api_tokens, pk=token_id).delete()
    messages.success(request, _("The token is revoked: no program can use it any more."))
    return redirect("account")


@login_required
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End links, other sessions, or everything but this browser, whose session gets a new key."""
    form = EndForm(request.POST)
    if form.is_valid():
        messages.success(request, _end(request, signed_in(request), form.cleaned_data["what"]))
    return redirect("account")


def _end(request: HttpRequest, user: User, what: str) -> str:
    """Revoke the access and report what was done."""
    if what == "links":
        access.end_links(user=user)
        return _("Your old links no longer work.")
    request.session.cycle_key()  # anyone who has a copy of this browser's cookie is out as well
    here = request.session.session_key
    if what == "sessions":
        access.end_sessions(user=user, but=here)
        return _("You are signed out everywhere but here.")
    access.end_all(user=user, but=here)
    return _("Your old links and tokens no longer work, and you are signed out everywhere but here.")


def _page(request: HttpRequest, form: TokenForm, *, key: str = "", status: int = 200) -> HttpResponse:
    user = signed_in(request)
    context = {
        "has_link": links.may_have_link(user),
        "link_days": links.life_of_links(user).days,
        "may_have_tokens": is_researcher(user),
        "tokens": list(user.api_tokens.all()),
        "now": timezone.now(),
        "form": form,
        "key": key,
        "n_others": user.browser_sessions.filter(expire_date__gt=timezone.now())
        .exclude(session_key=request.session.session_key)
        .count(),
    }
    return render(request, "accounts/account.html", context, status=status)
