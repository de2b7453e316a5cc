"""The language of a page: its reader's choice, otherwise the browser's, if the page is translated into it."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

FOR_EVERYBODY = frozenset(
    {
        *("home", "join", "language", "healthz", "livez"),
        *("rate-before", "rate-exercise-image", "rate-skip", "join-declined"),
        *("my-data", "my-data-export", "rater-withdraw", "rater-erase", "rater-word"),
        *("rate", "rate-answer", "rate-back", "rate-card", "rate-image", "rate-pause", "rate-upcoming"),
        *("audit", "audit-back", "audit-decide", "audit-decide-save", "audit-image", "audit-missed", "audit-pause"),
        *("study-preview", "study-preview-answer", "study-preview-back", "study-preview-card", "study-preview-end"),
        *("study-preview-image", "study-preview-upcoming"),
        *("audit-save", "audit-withdraw", "audit-work"),
        *("sign-in", "sign-out", "sign-in-by-link", "session", "switch-account", "account", "personal-link"),
        *("token-new", "token-revoke", "access-end", "password-change", "password-forgotten", "password-sent"),
        "password-set",
    }
)
"""Names of the addresses for raters and auditors, whose pages exist in every language of the site."""


class Languages(LocaleMiddleware):
    """Like Django's, except for addresses of researchers, whose pages exist in fewer languages.

    Where such a page is not translated, it is English throughout: never half of it in another language.
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        is_for_everybody = match is not None and match.view_name in FOR_EVERYBODY
        if not is_for_everybody and translation.get_language() not in settings.RESEARCHER_LANGUAGES:
            _speak(request, "en")
        return None


def context(request: HttpRequest) -> dict[str, Any]:
    """For every template: the languages that its reader can choose between; none if a study fixes one."""
    if hasattr(request, "fixed_language"):
        return {"offered_languages": []}
    match = request.resolver_match
    is_for_everybody = match is None or match.view_name in FOR_EVERYBODY
    offered = [
        (code, name) for code, name in settings.LANGUAGES if is_for_everybody or code in settings.RESEARCHER_LANGUAGES
    ]
    return {"offered_languages": offered}


def _speak(request: HttpRequest, language: str) -> None:
    translation.activate(language)
    request.LANGUAGE_CODE = translation.get_language()
