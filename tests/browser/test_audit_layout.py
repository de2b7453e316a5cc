"""Everything that an auditor needs is in the window, under the right heading, and correct."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from annotations.models import MissedError, RepairJudgement
from annotations.queries.audits import work as queries
from annotations.services.audits import work
from generation.models import Claim
from tests.annotations.audits.audit_rows import do_audit, make_audited_study, make_auditor, make_open_plan
from tests.browser.test_audit import PHONE, at_audit, press, saved
from tests.browser.test_card_layout import FITS, box
from tests.browsing import assert_accessible
from tests.factories import make_image

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]


def test_what_lists_an_error_is_above_the_fold(new_context: NewContext, live_site: str) -> None:
    study = make_audited_study(n_images=1)
    make_open_plan(study, lists_first_share=1.0)
    page = at_audit(new_context(), make_auditor(study), live_site)
    press(page, "y n c")
    page.get_by_label("In your words").fill("no tail")

    fold = box(page.locator(".finish"))["y"]
    for name in ("Mark it on the image", "Add to the list"):
        assert box(page.get_by_role("button", name=name))["bottom"] <= fold, name


def test_no_heading_is_empty_and_the_last_button_says_what_is_true(new_context: NewContext, live_site: str) -> None:
    study = make_audited_study(n_images=1, n_claims=2)
    make_open_plan(study)
    page = at_audit(new_context(), make_auditor(study), live_site)
    heading, end = page.get_by_role("heading", name="Is the claim right?"), page.locator("#end")
    expect(heading).to_be_hidden()
    expect(end).to_contain_text("Finish")

    press(page, "y n c")
    expect(heading).to_be_visible()
    expect(end).not_to_contain_text("Nothing was missed")
    press(page, "w 2 r 1")
    expect(end).to_contain_text("Nothing was missed: finish")
    page.get_by_label("In your words").fill("no tail")
    expect(end).to_contain_text("That is all: finish")


def test_marks_can_be_hidden(new_context: NewContext, live_site: str) -> None:
    study = make_audited_study(n_images=1, n_claims=0)
    make_open_plan(study, with_elements=False)
    page = at_audit(new_context(), make_auditor(study), live_site)
    press(page, "m Enter")
    page.get_by_label("In your words").fill("a smudge")
    press(page, "Enter Escape")
    saved(page)
    assert MissedError.objects.get().x == 0.5
    mark = page.locator(".mark")
    expect(mark).to_be_visible()
    press(page, "h")
    expect(mark).to_be_hidden()
    page.get_by_role("button", name="Hide the marks").click()
    expect(mark).to_be_visible()


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_a_claim_without_a_blank_stays_in_its_column(
    options: dict[str, object], new_context: NewContext, live_site: str
) -> None:
    study = make_audited_study(n_images=1, n_claims=1)
    Claim.objects.update(text="unbroken" * 30)
    make_open_plan(study, with_elements=False)
    page = at_audit(new_context(**options), make_auditor(study), live_site)
    assert page.evaluate(FITS)
    assert page.locator(".questions").evaluate("part => part.scrollWidth <= part.clientWidth")


def test_with_forced_colours_the_auditor_s_choice_is_seen(new_context: NewContext, live_site: str) -> None:
    study = make_audited_study(n_images=1)
    make_open_plan(study)
    page = at_audit(new_context(forced_colors="active"), make_auditor(study), live_site)
    press(page, "y u")
    chosen, other = (
        page.locator(f".ask.is-active input{which} + .face").first.evaluate("e => getComputedStyle(e).backgroundColor")
        for which in (":checked", ":not(:checked)")
    )
    assert chosen != other


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_a_repair_pair_on_a_phone_is_seen_large_one_image_at_a_time(
    direction: str, new_context: NewContext, live_site: str
) -> None:
    study = make_audited_study(n_images=1, n_claims=1)
    baseline = queries.study_images(study).get()
    refined = make_image(parent=baseline)
    plan = make_open_plan(
        study, with_elements=False, with_repair=True, pairs=[(baseline.pk, refined.pk)], placebo_share=0
    )
    auditor = make_auditor(study)
    alone = work.reserve(auditor=auditor, plan=plan)
    assert alone
    do_audit(alone)
    page = at_audit(new_context(**PHONE), auditor, live_site)
    page.evaluate("direction => document.documentElement.dir = direction", direction)
    assert page.evaluate(FITS)
    left, right = (page.locator(f".canvas[data-place='{place}']") for place in (0, 1))
    for canvas in (left, right):
        size = box(canvas)
        assert min(size["width"], size["height"]) >= 330
    option = page.locator(".ask.is-active .option").first
    assert box(option)["bottom"] <= 844  # the answers are in the window
    first, second = (page.get_by_role("button", name=name, exact=True) for name in ("Left", "Right"))
    # Left is left in every direction.
    assert box(first)["x"] < box(second)["x"]
    shown = "figure => getComputedStyle(figure.closest('.picture')).opacity === '1'"
    assert (left.evaluate(shown), right.evaluate(shown)) == (True, False)

    # No answer before both have been in view: the first press shows the other image.
    option.tap()
    assert not RepairJudgement.objects.exists()
    expect(page.get_by_role("alert").filter(has_text="Look at this image first")).to_be_visible()
    expect(second).to_have_attribute("aria-pressed", "true")
    assert (left.evaluate(shown), right.evaluate(shown)) == (False, True)
    first.tap()
    expect(first).to_have_attribute("aria-pressed", "true")
    swipe(page, left, -150)
    expect(second).to_have_attribute("aria-pressed", "true")
    swipe(page, right, 150)
    expect(first).to_have_attribute("aria-pressed", "true")
    assert_accessible(page)

    option.tap()
    saved(page)
    assert RepairJudgement.objects.exists()


def swipe(page: Page, canvas: Locator, by: int) -> None:
    """A finger that moves sideways over an image and rests before it is lifted, through the browser's own touch events.

    A finger that is lifted in motion would leave a fling behind, and the browser takes the next tap as its end.
    """
    at = box(canvas)
    x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
    touch = page.context.new_cdp_session(page)
    for kind, where in (("touchStart", x - by / 2), ("touchMove", x), ("touchMove", x + by / 2)):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": where, "y": y}]})
    page.wait_for_timeout(150)
    touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + by / 2, "y": y + 1}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
