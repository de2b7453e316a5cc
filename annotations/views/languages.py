"""The language that a study fixes for the pages of its raters and auditors."""

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation


def speak_language_of_study(request: HttpRequest, language: str) -> None:
    """Respond in this language, and offer no other; empty: in the reader's own, as on every other page."""
    if language in dict(settings.LANGUAGES):
        request.fixed_language = language  # type: ignore[attr-defined]  # evalsite.requests.languages reads it
        translation.activate(language)
        request.LANGUAGE_CODE = language
