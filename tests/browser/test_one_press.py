"""One press answers one card, and only a card that has been seen: by keys, clicks, touch, Enter and submit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from annotations.models import Assignment, Audit, ElementCheck, Rater, Response, Study, Verdict
from annotations.questions import ALIGNMENT, FAITHFULNESS
from tests.annotations.audits.audit_rows import make_audited_study, make_auditor, make_open_plan
from tests.browser.test_audit import at_audit
from tests.browser.test_rating import PHONE, at_card, levels
from tests.browsing import Watch, opened, sign_in
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
CODES = {"Enter": 13, "Backspace": 8}


def hold(context: BrowserContext, page: Page, key: str, *, repeats: int = 20) -> None:
    """Keep a key down as a person would: one press, half a second, and the system's repeats."""
    cdp = context.new_cdp_session(page)
    down = {"type": "rawKeyDown", "key": key, "windowsVirtualKeyCode": CODES.get(key) or ord(key.upper())}
    if len(key) == 1:
        down |= {"type": "keyDown", "text": key}
    elif key == "Enter":
        down |= {"type": "keyDown", "text": "\r"}
    cdp.send("Input.dispatchKeyEvent", down)
    page.wait_for_timeout(500)
    for _ in range(repeats):
        cdp.send("Input.dispatchKeyEvent", down | {"autoRepeat": True})
        page.wait_for_timeout(20)
    cdp.send("Input.dispatchKeyEvent", {**down, "type": "keyUp", "text": ""})
    settled(page)


@contextmanager
def at_one_moment(page: Page) -> Iterator[None]:
    """Presses that follow each other faster than a card can be seen, however long this machine takes for them."""
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    yield
    page.clock.resume()


def settled(page: Page) -> None:
    """The next card takes answers, and everything is saved."""
    opened(page)
    expect(page.locator("#status")).to_have_text("Saved ✓")


def n_answered(rater: Rater) -> int:
    return Assignment.objects.filter(rater=rater, state=Assignment.State.ANSWERED).count()


@pytest.mark.parametrize("key", ["3", "0"])
def test_a_held_key_answers_one_card(key: str, new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=30))
    context = new_context()
    page = at_card(context, rater, live_site)

    hold(context, page, key)

    assert n_answered(rater) == 1


def test_a_held_key_answers_one_question_of_several_and_held_enter_one_card(
    new_context: NewContext, live_site: str
) -> None:
    study = make_study(n_items=10, item_kind=Study.ItemKind.PROMPT, n_methods=4, presets=(ALIGNMENT,))
    rater = make_rater(study)
    context = new_context()
    page = at_card(context, rater, live_site)

    page.keyboard.down("2")
    for _ in range(10):
        page.keyboard.down("2")  # held: Playwright marks it as repeated
    page.keyboard.up("2")
    expect(page.locator("input:checked")).to_have_count(1)
    for key in "345":
        page.keyboard.press(key)
    hold(context, page, "Enter")

    assert n_answered(rater) == 1
    expect(page.get_by_role("alert")).to_be_hidden()


def test_held_undo_goes_back_one_card(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=8))
    context = new_context()
    page = at_card(context, rater, live_site)
    tokens = []
    for _ in range(3):
        tokens.append(page.locator(".card").get_attribute("data-token"))
        page.keyboard.press("3")
        settled(page)

    hold(context, page, "Backspace")

    assert page.locator(".card").get_attribute("data-token") == tokens[-1]


def test_a_double_click_answers_one_card(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=12))
    page = at_card(new_context(), rater, live_site)
    for n in range(1, 4):
        page.locator(".answer-choice").nth(3).dblclick(delay=20)
        settled(page)
        assert n_answered(rater) == n
    assert levels(rater) == [3, 3, 3]


