"""Left is left: the side that a key names is the side of the screen, in every language and writing direction."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from annotations.models import Assignment, Audit, RepairJudgement, Response, Study
from annotations.queries.audits import work as queries
from annotations.questions import ALIGNMENT, PREFERENCE
from annotations.services.audits import work
from generation.models import Prompt
from tests.annotations.audits.audit_rows import do_audit, make_audited_study, make_auditor, make_open_plan
from tests.browser.test_audit import at_audit, press
from tests.browser.test_rating import at_card, levels
from tests.factories import make_image, make_rater, make_study

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
# Browsers in languages that run from right to left: one that the site speaks, and one that it does not, so that its
# pages are English; and an English page that is turned around, as a browser extension might do.
READERS = pytest.mark.parametrize(
    ("locale", "direction"), [("en-US", ""), ("ar-SA", ""), ("he-IL", ""), ("en-GB", "rtl")]
)
WORDS = {
    "en": {"left": "Left image", "sides": ["Left", "Right"], "only": "only", "done": "You are done. Thank you!"},
    "ar": {"left": "الصورة اليسرى", "sides": ["اليسرى", "اليمنى"], "only": "فقط", "done": "انتهيت. شكرًا لك!"},
}
ARABIC = "قطة سوداء تجلس على كرسي أحمر، وبجانبها كلب أبيض (صغير) عمره 3 سنوات!"


def words_of(page: Page, locale: str) -> dict[str, Any]:
    language = page.evaluate("document.documentElement.lang")
    assert language == ("ar" if locale.startswith("ar") else "en")
    return WORDS[language]


def turn(page: Page, direction: str) -> None:
    page.evaluate("direction => { if (direction) document.documentElement.dir = direction; }", direction)


def from_left_to_right(parts: Locator) -> bool:
    places = [part.bounding_box() for part in parts.all()]
    lefts = [place["x"] for place in places if place]
    return len(lefts) == len(places) and lefts == sorted(set(lefts))


@READERS
def test_a_pair_is_answered_as_it_is_seen(locale: str, direction: str, new_context: NewContext, live_site: str) -> None:
    presets = (ALIGNMENT, PREFERENCE)
    rater = make_rater(make_study(n_items=1, item_kind=Study.ItemKind.PAIR, presets=presets))
    page = at_card(new_context(locale=locale), rater, live_site)
    turn(page, direction)

    words = words_of(page, locale)
    assert from_left_to_right(page.locator(".picture"))
    expect(page.locator(".picture").first).to_have_attribute("aria-label", words["left"])
    for scale in page.locator(".scale").all():
        assert from_left_to_right(scale.locator(".answer-choice")) or scale.locator(".answer-choice").count() > 4
    page.keyboard.press("s")
    assert page.locator(".slider").evaluate("slider => getComputedStyle(slider).direction") == "ltr"
    page.keyboard.press("s")
    page.get_by_role("heading", level=1).focus()
    press(page, "5 2 1 Enter")  # the left one exactly, the right one hardly; the left one is better
    expect(page.get_by_role("heading", name=words["done"])).to_be_visible()

    card = Assignment.objects.get()
    slots = list(card.item.images.order_by("item_images__slot"))
    left, right = (slots[int(slot)] for slot in card.shown_order.split(","))
    about = dict(Response.objects.exclude(image=None).values_list("image", "level"))
    assert about == {left.pk: 4, right.pk: 1}
    preferred = Response.objects.get(image=None)
    assert preferred.dimension.levels[preferred.level or 0]["label"] == "left"


@READERS
def test_the_two_of_a_repair_are_answered_as_they_are_seen(
    locale: str, direction: str, new_context: NewContext, live_site: str
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
    page = at_audit(new_context(locale=locale), auditor, live_site)
    turn(page, direction)

    words = words_of(page, locale)
    assert from_left_to_right(page.locator(".look .picture"))
    assert page.locator(".look figcaption").all_inner_texts() == words["sides"]
    assert from_left_to_right(page.locator(".ask.is-active .option").filter(has_text=words["only"]))
    press(page, "l n")

    expect(page.get_by_role("heading", name=words["done"])).to_be_visible()
    is_refined_left = Audit.objects.get(item__kind="repair").is_mirrored
    judged = RepairJudgement.objects.get(is_current=True)
    assert judged.outcome == ("worse" if is_refined_left else "fixed")


@READERS
def test_a_scale_runs_from_left_to_right(locale: str, direction: str, new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=1))
    Prompt.objects.update(text=ARABIC)
    page = at_card(new_context(locale=locale), rater, live_site)
    turn(page, direction)

    words = words_of(page, locale)
    assert from_left_to_right(page.locator(".answer-choice"))
    assert page.locator(".answer-choice kbd").all_inner_texts() == ["1", "2", "3", "4", "5", "0"]
    assert page.locator(".prompt").evaluate("prompt => getComputedStyle(prompt).direction") == "rtl"
    page.locator(".answer-choice").first.click()
    expect(page.get_by_role("heading", name=words["done"])).to_be_visible()
    assert levels(rater) == [0]
