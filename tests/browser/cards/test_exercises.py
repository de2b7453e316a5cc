"""Practice and quiz cards are the rating card: the same keys, fingers and marks, and the same form without a script."""

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from annotations.models import Dimension, Item, Rater, RaterPlan, Study, Trial
from annotations.questions import ALIGNMENT, PREFERENCE, RANKING, Preset
from annotations.services.taking_part.exercises import add_exercise
from generation.models import Image
from tests.annotations.cards.test_marks import PARTS, PLACES, WORDS, a_study
from tests.browser.cards.hands import MIDDLE, Form, Hand, Keys, Touch
from tests.browser.cards.test_kinds import COMMENT, DESKTOP, MANY, PHONE, SIDEWAYS, SLIDER, NewContext
from tests.browsing import assert_accessible, follow, opened, sign_in
from tests.factories import make_rater, make_study, stored_png

pytestmark = pytest.mark.browser
EVERYTHING = (ALIGNMENT, SLIDER, MANY, WORDS, PARTS, replace(PLACES, name="places"), COMMENT)
GIVEN: dict[str, Any] = {
    "ordinal": 3,
    "slider": 70,
    "many": [0, 2],
    "words": [0, 1, 0, 2, 0, 0],
    "parts": ["no", "not asked", "yes", "not asked"],
    "places": [MIDDLE],
    "comment": {"text": "3 hands, 0 care?"},
}


def prepared(study: Study) -> Rater:
    """A rater who has one card to practise on and one of a quiz, both like the study's only item."""
    item, dimension = study.items.get(), study.dimensions.order_by("position")[0]
    images = list(item.images.order_by("item_images__slot").values_list("pk", flat=True))
    for image in Image.objects.filter(pk__in=images):
        Image.objects.filter(pk=image.pk).update(**stored_png(image.pk, (512, 512)))
    about = images[0] if dimension.about == Dimension.About.IMAGE else None
    for role in (Item.Role.PRACTICE, Item.Role.QUIZ):
        add_exercise(
            study=study,
            role=role,
            prompt_id=item.prompt_id,
            images=images,
            accepted={(dimension.pk, about): [0, 3]},
            reason="It is as it is.",
            frozen=item.frozen,
        )
    rater = make_rater(study)
    Rater.objects.filter(pk=rater.pk).update(must_prepare=True)
    return rater


def at_exercise(page: Page, rater: Rater) -> Page:
    page.goto(f"/rate/{rater.study.token}/")
    expect(page.get_by_text("This is practice")).to_be_visible()
    return page


def answer(page: Page, hand: Hand, study: Study) -> None:
    for dimension in study.dimensions.order_by("position"):
        how = "levels" if dimension.kind == "ordinal" else dimension.kind
        where = ".parts" if how == "parts" else f"fieldset.question[data-kind={how}]"
        getattr(hand, how)(page.locator(where), GIVEN[dimension.kind])
    hand.send(page.locator(".card"))


def as_stored(trial: Trial) -> dict[str, Any]:
    kinds = dict(trial.item.study.dimensions.values_list("pk", "kind"))
    return {
        kinds[row["dimension"]]: row["answer"] if row["level"] is None else row["level"] for row in trial.answers or []
    }


@pytest.mark.parametrize("make_hand", [Keys, Touch, Form], ids=lambda hand: hand.name)
@pytest.mark.parametrize("options", [DESKTOP, PHONE, SIDEWAYS], ids=["desktop", "phone", "sideways"])
def test_every_kind_of_question_is_answered_as_on_a_card(
    make_hand: type[Keys | Touch | Form], options: dict[str, Any], new_context: NewContext, live_site: str
) -> None:
    is_form = make_hand is Form
    study = a_study(*EVERYTHING)
    rater = prepared(study)
    context = new_context(**({"has_touch": True} | options), java_script_enabled=not is_form)
    sign_in(context, rater.user, live_site)
    page = at_exercise(context.new_page(), rater)
    if not is_form:
        opened(page)
        assert_accessible(page)
    answer(page, make_hand(page), study)
    expect(page.get_by_role("heading", name="Right")).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_text("This quiz has 1 card.")).to_be_visible()
    if not is_form:
        opened(page)
    answer(page, make_hand(page), study)
    expect(page.locator("#progress-text")).to_contain_text("0 of 1")  # the first card itself

    for trial in Trial.objects.all():
        found = as_stored(trial)
        (place,) = found.pop("places") or [None]
        assert (place is None) if is_form else (abs(place["x"] - 0.5) < 0.02 and abs(place["y"] - 0.5) < 0.02)
        line = found.pop("slider")
        assert abs(line - GIVEN["slider"]) <= (6 if make_hand is Touch else 0)
        assert found == {kind: given for kind, given in GIVEN.items() if kind not in ("places", "slider")}
        assert trial.is_right