def test_a_slow_double_click_answers_one_card(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=12))
    page = at_card(new_context(), rater, live_site)
    box = page.locator(".answer-choice").nth(1).bounding_box()
    assert box
    x, y = box["x"] + 20, box["y"] + 20
    page.mouse.click(x, y)
    page.wait_for_timeout(350)  # the next card has been open for a while, and the system still calls it a double click
    page.mouse.move(x, y)
    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)
    settled(page)
    assert levels(rater) == [1]


def test_two_taps_in_quick_succession_answer_one_card(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=12))
    page = at_card(new_context(**PHONE), rater, live_site)
    box = page.locator(".answer-choice").nth(4).bounding_box()
    assert box
    with at_one_moment(page):
        for _ in range(2):
            page.touchscreen.tap(box["x"] + 40, box["y"] + 20)
    settled(page)
    assert levels(rater) == [4]


def test_of_two_fast_keys_the_second_answers_nothing(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=20))
    page = at_card(new_context(), rater, live_site)
    for n in range(1, 6):
        with at_one_moment(page):
            page.keyboard.press("1")
            page.keyboard.press("5")
        settled(page)
        assert n_answered(rater) == n
    assert levels(rater) == [0] * 5


def test_double_enter_and_a_double_click_on_save_answer_one_card(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=8, presets=(ALIGNMENT, FAITHFULNESS)))
    page = at_card(new_context(), rater, live_site)
    for n, finish in enumerate(("Enter", "click"), start=1):
        page.keyboard.press("2")
        page.keyboard.press("4")
        with at_one_moment(page):
            if finish == "Enter":
                page.keyboard.press("Enter")
                page.keyboard.press("Enter")
            else:
                page.get_by_role("button", name="Save and continue").dblclick()
        settled(page)
        assert n_answered(rater) == n
        expect(page.locator(".problem")).to_be_hidden()


def test_a_card_that_was_gone_back_to_is_answered_at_once(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=8))
    page = at_card(new_context(), rater, live_site)
    page.keyboard.press("2")
    settled(page)

    for key in ("u", "5"):
        page.keyboard.press(key)  # "that was wrong", as fast as one can
    settled(page)

    assert levels(rater) == [4]
    assert Response.objects.filter(assignment__rater=rater).count() == 2


# --- images that are not there ---------------------------------------------------------------------------------------
def try_everything(page: Page) -> None:
    """Each way of answering."""
    for key in ("4", "Enter", "1", "0"):
        page.keyboard.press(key)
    choice = page.locator(".answer-choice").nth(3)
    choice.click()
    choice.dblclick()
    page.evaluate("document.querySelector('.card').requestSubmit()")
    page.locator(".answer-choice input").first.focus()
    for key in ("ArrowDown", "Space", "Enter"):
        page.keyboard.press(key)
    page.wait_for_timeout(300)


def test_with_images_blocked_nothing_can_be_rated_and_the_page_says_what_to_do(
    new_context: NewContext, live_site: str, watch: Watch
) -> None:
    watch.expect_trouble("ERR_FAILED")
    rater = make_rater(make_study(n_items=4))
    context = new_context()
    context.route("**/rate/image/**", lambda route: route.abort())
    page = at_card(context, rater, live_site, is_open=False)
    alert = page.get_by_role("alert").filter(has_text="The image did not load")
    expect(alert).to_contain_text("Check your connection and try again.")

    try_everything(page)

    assert n_answered(rater) == 0
    expect(page.locator("input:checked")).to_have_count(0)
    context.unroute("**/rate/image/**")
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_be_hidden()
    opened(page)
    page.keyboard.press("4")
    settled(page)
    assert levels(rater) == [3]


