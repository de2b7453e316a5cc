"""Two images on a phone held upright: one at a time, as large as the window allows, and both seen before an answer."""

import pytest
from playwright.sync_api import Page, expect

from annotations.models import Rater, Response, Study
from annotations.questions import ALIGNMENT, PREFERENCE
from generation.models import Image
from tests.browser.cards.test_kinds import PHONE, NewContext, at_card
from tests.browser.test_audit_layout import swipe
from tests.browser.test_card_layout import FITS, box
from tests.browsing import assert_accessible, opened
from tests.factories import make_rater, make_study, stored_png

pytestmark = pytest.mark.browser
TOUCH = {**PHONE, "device_scale_factor": 2}
LOOK_FIRST = "Look at this image first, then answer."


def a_pair(*, n_items: int = 2, each: bool = False) -> Rater:
    presets = (ALIGNMENT, PREFERENCE) if each else (PREFERENCE,)
    study = make_study(n_items=n_items, item_kind=Study.ItemKind.PAIR, presets=presets)
    Image.objects.update(**stored_png(1, (512, 512)))
    return make_rater(study)


def in_front(page: Page) -> str | None:
    assert page.locator(".picture.is-in-front").count() == 1
    return page.locator(".picture.is-in-front").get_attribute("aria-label")


def test_one_at_a_time_by_button_swipe_and_arrow_key(new_context: NewContext, live_site: str) -> None:
    page = at_card(new_context(**TOUCH), a_pair(), live_site)
    opened(page)
    left, right = (page.locator(".sides button").nth(place) for place in (0, 1))
    frames = page.locator(".picture .frame")
    places = [box(frame) for frame in frames.all()]
    assert places[0] == places[1]
    assert places[0]["width"] == 390
    assert places[0]["height"] >= 340
    assert box(page.locator(".scale"))["bottom"] <= 844
    assert page.evaluate(FITS)

    assert in_front(page) == "Left image"
    right.tap()
    expect(right).to_have_attribute("aria-pressed", "true")
    assert in_front(page) == "Right image"
    swipe(page, frames.nth(1), 150)
    expect(left).to_have_attribute("aria-pressed", "true")
    swipe(page, frames.first, -150)
    expect(right).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowLeft")
    assert in_front(page) == "Left image"
    assert_accessible(page)


def test_nothing_is_answered_before_both_have_been_in_view(new_context: NewContext, live_site: str) -> None:
    rater = a_pair()
    page = at_card(new_context(**TOUCH), rater, live_site)
    opened(page)
    page.keyboard.press("1")
    expect(page.get_by_role("alert").filter(has_text=LOOK_FIRST)).to_be_visible()
    assert in_front(page) == "Right image"
    page.keyboard.press("1")
    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
    opened(page)
    assert in_front(page) == "Left image"  # the next card begins anew
    expect(page.locator("#status")).to_have_text("Saved ✓")
    answer = Response.objects.get()
    assert answer.level == 0
    assert answer.viewing["sizes"] == [[354, 354], [354, 354]]  # 42% of the height of the window

    page.keyboard.press("u")  # both were seen when it was answered
    opened(page)
    page.keyboard.press("2")
    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    assert Response.objects.get(is_current=True).level == 1


def test_what_is_asked_of_an_image_brings_it_to_the_front(new_context: NewContext, live_site: str) -> None:
    rater = a_pair(n_items=1, each=True)
    page = at_card(new_context(**TOUCH), rater, live_site)
    opened(page)
    assert in_front(page) == "Left image"
    page.locator(".picture.is-in-front .answer-choice").nth(4).tap()
    expect(page.locator(".picture.is-in-front")).to_have_attribute("aria-label", "Right image")
    page.locator(".picture.is-in-front .answer-choice").nth(1).tap()
    page.locator(".answers .answer-choice").first.tap()
    page.locator(".send").tap()
    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    card = rater.assignments.get()
    slots = list(card.item.images.order_by("item_images__slot"))
    left, right = (slots[int(slot)].pk for slot in card.shown_order.split(","))
    assert dict(Response.objects.exclude(image=None).values_list("image", "level")) == {left: 4, right: 1}


def test_a_wide_window_shows_both(new_context: NewContext, live_site: str) -> None:
    page = at_card(new_context(), a_pair(), live_site)
    opened(page)
    expect(page.locator(".sides")).to_be_hidden()
    left, right = (box(picture) for picture in page.locator(".picture").all())
    assert left["right"] <= right["x"]
    page.keyboard.press("1")
    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