@pytest.mark.parametrize("make_hand", [Keys, Touch], ids=lambda hand: hand.name)
def test_images_are_put_in_order(make_hand: type[Keys | Touch], new_context: NewContext, live_site: str) -> None:
    study = make_study(n_items=1, item_kind=Study.ItemKind.PROMPT, n_methods=3, presets=(RANKING,))
    rater = prepared(study)
    context = new_context(**PHONE)
    sign_in(context, rater.user, live_site)
    page = at_exercise(context.new_page(), rater)
    opened(page)
    hand = make_hand(page)
    hand.ranking(page.locator(".ordering"), [1, 2, 0])
    hand.send(page.locator(".card"))
    expect(page.get_by_text("You answered:").first).to_be_visible()
    trial = Trial.objects.get(answered_at__isnull=False)
    shown = [int(slot) for slot in trial.shown_order.split(",")]
    by_slot = list(trial.item.images.order_by("item_images__slot").values_list("pk", flat=True))
    assert {row["image"]: row["level"] for row in trial.answers} == {
        by_slot[slot]: place for slot, place in zip(shown, [1, 2, 0], strict=True)
    }


def test_one_press_answers_one_exercise(new_context: NewContext, live_site: str) -> None:
    """Neither the second half of a double click nor a held key is an answer to what comes next."""
    study = make_study(n_items=1)
    rater = prepared(study)
    context = new_context()
    sign_in(context, rater.user, live_site)
    page = at_exercise(context.new_page(), rater)
    opened(page)
    page.locator(".answer-choice").nth(3).dblclick()
    expect(page.get_by_role("heading", name="Right")).to_be_visible()
    assert Trial.objects.exclude(answered_at=None).count() == 1
    page.go_back()  # an answered question is not asked again
    expect(page.get_by_text("This quiz has 1 card.")).to_be_visible()
    opened(page)
    page.keyboard.press("4")
    expect(page.locator("#progress-text")).to_contain_text("0 of 1")
    assert [trial.answers[0]["level"] for trial in Trial.objects.all()] == [3, 3]


def test_a_pair_is_practised_one_at_a_time_on_a_phone(new_context: NewContext, live_site: str) -> None:
    study = make_study(n_items=1, item_kind=Study.ItemKind.PAIR, presets=(PREFERENCE,))
    rater = prepared(study)
    context = new_context(**PHONE)
    sign_in(context, rater.user, live_site)
    page = at_exercise(context.new_page(), rater)
    opened(page)
    left = page.locator(".answer-choice").first
    left.tap()
    expect(page.get_by_role("alert").filter(has_text="Look at this image first")).to_be_visible()
    expect(page.get_by_role("button", name="Right", exact=True)).to_have_attribute("aria-pressed", "true")
    assert not Trial.objects.exclude(answered_at=None).exists()
    page.wait_for_timeout(600)  # a tap of its own, not a double tap
    left.tap()
    expect(page.get_by_text("You answered:")).to_be_visible()


VALUES = "inputs => inputs.map((input) => input.value)"
BLURS = "() => [...document.querySelectorAll('.frame img')].map((image) => getComputedStyle(image).filter)"
"""The filter of each image on a card."""