@pytest.mark.parametrize("kind", [Study.ItemKind.IMAGE, Study.ItemKind.PAIR, Study.ItemKind.PROMPT])
def test_a_later_card_without_its_images_waits_for_them(
    kind: str, new_context: NewContext, live_site: str, watch: Watch
) -> None:
    watch.expect_trouble("ERR_FAILED")
    rater = make_rater(make_study(n_items=6, item_kind=kind, presets=(ALIGNMENT,)))
    context = new_context()
    seen: list[str] = []

    def the_first_card_and_one_of_each_other(route: Route) -> None:
        seen.append(route.request.url.split("/")[-3])
        if seen[-1] == seen[0] or (kind != Study.ItemKind.IMAGE and "/0/" in route.request.url):
            route.continue_()
        else:
            route.abort()

    context.route("**/rate/image/**", the_first_card_and_one_of_each_other)
    page = at_card(context, rater, live_site)
    n = page.locator(".question").count()
    for _ in range(n):
        page.keyboard.press("4")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="The image did not load")).to_be_visible()

    try_everything(page)

    assert n_answered(rater) == 1
    context.unroute("**/rate/image/**")
    page.evaluate("dispatchEvent(new Event('online'))")  # the network is back: no button needed
    settled(page)
    assert page.evaluate("[...document.querySelectorAll('#stage img')].every((i) => i.naturalWidth > 0)")


def test_answers_wait_for_a_slow_image(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=6))
    context = new_context()
    asked: list[Route] = []

    def keep_all_but_the_first(route: Route) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.continue_()

    context.route("**/rate/image/**", keep_all_but_the_first)
    sign_in(context, rater.user, live_site)
    page = context.new_page()
    # The page counts as loaded only with the images that are fetched ahead, and these are held back here.
    page.goto(f"/rate/{rater.study.token}/", wait_until="domcontentloaded")
    expect(page.get_by_role("group", name="Does the image match the prompt?").first).to_be_visible()
    opened(page)
    page.keyboard.press("4")
    expect(page.get_by_role("alert").filter(has_text="The image is loading")).to_be_visible()
    try_everything(page)
    assert n_answered(rater) == 1

    for route in asked[1:]:
        route.continue_()
    context.unroute("**/rate/image/**")
    settled(page)
    assert page.evaluate("[...document.querySelectorAll('#stage img')].every((i) => i.complete && i.naturalWidth > 0)")
    page.keyboard.press("5")
    settled(page)
    assert levels(rater) == [3, 4]


def test_an_audit_without_its_image_takes_no_answer(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble("ERR_FAILED")
    study = make_audited_study(n_images=1, n_claims=1)
    make_open_plan(study)
    context = new_context()
    context.route("**/audit/image/**", lambda route: route.abort())
    page = at_audit(context, make_auditor(study), live_site, is_open=False)
    alert = page.get_by_role("alert").filter(has_text="The image did not load")
    expect(alert).to_be_visible()

    for key in ("y", "n", "Enter", "c"):
        page.keyboard.press(key)
    page.locator(".ask.is-active .option").first.click()
    page.locator("#end").click()
    page.wait_for_timeout(300)

    assert not ElementCheck.objects.exists()
    context.unroute("**/audit/image/**")
    alert.get_by_role("button", name="Try again").click()
    expect(alert).to_be_hidden()
    page.keyboard.press("y")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    assert ElementCheck.objects.get().answer == "present"
    drawn = page.locator(".canvas image").evaluate("image => image.getBBox().width > 0")
    assert drawn


def test_a_key_that_bounces_judges_one_claim(new_context: NewContext, live_site: str) -> None:
    study = make_audited_study(n_images=2, n_claims=2)
    make_open_plan(study, with_elements=False)
    page = at_audit(new_context(), make_auditor(study), live_site)

    with at_one_moment(page):
        for _ in range(2):
            page.keyboard.press("c")
    expect(page.locator("#status")).to_have_text("Saved ✓")

    assert Verdict.objects.count() == 1
    page.wait_for_timeout(450)  # the time within which a second press is a bounce
    page.keyboard.press("c")
    expect(page.locator("#missed")).to_be_visible()
    assert Audit.objects.get().state == Audit.State.LEASED
