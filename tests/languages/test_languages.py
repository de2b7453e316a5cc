"""One language on a page: what its reader chose or the browser proposes, with `lang`, `dir` and numbers that agree."""

import re

import pytest
from django.conf import settings
from django.core import mail
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import get_resolver
from django.utils import translation
from pytest_django import Settings

from evalsite.requests.languages import FOR_EVERYBODY
from tests.factories import make_member, make_rater, make_study, make_user

ASKED = {
    "ar": "ar",
    "ar-SA": "ar",
    "de": "de",
    "de-AT": "de",
    "zh-CN": "zh-hans",
    "zh-Hans-SG": "zh-hans",
    "es-MX": "es",
    "he-IL": "en",
    "fa": "en",
    "en-GB": "en",
    "xx": "en",
    "*": "en",
    "fr;q=1,es;q=0.5": "es",
}
LABELS = {
    "en": ["Username", "Password"],
    "de": ["Benutzername", "Passwort"],
    "es": ["Nombre de usuario", "Contraseña"],
    "ar": ["اسم المستخدم", "كلمة المرور"],
    "zh-hans": ["用户名", "密码"],
}
NUMBERS = {
    "en": "12,345 0.50",
    "de": "12.345 0,50",
    "es": "12\xa0345 0,50",
    "ar": "12345 0,50",
    "zh-hans": "12345 0.50",
}


def language_of(page: str) -> str:
    found = re.search(r'<html lang="([^"]+)" dir="(\w+)"', page)
    assert found
    assert found[2] == ("rtl" if found[1] == "ar" else "ltr")
    return found[1]


@pytest.mark.django_db
@pytest.mark.parametrize(("asked", "language"), ASKED.items())
def test_the_browser_proposes_a_language(asked: str, language: str) -> None:
    response = Client(headers={"accept-language": asked}).get("/sign-in/")
    page = response.content.decode()

    assert language_of(page) == language
    assert re.findall("<label[^>]*>([^<]*)", page) == LABELS[language]
    assert response.headers["Content-Language"] == language
    proposed = translation.get_language_from_request(RequestFactory(headers={"accept-language": asked}).get("/"))
    with translation.override(proposed):
        numbers = Template("{% load humanize %}{{ n|intcomma }} {{ f|floatformat:2 }}")
        assert numbers.render(Context({"n": 12345, "f": 0.5})) == NUMBERS[language]


@pytest.mark.django_db
def test_a_reader_chooses_without_a_script_and_the_choice_is_kept() -> None:
    client = Client(headers={"accept-language": "de"}, enforce_csrf_checks=True)
    page = client.get("/sign-in/?next=/me/").content.decode()
    form = re.search(r'<form method="post" action="/language/">(.*?)</form>', page, re.DOTALL)
    assert form
    assert re.findall(r'value="([a-z-]+)" lang="\1"', form[1]) == [code for code, _name in settings.LANGUAGES]
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[1]))

    response = client.post("/language/", hidden | {"language": "ar"})

    assert response.headers["Location"] == "/sign-in/?next=/me/"
    assert language_of(client.get("/sign-in/").content.decode()) == "ar"
    cookie = response.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert (cookie["samesite"], cookie["max-age"]) == ("Lax", 365 * 24 * 3600)


@pytest.mark.django_db
def test_pages_of_researchers_are_english_where_they_are_not_translated() -> None:
    study = make_study()
    client = Client()
    client.force_login(make_member(study))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"

    assert language_of(client.get("/").content.decode()) == "de"
    page = client.get(study.get_absolute_url()).content.decode()
    assert language_of(page) == "en"
    offered = re.findall(r'name="language" value="([a-z-]+)"', page)
    assert offered == ([] if len(settings.RESEARCHER_LANGUAGES) == 1 else settings.RESEARCHER_LANGUAGES)


@pytest.mark.django_db
def test_errors_speak_the_reader_s_language() -> None:
    page = Client(headers={"accept-language": "es"}).get("/no/such/page/")

    assert page.status_code == 404
    assert "Página no encontrada" in page.content.decode()


@pytest.mark.django_db
def test_a_rating_card_is_in_the_rater_s_language_and_its_data_are_not() -> None:
    rater = make_rater(make_study())
    assert rater.user
    client = Client()
    client.force_login(rater.user)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ar"

    page = client.get(f"/rate/{rater.study.token}/").content.decode()

    assert language_of(page) == "ar"
    assert "حفظ ومتابعة" in page
    assert 'data-left="بقي نحو {minutes} د"' in page
    assert re.findall(r'type="radio" name="[\w-]+" value="(\w+)"', page)[:5] == ["0", "1", "2", "3", "4"]


def test_every_address_for_everybody_exists() -> None:
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert names >= FOR_EVERYBODY


@pytest.mark.django_db
def test_mail_is_in_the_language_of_the_page_that_asked_for_it(settings: Settings) -> None:
    settings.SENDS_MAIL = True
    make_user("ruth", email="ruth@example.org", password="a long enough password")

    Client(headers={"accept-language": "de"}).post("/password/forgotten/", {"email": "ruth@example.org"})

    (message,) = mail.outbox
    assert message.subject == "Ein neues Passwort für testserver festlegen"
    assert "öffnen Sie innerhalb eines Tages diesen Link" in str(message.body)
