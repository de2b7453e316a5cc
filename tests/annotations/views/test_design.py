"""Designing a study: the form and its preview, with and without script, and what it makes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from annotations.forms.dimensions import preset_fields
from annotations.models import Study
from annotations.questions import ALIGNMENT, PREFERENCE, PRESETS, Preset
from generation.models import Image, Method
from tests.factories import make_image, make_method, make_prompt, make_prompt_set, make_study, make_user

pytestmark = pytest.mark.django_db

NEW = "/study/new/"


@pytest.fixture
def researcher(client: Client) -> Client:
    client.force_login(make_user("rosa", researcher=True))
    return client


def images(n: int = 4) -> tuple[Method, Method]:
    """n prompts with a baseline and what was refined from it."""
    prompt_set = make_prompt_set("Scenes")
    baseline, refined = make_method("baseline"), make_method("refined at 600")
    for i in range(n):
        first = make_image(prompt=make_prompt(f"Scene number {i}", prompt_set=prompt_set), method=baseline)
        make_image(method=refined, parent=first)
    return baseline, refined


def form_data(*presets: Preset, **changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "title": "Look closely",
        "prompt_sets": sorted(set(Image.objects.values_list("prompt__prompt_set", flat=True))),
        "methods": sorted(set(Image.objects.values_list("method", flat=True))),
        "item_kind": "image",
        "raters_per_item": "3",
        "items_per_rater": "",
        "order": "shuffled",
        "seed": "11",
        "batch_size": "10",
        "lease_minutes": "30",
        "consent": "Kept.",
        "instructions": "Look.",
        "notes": "",
        "form-TOTAL_FORMS": str(len(presets)),
        "form-INITIAL_FORMS": "0",
    }
    for index, preset in enumerate(presets):
        for name, value in preset_fields(preset).items():
            if value is not False:
                data[f"form-{index}-{name}"] = str(value)
    return data | changes


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.content.decode())


def question_texts(text: str) -> list[str]:
    return re.findall(r'name="form-\d+-question" value="([^"]*)"', text)


@pytest.mark.parametrize("method", ["get", "post"])
def test_only_people_who_may_add_studies_come_in(client: Client, method: str) -> None:
    assert getattr(client, method)(NEW).headers["Location"] == f"/sign-in/?next={NEW}"
    client.force_login(make_user())
    assert getattr(client, method)(NEW).status_code == 403
    assert not Study.objects.exists()


def test_the_first_form_has_everything_ticked_the_default_question_and_a_card(researcher: Client) -> None:
    images(4)

    text = text_of(researcher.get(NEW))

    # methods, prompt set, kind, rules for further raters and prompts; of the question: unable, needs an answer, shows
    # its value
    assert text.count("checked") == 2 + 1 + 1 + 2 + 3
    assert question_texts(text) == [ALIGNMENT.question]
    assert "baseline — 4 images" in text
    assert "Scene number 0" in text
    assert "<b>8</b> items" in text
    assert "<b>6 min</b>" in text  # 8 items × 3 raters × 15 s


def test_making_a_study(researcher: Client) -> None:
    images(4)

    response = researcher.post(NEW, form_data(ALIGNMENT, PRESETS["acceptance"], action="create"))

    study = Study.objects.get()
    assert response.headers["Location"] == study.get_absolute_url()
    assert (study.title, study.seed, study.state, study.owner.username) == ("Look closely", 11, "draft", "rosa")
    assert [dimension.name for dimension in study.dimensions.all()] == ["alignment", "acceptance"]
    assert study.dimensions.all()[0].levels == ALIGNMENT.level_rows()
    assert study.items.count() == 8
    assert set(study.items.values_list("wanted", flat=True)) == {3}


def test_making_pairs(researcher: Client) -> None:
    baseline, refined = images(3)

    researcher.post(NEW, form_data(PREFERENCE, action="create", item_kind="pair"))

    for item in Study.objects.get().items.all():
        assert [row.image.method for row in item.item_images.all()] == [baseline, refined]


def test_pairs_of_a_baseline_with_each_other_method(researcher: Client) -> None:
    methods = [make_method() for _ in range(3)]
    for prompt in [make_prompt(prompt_set=(prompt_set := make_prompt_set())), make_prompt(prompt_set=prompt_set)]:
        for method in methods:
            make_image(prompt=prompt, method=method)
    pairs = form_data(PREFERENCE, item_kind="pair", pairing="baseline", pair_baseline=str(methods[1].pk))

    assert "<b>4</b> items" in text_of(researcher.post(NEW, pairs))
    assert "<b>6</b> items" in text_of(researcher.post(NEW, pairs | {"pairing": "all"}))
    assert "<b>2</b> items" in text_of(researcher.post(NEW, pairs | {"pairing": "sample", "pairs_per_prompt": "1"}))
    assert researcher.post(NEW, pairs | {"action": "create"}).status_code == 302

    study = Study.objects.get()
    assert (study.pairing, study.pair_baseline) == ("baseline", methods[1])
    assert {item.item_images.get(slot=0).image.method for item in study.items.all()} == {methods[1]}
    settings = text_of(researcher.get(f"/study/{study.token}/settings/"))
    assert f"one baseline with each other method: {methods[1]}" in settings


@pytest.mark.parametrize("baseline", ["", "0"])
def test_a_baseline_is_one_of_the_methods(researcher: Client, baseline: str) -> None:
    chosen, _other = images(2)
    unticked = make_method()
    make_image(method=unticked)
    pairs = form_data(PREFERENCE, action="create", item_kind="pair", pairing="baseline")
    pairs |= {"methods": [chosen.pk], "pair_baseline": str(unticked.pk) if baseline else ""}

    text = text_of(researcher.post(NEW, pairs))

    assert "Choose the baseline among the methods ticked above." in text
    assert not Study.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": ""}, "This field is required."),
        ({"methods": []}, "This field is required."),
        ({"methods": ["99999"]}, "not one of the available choices"),
        ({"raters_per_item": "0"}, "greater than or equal to 1"),
        ({"seed": str(2**63)}, "less than or equal to"),
        ({"form-0-levels": "1 = a\n1 = b"}, "already has this value"),
        ({"form-0-question": ""}, "This field is required."),
        ({"form-TOTAL_FORMS": "0"}, "Please submit at least 1 form"),
        ({"form-TOTAL_FORMS": "x"}, "Please submit at least 1 form"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    researcher: Client, changes: dict[str, Any], words: str
) -> None:
    images(2)

    text = text_of(researcher.post(NEW, form_data(ALIGNMENT, action="create", instructions="Look twice.") | changes))

    assert words in text
    assert "Look twice." in text
    assert 'role="alert"' in text
    assert not Study.objects.exists()


def test_a_selection_with_nothing_to_show_makes_nothing(researcher: Client) -> None:
    make_image()

    text = text_of(researcher.post(NEW, form_data(ALIGNMENT, action="create", item_kind="pair")))

    assert "nothing to show" in text
    assert not Study.objects.exists()


def test_left_and_right_need_pairs(researcher: Client) -> None:
    images(2)

    text = text_of(researcher.post(NEW, form_data(PREFERENCE, action="create")))

    assert "needs two images" in text
    assert not Study.objects.exists()


def test_questions_are_added_and_removed_without_script_and_keep_what_was_typed(researcher: Client) -> None:
    images(1)

    added = text_of(researcher.post(NEW, form_data(ALIGNMENT, action="add:preference", title="Half done")))
    assert question_texts(added) == [ALIGNMENT.question, PREFERENCE.question]
    assert 'value="Half done"' in added

    two = form_data(ALIGNMENT, PREFERENCE) | {"form-1-question": "My own words?"}
    assert question_texts(text_of(researcher.post(NEW, two | {"action": "remove:0"}))) == ["My own words?"]
    assert question_texts(text_of(researcher.post(NEW, two | {"action": "remove:7"}))) == [
        ALIGNMENT.question,
        "My own words?",
    ]
    assert len(question_texts(text_of(researcher.post(NEW, two | {"action": "add:nonsense"})))) == 2
    blank = text_of(researcher.post(NEW, form_data(ALIGNMENT, action="add:blank")))
    assert 'name="form-1-question"' in blank
    assert not Study.objects.exists()


def test_the_last_question_stays(researcher: Client) -> None:
    images(1)

    text = text_of(researcher.post(NEW, form_data(ALIGNMENT, action="remove:0")))

    assert question_texts(text) == [ALIGNMENT.question]


def test_a_script_gets_only_card_and_cost(researcher: Client) -> None:
    images(4)
    data = form_data(ALIGNMENT, raters_per_item="5", items_per_rater="4", title="")

    text = text_of(researcher.post(NEW, data, headers={"HX-Request": "true"}))

    assert text.startswith('<aside id="live"')
    assert "<b>8</b> items" in text
    assert "<b>5</b> raters" in text
    assert "at least 10 raters" in text  # 40 cards, 4 for each
    assert "This field is required" not in text


def test_the_card_follows_the_kind_and_the_words(researcher: Client) -> None:
    images(2)
    data = form_data(PREFERENCE, item_kind="pair") | {"form-0-levels": "1 = this\n2 = that"}

    text = text_of(researcher.post(NEW, data, headers={"HX-Request": "true"}))

    assert text.count("<img") == 2
    assert "this</span>" in text
    assert "both good" not in text

    broken = text_of(researcher.post(NEW, data | {"form-0-levels": "this"}, headers={"HX-Request": "true"}))
    assert "write a value, =, and its label" in broken


def test_a_method_named_where_raters_read_is_pointed_out(researcher: Client) -> None:
    images(1)

    text = text_of(
        researcher.post(NEW, form_data(ALIGNMENT, title="Is BASELINE enough?"), headers={"HX-Request": "true"})
    )

    assert "Raters would see the name of a method: baseline." in text


def test_nothing_to_choose_from_says_what_is_missing(researcher: Client) -> None:
    assert "Nothing to show with this choice." in text_of(researcher.get(NEW))


@pytest.mark.parametrize("n", [3, 30])
def test_queries_do_not_grow_with_sets_methods_and_images(
    researcher: Client, django_assert_num_queries: Callable[..., Any], n: int
) -> None:
    for _ in range(n):
        make_study(n_items=4, n_methods=2)

    with django_assert_num_queries(25):
        researcher.get(NEW)
    with django_assert_num_queries(22):
        researcher.post(NEW, form_data(ALIGNMENT), headers={"HX-Request": "true"})


def test_a_study_is_copied_into_the_form_and_made_again(client: Client) -> None:
    study = make_study(
        title="Look closely",
        item_kind=Study.ItemKind.PAIR,
        presets=(ALIGNMENT, PREFERENCE),
        k=2,
        n_items=3,
        instructions="Look.",
        batch_size=7,
    )
    owner = study.owner
    client.force_login(owner)
    assert f"{NEW}?copy={study.token}" in client.get(study.get_absolute_url()).content.decode()

    page = client.get(NEW, {"copy": study.token})

    form, questions = page.context["form"], page.context["questions"]
    data = {field.html_name: field.value() for field in form}
    for one in questions:
        data |= {field.html_name: field.value() for field in one if field.value() not in (None, False)}
    data |= {f"form-{name}": str(n) for name, n in (("TOTAL_FORMS", len(questions)), ("INITIAL_FORMS", 0))}
    assert data["title"] == "Look closely (copy)"
    assert data["seed"] != study.seed
    client.post(NEW, {name: "" if value is None else value for name, value in data.items()} | {"action": "create"})

    copy = Study.objects.exclude(pk=study.pk).get()
    assert (copy.item_kind, copy.raters_per_item, copy.batch_size, copy.instructions) == ("pair", 2, 7, "Look.")
    assert copy.state == Study.State.DRAFT
    for name in ("name", "question", "kind", "about", "levels", "allows_unable"):
        theirs = list(study.dimensions.values_list(name, flat=True))
        assert list(copy.dimensions.values_list(name, flat=True)) == theirs
    assert set(copy.items.values_list("images", flat=True)) == set(study.items.values_list("images", flat=True))


def test_only_a_study_of_one_s_own_is_copied(researcher: Client) -> None:
    assert researcher.get(NEW, {"copy": make_study().token}).status_code == 403
    assert researcher.get(NEW, {"copy": "none"}).status_code == 404
