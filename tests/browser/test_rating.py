"""An annotator at work in a real browser: by keyboard, on a phone, without a network, without a script."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from annotations.models import Assignment, Rater, Response, Study
from annotations.questions import ALIGNMENT, FAITHFULNESS, PREFERENCE
from tests.browsing import Watch, assert_accessible, opened, sign_in
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def at_card(context: BrowserContext, rater: Rater, site: str, *, is_open: bool = True) -> Page:
    """The rater's card, once it takes answers; `is_open=False` where its image never comes."""
    sign_in(context, rater.user, site)
    page = context.new_page()
    page.goto(f"/rate/{rater.study.token}/")
    expect(page.get_by_role("group", name="Does the image match the prompt?").first).to_be_visible()
    if is_open:
        opened(page)
    return page


def levels(rater: Rater) -> list[int | None]:
    """The standing answers in the order in which the rater saw the cards."""
    responses = Response.objects.filter(assignment__rater=rater, is_current=True).order_by("assignment__sequence", "pk")
    return list(responses.values_list("level", flat=True))


def test_a_whole_study_by_keyboard(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=12, batch_size=5))
    page = at_card(new_context(), rater, live_site)
    assert_accessible(page)

    for i in range(12):
        expect(page.locator("#progress-text")).to_contain_text(f"{i} of 12")
        opened(page)
        page.keyboard.press(str(i % 6))

    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    # Key 0 is "unable to answer"; key 1 gives the first level, which is level 0.
    assert levels(rater) == [None, 0, 1, 2, 3, 4] * 2
    responses = Response.objects.filter(assignment__rater=rater)
    assert all(r.shown_at and r.shown_at <= r.answered_at and r.active_ms is not None for r in responses)


def test_the_answer_stays_visible_and_can_be_undone(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=4))
    page = at_card(new_context(), rater, live_site)
    first = page.get_by_role("heading", level=1).inner_text()
    page.keyboard.press("2")
    echo = page.locator("#echo")
    expect(echo).to_contain_text("significant discrepancies")
    expect(page.locator("#status")).to_have_text("Saved ✓")

    page.keyboard.press("u")
    expect(page.get_by_role("heading", level=1)).to_have_text(first)
    expect(page.get_by_role("radio", name=re.compile("significant discrepancies"))).to_be_checked()
    page.keyboard.press("5")

    expect(page.locator("#progress-text")).to_contain_text("1 of 4")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    kept = Response.objects.order_by("revision").values_list("level", "is_current")
    assert list(kept) == [(1, False), (4, True)]


def test_back_goes_one_card_back_also_from_a_card_seen_before(new_context: NewContext, live_site: str) -> None:
    page = at_card(new_context(), make_rater(make_study(n_items=4)), live_site)
    heading = page.get_by_role("heading", level=1)
    seen = []
    for i in range(3):
        expect(page.locator("#progress-text")).to_contain_text(f"{i} of 4")
        opened(page)
        seen.append(heading.inner_text())
        page.keyboard.press("3")
    opened(page)

    page.keyboard.press("u")
    expect(heading).to_have_text(seen[2])
    page.get_by_role("link", name="Back").click()

    expect(heading).to_have_text(seen[1])


# Waiting for a function would need eval in the page, which its policy forbids.
FIRST_PAINT = """() => new Promise((found) => new PerformanceObserver((list) => {
    const paint = list.getEntriesByName("first-contentful-paint")[0];
    if (paint) found(paint.startTime);
}).observe({ type: "paint", buffered: true }))"""


def test_no_card_is_seen_before_its_keys_work(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=2))
    context = new_context()
    sign_in(context, rater.user, live_site)
    page = context.new_page()

    def hold(route: Route) -> None:
        page.wait_for_timeout(300)
        route.continue_()

    page.route("**/rate.*.js", hold)
    page.goto(f"/rate/{rater.study.token}/")

    seen = page.evaluate(FIRST_PAINT)
    scripts = "performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('.js'))"
    assert seen >= page.evaluate(f"Math.max(...{scripts}.map((entry) => entry.responseEnd))")


def test_arrow_keys_choose_and_enter_sends(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=2))
    page = at_card(new_context(), rater, live_site)

    page.get_by_role("radio", name=re.compile("does not match")).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=re.compile("several minor"))).to_be_checked()
    expect(page.locator("#progress-text")).to_contain_text("0 of 2")  # walking through choices sends none
    page.keyboard.press("Enter")

    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    assert levels(rater) == [2]