def warned(*presets: Preset) -> Rater:
    """A rater of a study with a content warning that has been read; practice and quiz come next."""
    study = make_study(n_items=1, presets=presets)
    rater = prepared(study)
    RaterPlan.objects.update_or_create(study=study, defaults={"content_warning": "Some images show wounds."})
    Rater.objects.filter(pk=rater.pk).update(warning_seen_at=timezone.now())
    return rater


def is_blurred(page: Page) -> bool:
    (filter_,) = page.evaluate(BLURS)
    return bool(filter_ != "none")


@pytest.mark.parametrize("options", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_exercises_are_blurred_behind_a_content_warning_as_every_card_is(
    options: dict[str, Any], new_context: NewContext, live_site: str
) -> None:
    rater = warned(ALIGNMENT)
    context = new_context(**options)
    sign_in(context, rater.user, live_site)
    page = at_exercise(context.new_page(), rater)
    for is_quiz in (False, True):
        opened(page)
        assert is_blurred(page)
        assert_accessible(page)
        page.keyboard.press("4")  # images that were not seen cannot be answered about
        page.locator(".answer-choice").nth(3).click()
        assert page.locator(".answer-choice input:checked").count() == 0
        page.get_by_role("button", name="Show it").click()
        assert not is_blurred(page)
        page.keyboard.press("v")  # the key of the rating card
        assert is_blurred(page)
        page.keyboard.press("v")
        page.keyboard.press("4")
        if not is_quiz:
            follow(page, page.get_by_role("link", name="Continue"))
            expect(page.get_by_text("This quiz has 1 card.")).to_be_visible()
    expect(page.locator("#progress-text")).to_contain_text("0 of 1")  # the first card itself
    assert is_blurred(page)


@pytest.mark.parametrize("preset", [SLIDER, MANY, WORDS, replace(PLACES, name="places"), COMMENT], ids=lambda p: p.name)
def test_no_kind_of_question_is_answered_before_its_image_is_seen(
    preset: Preset, new_context: NewContext, live_site: str
) -> None:
    rater = warned(preset)
    context = new_context(**DESKTOP)
    sign_in(context, rater.user, live_site)
    page = at_exercise(context.new_page(), rater)
    opened(page)
    before = page.locator(".question").inner_html()
    for key in ("1", "2", "ArrowRight", "x", "Enter", "m"):
        page.locator(".prompt").focus()
        page.keyboard.press(key)
    for part in page.locator(".question :is(.answer-choice, .word, .rest, .kind, .range, .comment)").all():
        part.click(force=True)
        page.keyboard.type("5")
    assert is_blurred(page)
    assert page.locator(".question").inner_html() == before
    assert page.locator(".question :checked").count() == 0
    assert "".join(page.locator(".question :is(textarea, input[type=hidden])").evaluate_all(VALUES)) in ("", "[]")


def test_without_a_script_a_blurred_image_can_be_shown(new_context: NewContext, live_site: str) -> None:
    rater = warned(ALIGNMENT)
    context = new_context(java_script_enabled=False)
    sign_in(context, rater.user, live_site)
    page = at_exercise(context.new_page(), rater)
    image = page.locator(".frame img")
    expect(image).not_to_have_css("filter", "none")
    page.get_by_label("Show it").check()
    expect(image).to_have_css("filter", "none")


def test_examples_are_blurred_one_by_one(new_context: NewContext, live_site: str) -> None:
    rater = warned(ALIGNMENT)
    exercises = Item.with_checks.filter(study=rater.study, role__in=(Item.Role.PRACTICE, Item.Role.QUIZ))
    for position, item in enumerate(list(exercises)):
        Item.with_checks.filter(pk=item.pk).update(role=Item.Role.EXAMPLE, position=position)
    context = new_context(**PHONE)
    sign_in(context, rater.user, live_site)
    page = context.new_page()
    page.goto(f"/rate/{rater.study.token}/")
    expect(page.get_by_role("heading", name="How to answer: examples")).to_be_visible()
    first, second = page.locator(".example-pictures img").all()
    expect(first).not_to_have_css("filter", "none")
    page.get_by_label("Show it").first.check()
    expect(first).to_have_css("filter", "none")
    expect(second).not_to_have_css("filter", "none")
    assert_accessible(page)
