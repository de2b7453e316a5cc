"""A study's own words in several languages: raters read theirs, and what is stored is the same for all."""

import re

import pytest
from django.conf import settings
from django.test import Client

from annotations.models import Response, Study
from annotations.models.participation import RaterPlan
from annotations.questions import ALIGNMENT
from annotations.services import studies as services
from tests.annotations.looking import fetch_images
from tests.annotations.views.test_design import text_of
from tests.factories import make_member, make_rater, make_study

pytestmark = pytest.mark.django_db
GERMAN = {
    ALIGNMENT.question: "Passt das Bild zum Prompt?",
    "matches exactly": "passt genau",
    "Look closely.": "Sehen Sie genau hin.",
}


def client_of(user: object, language: str = "") -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]  # a rater's user is there
    if language:
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return client


@pytest.fixture
def study() -> Study:
    study = make_study(n_items=2, state=Study.State.DRAFT)
    study.instructions = "Look closely."
    study.save()
    return study


def send(client: Client, study: Study, words: dict[str, str], language: str = "de") -> str:
    data = {"text": list(words), "translation": list(words.values())}
    return text_of(client.post(f"/study/{study.token}/words/{language}/", data, follow=True))


def test_a_rater_reads_their_language_and_the_original_where_there_is_none(study: Study) -> None:
    send(client_of(make_member(study)), study, GERMAN)
    services.open_study(study=study)
    rater = make_rater(study)
    client = client_of(rater.user, "de")
    page = text_of(client.get(f"/rate/{study.token}/"))

    assert "Passt das Bild zum Prompt?" in page
    assert "Sehen Sie genau hin." in page
    labels = re.findall(r'<span class="label" dir="auto">([^<]*)', page)
    assert labels[:5] == [label for _value, label in ALIGNMENT.levels[:4]] + ["passt genau"]
    answer = re.search(r'class="card [^>]*action="([^"]+)"', page)
    (name,) = {*re.findall(r'type="radio" name="([\w-]+)"', page)}
    assert answer
    assert "Passt das Bild zum Prompt?" in client.post(answer[1]).content.decode(), "the error is in the same words"
    fetch_images(client, answer[1].split("/")[-2])
    assert client.post(answer[1], {name: "4"}).status_code == 302
    stored = Response.objects.get()
    assert (stored.level, stored.dimension.levels[4]["label"]) == (4, "matches exactly")
    assert "Does the image match the prompt?" in text_of(client_of(rater.user, "es").get(f"/rate/{study.token}/"))


def test_a_study_can_fix_the_language(study: Study) -> None:
    study.language = "ar"
    study.save()
    services.open_study(study=study)
    rater = make_rater(study)

    for page in (
        text_of(client_of(rater.user, "de").get(f"/rate/{study.token}/")),
        text_of(Client(headers={"accept-language": "es"}).get(f"/join/{study.invitation}/")),
    ):
        assert '<html lang="ar" dir="rtl"' in page
        assert 'button class="linklike" name="language"' not in page
    assert '<html lang="de"' in text_of(client_of(rater.user, "de").get("/"))


def test_languages_do_not_overwrite_each_other_and_empty_fields_keep_nothing(study: Study) -> None:
    client = client_of(make_member(study))
    send(client, study, GERMAN)
    send(client, study, {ALIGNMENT.question: "¿Coincide la imagen con el prompt?"}, "es")
    page = send(client, study, {"matches exactly": "  "})

    study.refresh_from_db()
    assert study.words == {
        "de": {text: own for text, own in GERMAN.items() if text != "matches exactly"},
        "es": {ALIGNMENT.question: "¿Coincide la imagen con el prompt?"},
    }
    assert "2 of 8" in page
    assert "1 of 8" in page


def test_what_the_study_no_longer_says_gets_no_translation(study: Study) -> None:
    send(client_of(make_member(study)), study, {"an earlier question": "eine frühere Frage"})
    study.refresh_from_db()
    assert study.words == {}


def test_words_stay_once_the_study_has_been_open(study: Study) -> None:
    client = client_of(make_member(study))
    services.open_study(study=study)

    page = send(client, study, GERMAN)

    study.refresh_from_db()
    assert study.words == {}
    assert "its words stay as they are" in page


def test_there_is_no_page_for_the_main_language_and_for_unknown_ones(study: Study) -> None:
    client = client_of(make_member(study))
    assert client.get(f"/study/{study.token}/words/en/").status_code == 404
    assert client.get(f"/study/{study.token}/words/xx/").status_code == 404
    assert client.get(f"/study/{study.token}/words/").headers["Location"].endswith("/words/zh-hans/")


def test_warnings_groups_and_the_kept_consent_are_in_the_language_that_was_read(study: Study) -> None:
    study.consent = "Your answers are kept."
    study.save()
    plan = RaterPlan.objects.create(
        study=study, content_warning="Some images are sad.", group_question="Do you paint?", group_choices="Yes\nNo = 9"
    )
    words = {
        "Your answers are kept.": "Ihre Antworten werden aufbewahrt.",
        plan.content_warning: "Manche Bilder sind traurig.",
        plan.group_question: "Malen Sie?",
        "No": "Nein",
    }
    page = send(client_of(make_member(study)), study, words)
    assert all(own in page for own in words.values())
    services.open_study(study=study)

    person = Client(headers={"accept-language": "de"})
    invitation = text_of(person.get(f"/join/{study.invitation}/"))
    assert "Malen Sie?" in invitation
    assert '<option value="No">Nein</option>' in invitation
    person.post(f"/join/{study.invitation}/", {"consent": "on", "group": "No"})
    Client().post(f"/join/{study.invitation}/", {"consent": "on"})

    german, english = study.raters.order_by("pk")
    assert german.group == "No"
    kept = [rater.consent.text if rater.consent else "" for rater in (german, english)]
    assert kept == ["Ihre Antworten werden aufbewahrt.", "Your answers are kept."]
    assert "Manche Bilder sind traurig." in text_of(person.get(f"/rate/{study.token}/before/"))
