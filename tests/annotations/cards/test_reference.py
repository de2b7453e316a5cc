"""A prompt's reference image next to what is rated: chosen in the design, on every card and preview, never rated."""

import csv
import io
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from annotations.models import Assignment, Dimension, Item, Response, Study, Trial
from annotations.queries.candidates import Selection
from annotations.questions import ALIGNMENT
from annotations.services import rating as services
from annotations.services.explorer.studies import study_of_items
from annotations.services.exports import TABLES
from annotations.services.studies import create_study
from annotations.services.taking_part.exercises import add_exercise
from generation.models import Method, Prompt, PromptSet, Reference
from tests.annotations.looking import fetch_exercise, fetch_images
from tests.annotations.views.test_design import form_data, images
from tests.factories import make_rater, make_reference, make_study, make_token, make_user

pytestmark = pytest.mark.django_db


def make_referenced(**fields: Any) -> Study:
    """An open study of two prompts by two methods; the first prompt has a reference image of 64 × 32 pixels."""
    images(2)
    make_reference(Prompt.objects.order_by("pk")[0], size=(64, 32))
    study = Study(title="t", owner=make_user(researcher=True), shows_reference=True, state=Study.State.OPEN, **fields)
    return create_study(study=study, dimensions=[Dimension(**ALIGNMENT.fields())], selection=everything())


def everything() -> Selection:
    sets, methods = (model._default_manager.values_list("pk", flat=True) for model in (PromptSet, Method))
    return Selection(tuple(sets), tuple(methods))


def at_card(client: Client, study: Study) -> Assignment:
    """The card of the prompt with a reference, reserved for a rater who is signed in."""
    rater = make_rater(study)
    services.reserve(rater=rater)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
    return rater.assignments.filter(item__frozen__has_key="reference").order_by("sequence")[0]


def served(client: Client, address: str) -> bytes:
    response = client.get(address)
    assert response.status_code == 200
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", Study.ItemKind.values)
def test_a_card_has_it_and_a_card_of_a_prompt_without_one_has_not(client: Client, kind: str) -> None:
    study = make_referenced(item_kind=kind)
    card = at_card(client, study)
    n = card.item.images.count()
    page = client.get(reverse("rate-card", args=[study.token, card.token])).content.decode()
    address = reverse("rate-image", args=[card.token, n])
    assert page.count('class="picture reference"') == 1
    assert f'src="{address}?page=1" alt="Reference image" width="64" height="32"' in page
    assert served(client, address) == Reference.objects.get().shown.open("rb").read()
    assert client.get(reverse("rate-image", args=[card.token, n + 1])).status_code == 404

    other = Assignment.objects.exclude(item__frozen__has_key="reference")[0]
    page = client.get(reverse("rate-card", args=[study.token, other.token])).content.decode()
    assert "picture reference" not in page
    assert client.get(reverse("rate-image", args=[other.token, n])).status_code == 404


def test_nothing_reveals_what_it_is_or_whose_images_it_is_next_to(client: Client) -> None:
    study = make_referenced()
    card = at_card(client, study)
    row = Reference.objects.get()
    Reference.objects.update(provenance={"source": {"file": "secret-name.png"}})
    page = client.get(reverse("rate-card", args=[study.token, card.token])).content.decode()
    response = client.get(reverse("rate-image", args=[card.token, 1]))
    for revealing in ("secret-name", row.sha256, str(row.file.name), str(row.shown.name), f"reference/{row.pk}"):
        assert revealing not in page
        assert revealing not in str(response.headers)
    assert response.headers["Content-Disposition"] == 'inline; filename="image.webp"'
    somebody = Client()
    somebody.force_login(make_rater(study).user)  # type: ignore[arg-type]  # a person's rater has a user
    assert somebody.get(reverse("rate-image", args=[card.token, 1])).status_code == 404


def test_it_has_to_be_seen_before_an_answer(client: Client) -> None:
    study = make_referenced()
    card = at_card(client, study)
    address = reverse("rate-answer", args=[study.token, card.token])
    field = f"d{study.dimensions.get().pk}-0"

    fetch_images(client, card.token, 1)
    assert "had not loaded" in client.post(address, {field: "1"}).content.decode()
    fetch_images(client, card.token, 2)
    assert client.post(address, {field: "1"}).status_code == 302

    sent = {field: "2", "seen": "512x512,300x150;2;1;1;900;0;k"}
    assert client.post(address, sent, headers={"accept": "application/json"}).status_code == 200
    found = Response.objects.get(is_current=True).viewing
    assert found is not None
    assert (found["sizes"], found["reference"]) == ([[512, 512]], [300, 150])
    rows = list(csv.DictReader(io.StringIO("".join(TABLES["answers"].csv(study)))))
    assert [(row["reference_sha256"], row["shown_width"]) for row in rows] == [(Reference.objects.get().sha256, "512")]


