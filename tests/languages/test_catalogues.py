"""Every text of raters and auditors is translated into every language, and no translation breaks its page."""

import re
from collections import Counter
from functools import cache

import pytest
from babel.messages.catalog import Message
from django.conf import settings

from tests.languages.catalogues import (
    EVERYTHING,
    PLURALS,
    RESEARCHERS_MODULES,
    ROOT,
    for_raters,
    is_complete,
    key_of,
    places,
    po_file,
    raters_files,
    read,
    wanted,
)

LEAST_SHARE = 0.85
LANGUAGES = pytest.mark.parametrize("language", PLURALS)
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w+\}|</?\w+[^>]*>")


def translations(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def originals(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


@cache
def entries(language: str) -> tuple[Message, ...]:
    return tuple(message for message in read(language) if message.id)


def finished(language: str) -> list[Message]:
    return [message for message in entries(language) if is_complete(message.string)]


def placeholders(text: str) -> Counter[str]:
    return Counter(_PLACEHOLDER.findall(text))


def test_every_language_that_is_offered_has_a_catalogue() -> None:
    assert {code for code, _name in settings.LANGUAGES} == {"en", *PLURALS}
    assert set(settings.RESEARCHER_LANGUAGES) <= {"en", *EVERYTHING}


def test_texts_of_raters_are_looked_for_where_they_are() -> None:
    files = raters_files()
    assert {
        *("annotations/templates/annotations/rate/card.html", "annotations/templates/annotations/audit/question.html"),
        *(
            "evalsite/templates/accounts/password_mail.txt",
            "annotations/forms/rating.py",
            "evalsite/templates/500.html",
        ),
    } <= files
    assert "annotations/templates/annotations/design/page.html" not in files
    kinds = {str(path.relative_to(ROOT)) for path in (ROOT / "annotations/kinds").glob("*.py")}
    assert kinds - files == RESEARCHERS_MODULES | {"annotations/kinds/__init__.py"}


@LANGUAGES
def test_no_text_of_raters_is_missing_unfinished_or_guessed(language: str) -> None:
    """`make messages` adds what is missing; docs/translating.md says how to go on."""
    done = {key_of(message) for message in entries(language) if is_complete(message.string) and not message.fuzzy}
    assert set(for_raters()) - done == set()


@pytest.mark.parametrize("language", [code for code in settings.RESEARCHER_LANGUAGES if code != "en"])
def test_pages_of_researchers_are_nearly_all_translated(language: str) -> None:
    """A new text may come in English for a while; a page that is half of each may not."""
    done = {key_of(message) for message in entries(language) if is_complete(message.string) and not message.fuzzy}
    everything = set(wanted(language))
    assert len(done & everything) >= LEAST_SHARE * len(everything), len(everything - done)


@LANGUAGES
def test_numbers_have_the_forms_of_the_language(language: str) -> None:
    n_forms = int(PLURALS[language].split(";")[0].removeprefix("nplurals="))
    assert f"Plural-Forms: {PLURALS[language]}" in po_file(language).read_text(encoding="utf-8")
    for message in entries(language):
        assert len(translations(message)) == (1 if isinstance(message.id, str) else n_forms), message.id


@LANGUAGES
def test_placeholders_and_markup_are_those_of_the_original(language: str) -> None:
    for message in finished(language):
        for text in translations(message):
            assert placeholders(text) in [placeholders(original) for original in originals(message)], text


@LANGUAGES
def test_line_breaks_and_edges_are_those_of_the_original(language: str) -> None:
    for message in finished(language):
        original = originals(message)[0]
        for text in translations(message):
            assert text.strip() == text or original.strip() != original, text
            assert text.count("\n") == original.count("\n"), text


@LANGUAGES
def test_a_catalogue_names_no_file(language: str) -> None:
    """Otherwise moving a text from one file to another would change every catalogue."""
    assert not re.search("^#:", po_file(language).read_text(encoding="utf-8"), re.MULTILINE)


def test_where_a_text_is_can_be_asked() -> None:
    assert "annotations/templates/annotations/rate/page.html: '%(answered)s of %(total)s'" in places("of %(total)s")
    with_plural = places("cards answered")
    assert any(line.endswith(": '%(answered)s of %(wanted)s card answered'") for line in with_plural), with_plural
    assert places("no text has these words") == []
