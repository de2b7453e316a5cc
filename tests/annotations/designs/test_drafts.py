"""A draft is changed in the form that made it, previewed as a rater sees it, and not overwritten unnoticed."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from annotations.models import Assignment, Dimension, Rater, Response, Study
from annotations.questions import ACCEPTANCE, ALIGNMENT, PREFERENCE
from annotations.services import studies as services
from generation.models import Activity, Image, Prompt
from tests.annotations.views.test_design import form_data, images, text_of
from tests.factories import make_image, make_method, make_prompt, make_prompt_set, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(client: Client) -> Client:
    client.force_login(make_user("rosa", researcher=True))
    return client


@pytest.fixture
def draft(researcher: Client) -> Study:
    images(4)
    researcher.post("/study/new/", form_data(ALIGNMENT) | {"action": "create"})
    return Study.objects.get()


def address(study: Study, end: str = "design/") -> str:
    return f"/study/{study.token}/{end}"


def filled_in(client: Client, study: Study, **changes: Any) -> dict[str, Any]:
    """The data that the browser sends after the page was opened and these fields were changed."""
    page = text_of(client.get(address(study)))
    seen = re.search(r'name="seen" value="(\d+)"', page)
    assert seen
    return form_data(ALIGNMENT) | {"action": "create", "seen": seen[1]} | changes


def test_everything_of_a_draft_can_be_changed(researcher: Client, draft: Study) -> None:
    method = Image.objects.values_list("method", flat=True)[0]
    changes = {"title": "Look again", "methods": [method], "raters_per_item": "5", "form-0-question": "Does it fit?"}
    response = researcher.post(address(draft), filled_in(researcher, draft, **changes))

    assert response.headers["Location"] == draft.get_absolute_url()
    changed = Study.objects.get()
    assert (changed.pk, changed.token, changed.invitation) == (draft.pk, draft.token, draft.invitation)
    assert (changed.title, changed.raters_per_item, changed.seed) == ("Look again", 5, 11)
    assert [dimension.question for dimension in changed.dimensions.all()] == ["Does it fit?"]
    assert set(changed.items.values_list("wanted", flat=True)) == {5}
    assert set(changed.items.values_list("images__method", flat=True)) == {method}
    assert Activity.objects.filter(action=Activity.Action.CHANGED).count() == 1


def test_the_form_shows_the_draft_as_it_is(researcher: Client, draft: Study) -> None:
    page = text_of(researcher.get(address(draft)))

    assert 'name="title" value="Look closely"' in page
    assert f'name="form-0-question" value="{ALIGNMENT.question}"' in page
    assert page.count("checked") >= len(form_data(ALIGNMENT)["methods"])
    assert f'action="{address(draft)}"' in page


def test_of_two_editors_the_second_is_not_lost_and_overwrites_nothing(researcher: Client, draft: Study) -> None:
    first = filled_in(researcher, draft, title="By the first")
    second = filled_in(researcher, draft, title="By the second")

    assert researcher.post(address(draft), first).status_code == 302
    page = text_of(researcher.post(address(draft), second))

    assert Study.objects.get().title == "By the first"
    assert "Somebody else changed this study" in page
    assert 'value="By the second"' in page
    again = text_of(researcher.post(address(draft), second))
    assert "Somebody else changed this study" in again, "nor at a second try"


def test_a_change_of_settings_counts_as_a_change_of_the_draft(researcher: Client, draft: Study) -> None:
    opened = filled_in(researcher, draft)
    services.change_settings(study=draft, fields=["title"], by=None)

    assert "Somebody else changed this study" in text_of(researcher.post(address(draft), opened))


def test_what_was_opened_meanwhile_stays_as_it_is(researcher: Client, draft: Study) -> None:
    opened = filled_in(researcher, draft, title="Too late")
    services.open_study(study=draft)
    items = list(draft.items.values_list("pk", flat=True))

    response = researcher.post(address(draft), opened, follow=True)

    assert "Only a draft can be changed" in text_of(response)
    assert Study.objects.get().title == "Look closely"
    assert list(draft.items.values_list("pk", flat=True)) == items


def test_a_draft_is_not_opened_on_top_of_a_change_that_was_not_seen(researcher: Client, draft: Study) -> None:
    overview = text_of(researcher.get(draft.get_absolute_url()))
    seen = re.search(r'name="seen" value="(\d+)"', overview)
    assert seen
    researcher.post(address(draft), filled_in(researcher, draft, title="Changed since"))

    page = text_of(researcher.post(address(draft, "state/"), {"state": "open", "seen": seen[1]}, follow=True))

    assert "Check it again, then open it." in page
    assert Study.objects.get().state == Study.State.DRAFT
    researcher.post(address(draft, "state/"), {"state": "open", "seen": str(int(seen[1]) + 1)})
    assert Study.objects.get().state == Study.State.OPEN


def test_a_change_that_is_refused_leaves_the_draft_whole(researcher: Client, draft: Study) -> None:
    before = list(draft.items.values_list("pk", "key"))
    response = researcher.post(address(draft), filled_in(researcher, draft, title="", **{"form-0-question": ""}))

    assert "The draft was not changed" in text_of(response)
    alone = {"item_kind": "pair", "methods": form_data(ALIGNMENT)["methods"][:1]}
    response = researcher.post(address(draft), filled_in(researcher, draft, **alone))
    assert "There is nothing to show" in text_of(response)
    assert list(draft.items.values_list("pk", "key")) == before
    assert Dimension.objects.get().question == ALIGNMENT.question


@pytest.mark.parametrize("end", ["design/", "preview/", "preview/upcoming/?after=x.1"])
def test_others_do_not_get_in(draft: Study, client: Client, end: str) -> None:
    client.force_login(make_user("eve", researcher=True))
    assert client.get(address(draft, end)).status_code == 403
    assert client.get(f"/preview/image/{draft.token}.0/0/").status_code == 403


# --- as a rater sees it ---------------------------------------------------------------------------------------------
def card_of(page: str) -> str:
    found = re.search(r'data-token="([^"]+)"', page)
    assert found
    return found[1]


def test_a_preview_has_the_page_of_raters_and_stores_nothing(researcher: Client, draft: Study) -> None:
    page = text_of(researcher.get(address(draft, "preview/")))
    assert "Nothing that you answer here is stored." in page
    assert "annotations/rate/rate" in page
    card = card_of(page)
    headers = {"accept": "application/json"}
    ahead = json.loads(researcher.get(address(draft, f"preview/upcoming/?after={card}&n=20")).content)["cards"]
    assert [one["token"] for one in ahead] == [f"{draft.token}.{place}" for place in range(1, draft.items.count())]
    (name,) = {*re.findall(r'type="radio" name="([\w-]+)"', page)}

    refused = researcher.post(address(draft, f"preview/answer/{card}/"), {}, headers=headers)
    taken = researcher.post(address(draft, f"preview/answer/{card}/"), {name: "2", "n": "1"}, headers=headers)

    assert refused.status_code == 400
    assert "not answered" in refused.json()["problem"]
    assert taken.json()["outcome"] == "saved"
    assert [one["token"] for one in taken.json()["cards"]] == [ahead[0]["token"]]
    assert not Assignment.objects.exists()
    assert not Response.objects.exists()
    assert not Rater.objects.exists()
    assert Study.objects.get().state == Study.State.DRAFT


def test_a_preview_works_without_a_script_and_ends_at_the_study(researcher: Client, draft: Study) -> None:
    for place in range(draft.items.count()):
        page = text_of(researcher.get(address(draft, f"preview/?at={place}")))
        (name,) = {*re.findall(r'type="radio" name="([\w-]+)"', page)}
        response = researcher.post(address(draft, f"preview/answer/{card_of(page)}/"), {name: "2"})
        assert response.headers["Location"] == address(draft, f"preview/?at={place + 1}")
    assert researcher.get(response.headers["Location"]).headers["Location"] == draft.get_absolute_url()


def test_the_images_of_a_preview_are_those_of_its_card(researcher: Client, draft: Study) -> None:
    shown = researcher.get(f"/preview/image/{draft.token}.1/0/")

    assert shown.headers["Content-Type"] == "image/webp"
    assert b"".join(shown) == draft.items.get(position=1).images.get().shown.open("rb").read()  # type: ignore[attr-defined]  # it streams
    assert researcher.get(f"/preview/image/{draft.token}.1/1/").status_code == 404
    assert researcher.get(f"/preview/image/{draft.token}.99/0/").status_code == 404


# --- what it costs, and which prompts -------------------------------------------------------------------------------
def test_the_cost_in_money_follows_the_form(researcher: Client) -> None:
    images(4)
    data = form_data(ALIGNMENT, pay_per_hour="12.00", currency="EUR")
    page = text_of(researcher.post("/study/new/", data, headers={"HX-Request": "true"}))
    seconds = 8 * 3 * Decimal(re.search(r"<b>(\d+) s</b>", page)[1])  # type: ignore[index]  # it is there

    assert f"<b>{round(12 * seconds / 3600, 2)} EUR</b>" in page
    assert "EUR" not in text_of(researcher.post("/study/new/", form_data(ALIGNMENT), headers={"HX-Request": "true"}))


def test_a_sample_has_equally_many_prompts_of_each_category_and_comes_from_the_seed(researcher: Client) -> None:
    prompt_set, method, other = make_prompt_set("Scenes"), make_method("a"), make_method("b")
    for number in range(24):
        category = ("counting", "colour", "colour", "space")[number % 4]
        prompt = make_prompt(f"{category} {number}", prompt_set=prompt_set, category=category)
        make_image(prompt=prompt, method=method)
        make_image(prompt=prompt, method=other)
    alone = make_prompt("without a pair", prompt_set=prompt_set, category="alone")
    make_image(prompt=alone, method=method)
    pairs = {"item_kind": "pair", "n_prompts": "9", "action": "create"}

    def drawn(seed: str) -> list[int]:
        page = researcher.post("/study/new/", form_data(PREFERENCE) | pairs | {"seed": seed}, follow=True)
        assert "The study was created" in text_of(page)
        return sorted(Study.objects.latest("pk").items.values_list("prompt", flat=True))

    first, again, another = drawn("1"), drawn("1"), drawn("2")

    assert first == again != another
    categories = list(Prompt.objects.filter(pk__in=first).values_list("category", flat=True))
    assert sorted(categories) == ["colour"] * 3 + ["counting"] * 3 + ["space"] * 3
    data = form_data(PREFERENCE) | pairs | {"action": ""}
    live = researcher.post("/study/new/", data, headers={"HX-Request": "true"})
    assert "<b>9</b> items" in text_of(live)


def test_a_copy_begins_as_the_study_was(researcher: Client, draft: Study) -> None:
    services.open_study(study=draft)
    page = text_of(researcher.get(f"/study/new/?copy={draft.token}"))
    assert 'value="Look closely (copy)"' in page
    data = form_data(ALIGNMENT, ACCEPTANCE) | {"action": "create", "copy": draft.token, "title": "A copy"}
    draft.words = {"de": {ALIGNMENT.question: "Passt das Bild zum Prompt?"}}
    draft.save()

    researcher.post("/study/new/", data)

    copy = Study.objects.latest("pk")
    assert (copy.title, copy.state, copy.words) == ("A copy", Study.State.DRAFT, draft.words)
