"""A card with one question needs no scrolling, its image is as large as that allows, and targets are large enough."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page

from annotations.models import Dimension, Rater, Study
from annotations.questions import PREFERENCE, Preset
from generation.models import Image
from tests.annotations.cards.test_marks import PARTS, PLACES, WORDS, a_study
from tests.browser.cards.test_in_sight import WORDED, shown
from tests.browser.cards.test_kinds import ANALOGUE, COMMENT, MANY, PHONE, SLIDER, NewContext, at_card
from tests.browser.test_card_layout import FITS, box
from tests.browsing import assert_accessible, opened
from tests.factories import make_rater, make_study, stored_png

pytestmark = pytest.mark.browser
CHOICE = replace(WORDED, name="what", levels=(("1", "a photo"), ("2", "a drawing")), kind=Dimension.Kind.NOMINAL)
ONE_QUESTION = (WORDED, CHOICE, SLIDER, ANALOGUE, MANY, WORDS, replace(PLACES, name="places"), COMMENT)
TAKE_ROOM = (WORDS, PARTS, replace(PLACES, name="places"), COMMENT)


def rater_of_one(preset: Preset) -> Rater:
    study = a_study(preset)
    Image.objects.update(**stored_png(1, (768, 768)))
    return make_rater(study)


def needs_no_scrolling(page: Page) -> bool:
    found: bool = page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    return found


@pytest.mark.parametrize("locale", ["en-US", "ar-SA"])
@pytest.mark.parametrize("preset", ONE_QUESTION, ids=lambda preset: preset.name)
def test_a_phone_shows_the_whole_card(preset: Preset, locale: str, new_context: NewContext, live_site: str) -> None:
    page = at_card(new_context(**PHONE, locale=locale), rater_of_one(preset), live_site)
    opened(page)
    assert needs_no_scrolling(page)
    (image,) = shown(page)
    assert image["height"] >= 844 * 0.3
    for control in page.locator(".card :is(.face, .word, .rest, .kind, .back, summary):visible").all():
        at = box(control)
        assert min(at["height"], at["width"]) >= 43.9, control.inner_text()
    assert page.evaluate(FITS)
    assert_accessible(page)


@pytest.mark.parametrize("size", [(390, 844), (360, 740), (360, 640), (320, 568)])
def test_a_phone_shows_all_answers_to_a_preference(
    size: tuple[int, int], new_context: NewContext, live_site: str
) -> None:
    study = make_study(n_items=1, item_kind=Study.ItemKind.PAIR, presets=(PREFERENCE,))
    Image.objects.update(**stored_png(1, (768, 768)))
    options = PHONE | {"viewport": {"width": size[0], "height": size[1]}}
    page = at_card(new_context(**options), make_rater(study), live_site)
    opened(page)
    assert (
        needs_no_scrolling(page) or size[1] > 750
    )  # a tall one keeps the answers below each other, and a larger image
    assert box(page.locator(".answer-choice").last)["bottom"] <= size[1]
    assert shown(page)[0]["height"] >= size[1] * (0.3 if size[1] > 600 else 0.25)
    assert page.evaluate(FITS)
    assert all(box(face)["height"] >= 43.9 for face in page.locator(".answer-choice .face").all())
    assert_accessible(page)


def test_a_short_phone_shows_a_card_with_six_answers(new_context: NewContext, live_site: str) -> None:
    options = PHONE | {"viewport": {"width": 360, "height": 640}}
    page = at_card(new_context(**options), rater_of_one(WORDED), live_site)
    opened(page)
    assert page.locator(".answer-choice").count() == 6
    assert needs_no_scrolling(page)
    assert shown(page)[0]["height"] >= 640 * 0.24


@pytest.mark.parametrize("preset", TAKE_ROOM, ids=lambda preset: preset.name)
def test_a_question_that_takes_room_takes_none_from_the_image(
    preset: Preset, new_context: NewContext, live_site: str
) -> None:
    page = at_card(new_context(viewport={"width": 1280, "height": 720}), rater_of_one(preset), live_site)
    opened(page)
    (image,) = shown(page)
    assert image["height"] >= 600
    assert box(page.locator(".send"))["bottom"] <= 720
    assert_accessible(page)


def test_a_low_window_shows_a_pair_with_one_question_each_and_one_about_both(
    new_context: NewContext, live_site: str
) -> None:
    study = make_study(n_items=1, item_kind=Study.ItemKind.PAIR, presets=(WORDED, PREFERENCE))
    Image.objects.update(**stored_png(1, (768, 768)))
    page = at_card(new_context(viewport={"width": 1280, "height": 720}), make_rater(study), live_site)
    opened(page)
    assert needs_no_scrolling(page)
    assert all(image["height"] >= 720 * 0.34 for image in shown(page))
