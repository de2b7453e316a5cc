"""A reference image on the card in a real browser: seen, enlarged alone or with the others, and never in the way."""

import json
import re

import pytest
from playwright.sync_api import expect

from annotations.models import Dimension, Response, Study
from annotations.questions import ALIGNMENT, PREFERENCE
from annotations.services.studies import create_study
from generation.models import Image
from tests.annotations.cards.test_reference import everything
from tests.annotations.views.test_design import images
from tests.browser.cards.test_kinds import DESKTOP, PHONE, SIDEWAYS, NewContext, at_card
from tests.browser.test_card_layout import FITS
from tests.browsing import assert_accessible, opened
from tests.factories import make_rater, make_reference, make_user, stored_png

pytestmark = pytest.mark.browser
SIZES = {"desktop": DESKTOP, "phone": PHONE, "sideways": SIDEWAYS}


def make_card(item_kind: str) -> Study:
    images(1)
    Image.objects.update(**stored_png(1, (512, 512)))
    make_reference(Image.objects.all()[0].prompt, **stored_png(2, (640, 480)))
    preset = PREFERENCE if item_kind == Study.ItemKind.PAIR else ALIGNMENT
    study = Study(title="t", owner=make_user(researcher=True), shows_reference=True, item_kind=item_kind, state="open")
    return create_study(study=study, dimensions=[Dimension(**preset.fields())], selection=everything())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("item_kind", Study.ItemKind.values)
def test_it_is_before_what_is_compared_with_it_and_answers_wait_for_it(
    new_context: NewContext, live_site: str, item_kind: str, size: str
) -> None:
    rater = make_rater(make_card(item_kind))
    page = at_card(new_context(**SIZES[size]), rater, live_site)
    opened(page)
    reference, first = page.locator(".reference img"), page.locator(".picture:not(.reference) img").first
    here, there = reference.bounding_box(), first.bounding_box()
    assert here is not None
    assert there is not None
    assert here["x"] + here["width"] <= there["x"] or here["y"] + here["height"] <= there["y"]
    assert min(here["width"], here["height"]) >= 60
    assert page.evaluate(FITS)
    expect(page.get_by_role("region", name="Reference image")).to_have_count(1)
    assert_accessible(page)
    if item_kind == Study.ItemKind.PROMPT:
        return
    answers = page.locator(".answer-choice").last.bounding_box()
    assert answers is not None
    assert answers["y"] + answers["height"] <= SIZES[size]["viewport"]["height"]  # type: ignore[index]  # a dict each
    if item_kind == Study.ItemKind.PAIR and size == "phone":  # there, the two are seen one at a time
        page.get_by_role("button", name="Right", exact=True).tap()
    page.keyboard.press("1")
    expect(page.locator("#status").or_(page.get_by_role("heading", name="You are done"))).to_have_text(
        re.compile("Saved ✓|You are done. Thank you!")
    )
    viewing = Response.objects.order_by("pk")[0].viewing
    assert viewing is not None
    assert len(viewing["sizes"]) == (2 if item_kind == Study.ItemKind.PAIR else 1)
    assert viewing["reference"][0] > 60


def test_it_is_enlarged_alone_and_with_the_others(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_card(Study.ItemKind.PAIR))
    page = at_card(new_context(**DESKTOP), rater, live_site)
    opened(page)

    def widths() -> list[float]:
        found: list[float] = page.evaluate("[...document.querySelectorAll('.frame img')].map((one) => one.clientWidth)")
        return found

    left, right, reference = widths()
    page.keyboard.press("r")
    assert widths() == pytest.approx([left, right, 2 * reference], abs=2)
    page.keyboard.press("r")
    assert widths() == pytest.approx([left, right, 4 * reference], abs=2)
    page.keyboard.press("r")
    assert widths() == pytest.approx([left, right, reference], abs=2)
    page.locator(".reference img").click()
    assert widths() == pytest.approx([left, right, 2 * reference], abs=2)
    page.locator(".picture:not(.reference) img").first.click()
    assert widths() == pytest.approx([2 * left, 2 * right, 2 * reference], abs=2)
    page.keyboard.press("s")  # one over the other: the reference is not in the way
    expect(page.locator(".reference")).to_be_hidden()
    page.keyboard.press("s")
    expect(page.locator(".reference")).to_be_visible()
    assert widths() == pytest.approx([left, right, reference], abs=2)


def test_no_answer_without_it(new_context: NewContext, live_site: str, watch: object) -> None:
    watch.expect_trouble("ERR_FAILED")  # type: ignore[attr-defined]  # the fixture's class is not exported
    rater = make_rater(make_card(Study.ItemKind.IMAGE))
    context = new_context(**DESKTOP)
    context.route("**/rate/image/*/1/**", lambda route: route.abort())
    page = at_card(context, rater, live_site)
    page.keyboard.press("4")
    expect(page.locator("#notice")).to_contain_text("did not load")
    assert not Response.objects.exists()
    assert json.loads(page.evaluate("JSON.stringify(Object.keys(localStorage))")) == []
