"""Putting all images of a prompt in order in a real browser: by keys alone, by touch, and without a script."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from annotations.models import Assignment, Rater, Response, Study
from annotations.questions import ALIGNMENT, BEST_WORST, RANKING, Preset
from tests.browsing import assert_accessible, opened, sign_in
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def make_card(*presets: Preset, n_items: int = 1, n_images: int = 4) -> Rater:
    return make_rater(make_study(n_items=n_items, item_kind=Study.ItemKind.PROMPT, n_methods=n_images, presets=presets))


def at_card(context: BrowserContext, rater: Rater, site: str) -> Page:
    sign_in(context, rater.user, site)
    page = context.new_page()
    page.goto(f"/rate/{rater.study.token}/")
    expect(page.locator(".ordering")).to_be_visible()
    return page


def given(card: Assignment, dimension: str) -> list[int | None]:
    """The levels as the rater saw the images, from left to right."""
    by_slot = list(card.item.images.order_by("item_images__slot").values_list("pk", flat=True))
    responses = Response.objects.filter(assignment=card, dimension__name=dimension, is_current=True)
    levels = dict(responses.values_list("image", "level"))
    return [levels[by_slot[int(slot)]] for slot in card.shown_order.split(",")]


def done(page: Page) -> None:
    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()


def test_ranking_by_keys_alone(new_context: NewContext, live_site: str) -> None:
    rater = make_card(RANKING)
    page = at_card(new_context(), rater, live_site)
    opened(page)
    so_far = page.locator(".so-far")

    page.keyboard.press("c")
    expect(so_far).to_have_text("C")
    page.keyboard.press("c")  # it has its place
    page.keyboard.press("=")
    page.keyboard.press("a")
    expect(so_far).to_have_text("C = A")
    page.keyboard.press("d")
    page.keyboard.press("Backspace")
    expect(so_far).to_have_text("C = A")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="not answered yet")).to_be_visible()
    page.keyboard.press("b")
    page.keyboard.press("d")
    expect(so_far).to_have_text("C = A > B > D")
    assert page.locator(".place .label").all_inner_texts() == ["1", "2", "1", "3"]
    assert_accessible(page)
    page.keyboard.press("Enter")

    done(page)
    assert given(Assignment.objects.get(), "ranking") == [0, 1, 0, 2]


def test_best_and_worst_takes_two_keys(new_context: NewContext, live_site: str) -> None:
    rater = make_card(BEST_WORST, n_items=2)
    page = at_card(new_context(), rater, live_site)
    opened(page)
    first = page.locator(".card").get_attribute("data-token")

    page.keyboard.press("b")
    expect(page.locator(".so-far")).to_have_text("best: B")
    page.keyboard.press("Backspace")
    expect(page.locator(".so-far")).to_have_text("")
    page.keyboard.press("d")
    page.keyboard.press("d")
    page.keyboard.press("a")
    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
    expect(page.locator("#echo")).to_contain_text("best: D, worst: A")
    opened(page)
    page.keyboard.press("0")

    done(page)
    cards = {card.token: card for card in Assignment.objects.all()}
    assert given(cards.pop(first or ""), "best-worst") == [2, 1, 1, 0]
    assert given(next(iter(cards.values())), "best-worst") == [None] * 4


def test_undo_shows_the_order_that_was_given(new_context: NewContext, live_site: str) -> None:
    rater = make_card(BEST_WORST, n_items=2)
    page = at_card(new_context(), rater, live_site)
    opened(page)
    page.keyboard.press("a")
    page.keyboard.press("b")
    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    opened(page)
    page.keyboard.press("u")
    expect(page.locator(".so-far")).to_have_text("best: A, worst: B")
    opened(page)
    page.keyboard.press("Backspace")
    expect(page.locator(".so-far")).to_have_text("best: A")
    page.keyboard.press("d")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    expect(page.locator(".so-far")).to_have_text("")
    card = Assignment.objects.exclude(answered_at=None).get()
    expect(page.locator(f'.card[data-token="{card.token}"]')).to_have_count(0)
    assert given(card, "best-worst") == [0, 1, 1, 2]
    assert set(Response.objects.filter(is_current=False).values_list("revision", flat=True)) == {1}


def test_a_tie_and_a_place_taken_back_by_touch(new_context: NewContext, live_site: str) -> None:
    rater = make_card(RANKING)
    page = at_card(new_context(**PHONE), rater, live_site)
    opened(page)

    def tap(letter: str) -> None:
        page.locator(".place button").filter(has_text=letter).tap()

    tap("B")
    page.get_by_role("button", name="Tie with the next").tap()
    tap("D")
    tap("A")
    page.get_by_role("button", name="Take back").tap()
    tap("C")
    tap("A")
    expect(page.locator(".so-far")).to_have_text("B = D > C > A")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert_accessible(page)
    page.get_by_role("button", name="Save and continue").tap()

    done(page)
    assert given(Assignment.objects.get(), "ranking") == [2, 0, 1, 0]


def test_a_keyboard_with_other_letters_names_images_by_the_place_of_its_keys(
    new_context: NewContext, live_site: str
) -> None:
    rater = make_card(RANKING, n_images=3)
    page = at_card(new_context(locale="ar-SA"), rater, live_site)
    opened(page)
    for code, letter in (("KeyB", "ﻻ"), ("KeyA", "ش"), ("KeyC", "ؤ")):
        page.evaluate(
            "press => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {...press, bubbles: true}))",
            {"key": letter, "code": code},
        )
    expect(page.locator(".so-far")).to_have_text("B > A > C")
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_have_count(0)  # the page that says so is in Arabic
    assert given(Assignment.objects.get(), "ranking") == [1, 0, 2]


def test_an_order_next_to_a_scale_for_each_image(new_context: NewContext, live_site: str) -> None:
    rater = make_card(ALIGNMENT, BEST_WORST, n_images=3)
    page = at_card(new_context(), rater, live_site)
    opened(page)
    for key in "543":
        page.keyboard.press(key)
    page.keyboard.press("b")
    page.keyboard.press("c")
    page.keyboard.press("Enter")
    done(page)
    card = Assignment.objects.get()
    assert given(card, "best-worst") == [1, 0, 2]
    assert given(card, "alignment") == [4, 3, 2]
