"""Lines, several choices and comments in a real browser: by keys alone, by touch, without a script, and mirrored."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from annotations.models import Dimension, Rater, Response, Study
from annotations.questions import ALIGNMENT, Preset
from tests.browsing import assert_accessible, opened, sign_in
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SIDEWAYS = {"viewport": {"width": 844, "height": 390}, "is_mobile": True, "has_touch": True}
SLIDER = Preset(
    key="",
    title="",
    source="",
    name="closeness",
    question="How close is the image to the prompt?",
    levels=(("0", "not at all"), ("100", "exactly")),
    kind=Dimension.Kind.SLIDER,
    parameters={"step": "1", "shows_value": True},
)
ANALOGUE = Preset(
    key="",
    title="",
    source="",
    name="beauty",
    question="How beautiful is it?",
    levels=(("0", "ugly"), ("1", "beautiful")),
    kind=Dimension.Kind.SLIDER,
    parameters={"step": "0.001", "shows_value": False},
)
MANY = Preset(
    key="",
    title="",
    source="",
    name="faults",
    question="What is wrong?",
    levels=(("1", "hands"), ("2", "face"), ("3", "text")),
    kind=Dimension.Kind.MANY,
    parameters={"is_required": False},
)
COMMENT = Preset(
    key="",
    title="",
    source="",
    name="why",
    question="Why?",
    levels=(),
    kind=Dimension.Kind.COMMENT,
    parameters={"is_required": True},
)


def make_card(*presets: Preset, n_items: int = 1, item_kind: str = Study.ItemKind.IMAGE) -> Rater:
    return make_rater(make_study(n_items=n_items, item_kind=item_kind, presets=presets))


def at_card(context: BrowserContext, rater: Rater, site: str) -> Page:
    sign_in(context, rater.user, site)
    page = context.new_page()
    page.goto(f"/rate/{rater.study.token}/")
    expect(page.locator(".question").first).to_be_visible()
    return page


def given() -> dict[str, object]:
    """By question, the values (of a line), the levels or the structures that stand, in the order they came."""
    found: dict[str, object] = {}
    for response in Response.objects.filter(is_current=True).select_related("dimension").order_by("pk"):
        level, dimension = response.level, response.dimension
        found[dimension.name] = said(response) if level is None else str(dimension.value_of(level))
    return found


def said(response: Response) -> object:
    """The structure, or a comment's text."""
    return response.answer["text"] if isinstance(response.answer, dict) else response.answer


def done(page: Page) -> None:
    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()


def mirrored(page: Page) -> None:
    """The page as in a language that is written from right to left."""
    page.evaluate("document.documentElement.dir = 'rtl'")


def test_all_by_keys_alone(new_context: NewContext, live_site: str) -> None:
    rater = make_card(ALIGNMENT, SLIDER, MANY, COMMENT)
    page = at_card(new_context(), rater, live_site)
    opened(page)
    mirrored(page)  # a line runs from left to right all the same
    line = page.locator(".range")
    expect(line).to_have_attribute("aria-valuetext", "no answer yet")

    page.keyboard.press("4")
    expect(line).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(line).to_have_attribute("aria-valuetext", "50")
    page.keyboard.press("ArrowRight")
    expect(line).to_have_attribute("aria-valuetext", "51")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("PageUp")
    expect(line).to_have_attribute("aria-valuetext", "60")
    page.keyboard.press("Backspace")
    expect(line).to_have_attribute("aria-valuetext", "no answer yet")
    page.keyboard.type("72")
    expect(page.locator(".shown")).to_have_text("72")
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.keyboard.press("3")
    page.keyboard.press("1")
    page.keyboard.press("n")
    expect(page.locator("[data-kind=many] input:checked")).to_have_count(1)
    page.keyboard.press("3")
    page.keyboard.press("2")
    assert_accessible(page)
    page.keyboard.press("Enter")
    expect(page.locator("textarea.comment")).to_be_focused()
    page.keyboard.type("3 hands, 0 care?")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("u z s")
    page.keyboard.press("Enter")

    done(page)
    assert given() == {"alignment": "4", "closeness": "72", "faults": [1, 2], "why": "3 hands, 0 care?\nu z s"}


def test_a_press_in_the_middle_of_a_line_is_an_answer(new_context: NewContext, live_site: str) -> None:
    rater = make_card(SLIDER, n_items=2)
    page = at_card(new_context(), rater, live_site)
    opened(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="not answered yet")).to_be_visible()
    page.locator(".range").click()
    expect(page.locator(".shown")).to_have_text("50")
    page.keyboard.press("Enter")
    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
    opened(page)
    page.keyboard.press("x")
    page.keyboard.press("Enter")
    done(page)
    levels = Response.objects.order_by("pk").values_list("level", "is_unable")
    assert list(levels) == [(50, False), (None, True)]


def test_an_analogue_line_shows_no_number(new_context: NewContext, live_site: str) -> None:
    rater = make_card(ANALOGUE)
    page = at_card(new_context(), rater, live_site)
    opened(page)
    page.keyboard.type("0.25")
    assert page.locator(".track").inner_text().split() == ["ugly", "beautiful"]
    page.keyboard.press("Enter")
    done(page)
    assert given() == {"beauty": "0.250"} or given() == {"beauty": "0.25"}


def test_an_answer_taken_back_is_shown_as_it_was_given(new_context: NewContext, live_site: str) -> None:
    rater = make_card(SLIDER, MANY, n_items=2)
    page = at_card(new_context(), rater, live_site)
    opened(page)
    page.keyboard.type("31")
    page.keyboard.press("Enter")
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("#echo")).to_contain_text("31 · face")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    page.reload()
    opened(page)
    page.keyboard.press("u")
    expect(page.locator(".shown")).to_have_text("31")
    expect(page.get_by_role("checkbox", name="face")).to_be_checked()
    opened(page)
    page.keyboard.type("32")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    lines = Response.objects.filter(dimension__name="closeness").order_by("pk")
    assert list(lines.values_list("level", "revision", "is_current")) == [(31, 1, False), (32, 2, True)]


def test_questions_about_each_image_of_a_pair(new_context: NewContext, live_site: str) -> None:
    rater = make_card(SLIDER, COMMENT, item_kind=Study.ItemKind.PAIR)
    page = at_card(new_context(), rater, live_site)
    opened(page)
    for text in ("10", "left", "20", "right"):
        page.keyboard.type(text)
        page.keyboard.press("Enter")
    done(page)
    card = rater.assignments.get()
    by_slot = list(card.item.images.order_by("item_images__slot"))
    shown = [by_slot[int(slot)] for slot in card.shown_order.split(",")]
    rows = [row for image in shown for row in image.responses.order_by("pk")]
    assert [said(row) if row.level is None else row.level for row in rows] == [10, "left", 20, "right"]


def test_a_second_tap_on_one_spot_is_meant_where_it_changes_the_same_card(
    new_context: NewContext, live_site: str
) -> None:
    rater = make_card(MANY, n_items=2)
    page = at_card(new_context(**PHONE), rater, live_site)
    opened(page)
    face = page.get_by_role("checkbox", name="face")
    face.dblclick()
    expect(face).not_to_be_checked()
    face.click(click_count=3)
    expect(face).to_be_checked()
    page.get_by_role("button", name="Save and continue").dblclick()  # the next card's button is on the same spot
    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
    opened(page)
    expect(page.locator(".problem")).to_be_hidden()
    assert list(Response.objects.values_list("answer", flat=True)) == [[1]]