def test_without_the_choice_there_is_none(client: Client) -> None:
    study = make_study(n_items=1)
    make_reference(study.items.get().prompt)
    rater = make_rater(study)
    client.force_login(rater.user)  # type: ignore[arg-type]  # a person's rater has a user
    assert "reference" not in client.get(f"/rate/{study.token}/").content.decode()
    token = Assignment.objects.get().token
    assert client.get(reverse("rate-image", args=[token, 1])).status_code == 404


def test_a_study_of_prompts_without_any_is_refused_with_the_reason() -> None:
    make_referenced()
    Reference.objects.all().delete()
    study = Study(title="t", owner=make_user(researcher=True), shows_reference=True)
    with pytest.raises(ValidationError, match="None of these prompts has a reference image"):
        create_study(study=study, dimensions=[Dimension(**ALIGNMENT.fields())], selection=everything())


def test_it_stays_as_it_was_in_what_is_made_of_the_study_s_items() -> None:
    study = make_referenced()
    before = list(study.items.order_by("prompt", "key").values_list("frozen", flat=True))
    made = study_of_items(study=study, item_ids=list(study.items.values_list("pk", flat=True)), owner=study.owner)
    assert made.shows_reference
    assert list(made.items.order_by("prompt", "key").values_list("frozen", flat=True)) == before


def test_the_design_page_and_the_preview_show_it(client: Client) -> None:
    client.force_login(make_user("rosa", researcher=True))
    images(2)
    prompt = Prompt.objects.order_by("pk")[0]
    assert (
        "None of these prompts"
        in client.post("/study/new/", form_data(ALIGNMENT, shows_reference="on", action="create")).content.decode()
    )
    make_reference(prompt)
    shown = f'src="/prompt/{prompt.pk}/reference"'
    assert shown not in client.post("/study/new/", form_data(ALIGNMENT, action="preview")).content.decode()
    assert (
        shown
        in client.post("/study/new/", form_data(ALIGNMENT, shows_reference="on", action="preview")).content.decode()
    )

    client.post("/study/new/", form_data(ALIGNMENT, shows_reference="on", action="create"))
    study = Study.objects.get()
    at = study.items.filter(frozen__has_key="reference").order_by("position").values_list("position", flat=True)[0]
    assert 'class="picture reference"' in client.get(f"/study/{study.token}/preview/?at={at}").content.decode()
    assert served(client, f"/preview/image/{study.token}.{at}/1/") == Reference.objects.get().shown.open("rb").read()
    copied = client.get(f"/study/new/?copy={study.token}").content.decode()
    assert shown in copied


def test_practice_shows_it_and_its_image_is_needed_too(client: Client) -> None:
    study = make_referenced()
    item = study.items.filter(frozen__has_key="reference")[0]
    image = item.images.get()
    fields = {"accepted": {(study.dimensions.get().pk, image.pk): [1]}, "reason": "", "frozen": item.frozen}
    for role in (Item.Role.EXAMPLE, Item.Role.PRACTICE):
        add_exercise(study=study, role=role, prompt_id=item.prompt_id, images=[image.pk], **fields)
    client.post(f"/join/{study.invitation}/", {"consent": "on"})
    before = f"/rate/{study.token}/before/"
    assert served(client, reverse("rate-exercise-image", args=[study.token, 0, 1]))
    assert client.get(before).content.decode().count("Reference image") == 1
    client.post(before, {"seen": "1"})
    assert 'class="picture reference"' in client.get(before).content.decode()
    trial = Trial.objects.get()
    sent = {"trial": trial.token, f"d{study.dimensions.get().pk}-0": 1}
    client.get(reverse("rate-exercise-image", args=[study.token, trial.token, 0]), {"page": "1"})
    assert client.post(before, sent).status_code == 400
    fetch_exercise(client, study.token)
    feedback = client.get(client.post(before, sent).headers["Location"]).content.decode()
    assert "Reference image" in feedback


def test_custom_front_ends_get_it() -> None:
    study = make_referenced()
    api = APIClient()
    card = at_card(Client(), study)
    user = card.rater.user
    assert user is not None
    api.credentials(HTTP_AUTHORIZATION=f"Token {make_token(user)}")
    cards = {one["token"]: one for one in api.get(f"/api/v1/rate/{study.token}/cards/?n=20").json()}
    found = cards.pop(card.token)
    assert (found["reference"]["width"], found["reference"]["height"], len(found["images"])) == (64, 32, 1)
    assert api.get(found["reference"]["url"]).status_code == 200
    assert {str(one["reference"]) for one in cards.values()} >= {"None"}