def test_nothing_is_lost_while_the_network_is_gone(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble("ERR_INTERNET_DISCONNECTED")
    rater = make_rater(make_study(n_items=8, batch_size=8))
    context = new_context()
    page = at_card(context, rater, live_site)
    page.wait_for_load_state("networkidle")  # the cards ahead are there

    context.set_offline(True)
    page.keyboard.press("3")
    expect(page.locator("#status")).to_have_text("Waiting to send (1)")
    opened(page)
    page.keyboard.press("4")
    expect(page.locator("#status")).to_have_text("Waiting to send (2)")
    assert levels(rater) == []
    context.set_offline(False)

    expect(page.locator("#status")).to_have_text("Saved ✓")
    assert levels(rater) == [2, 3]


def test_a_window_closed_without_network_sends_when_it_is_opened_again(
    new_context: NewContext, live_site: str, watch: Watch
) -> None:
    watch.expect_trouble("ERR_INTERNET_DISCONNECTED")
    rater = make_rater(make_study(n_items=8, batch_size=8))
    context = new_context()
    page = at_card(context, rater, live_site)
    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    page.keyboard.press("5")
    expect(page.locator("#status")).to_have_text("Waiting to send (1)")
    page.close(run_before_unload=False)
    context.set_offline(False)

    again = context.new_page()
    again.goto(f"/rate/{rater.study.token}/")

    expect(again.locator("#status")).to_have_text("Saved ✓")
    assert levels(rater) == [4]


def test_the_next_images_are_already_there(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=6))
    context = new_context()
    page = at_card(context, rater, live_site)
    page.wait_for_load_state("networkidle")
    next_card = Assignment.objects.filter(rater=rater).order_by("sequence")[1]

    fetched = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")

    assert f"{live_site}/rate/image/{next_card.token}/0/" in fetched


def test_sheets_and_scripts_are_few_and_small(new_context: NewContext, live_site: str) -> None:
    """All that a card's first page loads besides images, as it is served: compressed, without its headers."""
    page = at_card(new_context(), make_rater(make_study(n_items=2)), live_site)
    entries = page.evaluate(
        "performance.getEntriesByType('resource').map((entry) => [new URL(entry.name).pathname, entry.encodedBodySize])"
    )
    sizes = {path: size for path, size in entries if path.endswith((".css", ".js"))}
    assert len(sizes) <= 4, sizes
    assert 0 < sum(sizes.values()) < 40_000, sizes


def test_on_a_phone_by_touch(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=2))
    page = at_card(new_context(**PHONE), rater, live_site)
    assert_accessible(page)
    choices = page.locator(".answer-choice")
    boxes = [choice.bounding_box() for choice in choices.all()]
    assert all(box and box["height"] >= 44 for box in boxes)
    assert all(box and box["y"] + box["height"] <= 844 for box in boxes), "every answer must be under the thumb"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.locator(".answer-choice", has_text="a few minor").tap()

    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    assert levels(rater) == [3]


def test_all_images_of_a_prompt_with_two_questions_each(new_context: NewContext, live_site: str) -> None:
    presets = (ALIGNMENT, FAITHFULNESS)
    rater = make_rater(make_study(n_items=2, item_kind=Study.ItemKind.PROMPT, n_methods=4, presets=presets))
    page = at_card(new_context(), rater, live_site)
    assert_accessible(page)

    for key in "1234512":
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("One question is not answered yet.")
    page.keyboard.press("3")
    page.keyboard.press("Enter")

    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    assert sorted(level for level in levels(rater) if level is not None) == sorted([0, 1, 2, 3, 4, 0, 1, 2])


def test_a_pair_with_a_preference_and_the_slider(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=1, item_kind=Study.ItemKind.PAIR, presets=(ALIGNMENT, PREFERENCE)))
    page = at_card(new_context(), rater, live_site)
    assert_accessible(page)

    page.keyboard.press("s")
    expect(page.get_by_role("slider")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    image, slider, question = (
        one.bounding_box()
        for one in (page.get_by_role("img").first, page.locator(".slider"), page.locator(".question").first)
    )
    assert image is not None
    assert slider is not None
    assert question is not None
    assert image["height"] >= 0.4 * 800
    assert slider["y"] + slider["height"] <= question["y"], "it lies on the images, not on what is asked of them"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    page.get_by_role("heading", level=1).focus()
    for key in "241":
        page.keyboard.press(key)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    assert sorted(level for level in levels(rater) if level is not None) == [0, 1, 3]


def test_without_a_script(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=2))
    page = at_card(new_context(java_script_enabled=False), rater, live_site)

    for label in ("does not match at all", "Unable to answer"):
        page.locator(".answer-choice", has_text=label).click()
        page.get_by_role("button", name="Save and continue").click()

    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    assert levels(rater) == [0, None]


def test_help_pause_and_flag(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=3, instructions="Look at the hands."))
    page = at_card(new_context(), rater, live_site)

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Instructions")).to_contain_text("Look at the hands.")
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.get_by_text("Flag").click()
    page.get_by_role("textbox", name="What’s wrong with this item?").fill("1 of 5 fingers is missing")
    page.locator(".answer-choice", has_text="significant").click()
    expect(page.locator("#status")).to_have_text("Saved ✓")
    page.get_by_role("button", name="Pause").click()

    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    assert_accessible(page)
    assert Assignment.objects.get(state=Assignment.State.ANSWERED).flag == "1 of 5 fingers is missing"
    page.get_by_role("link", name="Continue rating").click()
    expect(page.locator("#progress-text")).to_contain_text("1 of 3")
