"""An optional comment has its turn too: typed text goes into it, and not to the next card."""

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotations.models import Response, Trial
from annotations.questions import ALIGNMENT
from tests.annotations.cards.test_marks import PLACES, WORDS, a_study
from tests.browser.cards.hands import MIDDLE, Keys, Touch
from tests.browser.cards.test_exercises import as_stored, at_exercise, prepared
from tests.browser.cards.test_kinds import ANALOGUE, COMMENT, MANY, PHONE, SLIDER, NewContext, at_card, done, make_card
from tests.browsing import assert_accessible, opened, sign_in
from tests.factories import make_rater

pytestmark = pytest.mark.browser
OPTIONAL = replace(COMMENT, parameters={"is_required": False})
MIXED = (ALIGNMENT, SLIDER, ANALOGUE, MANY, WORDS, replace(PLACES, name="places"), OPTIONAL)
TEXT = "1 two u b 0 ="


def answer_required(page: Page) -> None:
    """Everything except the comment, up to the Enter that confirms the places."""
    hand = Keys(page)
    hand.levels(page.locator(".question"), 3)
    hand.slider(page.locator(".question"), 70)
    hand.press("End", "Enter")
    hand.many(page.locator(".question"), [0, 2])
    hand.words(page.locator(".question"), [0, 1])
    hand.places(page.locator(".question"), [MIDDLE])


@pytest.mark.parametrize("text", [TEXT, ""])
def test_enter_on_the_last_required_question_leads_to_the_comment(
    text: str, new_context: NewContext, live_site: str
) -> None:
    page = at_card(new_context(), make_rater(a_study(*MIXED)), live_site)
    opened(page)
    answer_required(page)

    expect(page.locator("textarea.comment")).to_be_focused()
    expect(page.locator(".question.is-active")).to_have_attribute("data-kind", "comment")
    assert not Response.objects.exists()
    assert_accessible(page)
    page.keyboard.type(text)
    page.keyboard.press("Enter")

    done(page)
    responses = {one.dimension.kind: one for one in Response.objects.select_related("dimension")}
    assert responses["comment"].answer == {"text": text}
    assert responses["ordinal"].level == 3
    assert len(responses) == len({one.kind for one in MIXED})


@pytest.mark.parametrize("place", [0, 1])
def test_a_scales_key_and_enter_lead_to_a_comment_before_or_after_it(
    place: int, new_context: NewContext, live_site: str
) -> None:
    presets = [ALIGNMENT]
    presets.insert(place, OPTIONAL)
    page = at_card(new_context(), make_card(*presets, n_items=2), live_site)
    opened(page)
    page.keyboard.press("3")
    page.keyboard.press("4")  # an answer may still be changed
    page.keyboard.press("Enter")
    expect(page.locator("textarea.comment")).to_be_focused()
    page.keyboard.type(TEXT)
    page.keyboard.press("Enter")
    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
    opened(page)
    page.keyboard.press("u")  # back: what is answered needs no second way through
    expect(page.locator("textarea.comment")).to_have_value(TEXT)
    opened(page)
    if place == 0:
        page.keyboard.press("ArrowDown")
    page.keyboard.press("5")
    page.keyboard.press("Enter")
    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
    expect(page.locator("textarea.comment")).to_have_value("")
    opened(page)
    for key in ("1", "Enter", "Enter"):
        page.keyboard.press(key)
    done(page)
    levels = Response.objects.filter(is_current=True, dimension__kind="ordinal").order_by("assignment__sequence")
    assert list(levels.values_list("level", flat=True)) == [4, 0]


def test_a_comment_that_was_visited_first_is_not_asked_for_again(new_context: NewContext, live_site: str) -> None:
    page = at_card(new_context(), make_card(ALIGNMENT, OPTIONAL), live_site)
    opened(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.type("first")
    page.keyboard.press("Enter")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    done(page)


def test_all_others_by_touch_does_not_skip_the_comment(new_context: NewContext, live_site: str) -> None:
    page = at_card(new_context(**PHONE), make_rater(a_study(WORDS, OPTIONAL)), live_site)
    opened(page)
    page.locator(".rest").tap()
    expect(page.locator(".question.is-active")).to_have_attribute("data-kind", "comment")
    assert not Response.objects.exists()
    Touch(page).send(page.locator(".card"))  # pressing the button means that the answer is complete
    done(page)


def test_practice_and_quiz_lead_to_the_comment_as_well(new_context: NewContext, live_site: str) -> None:
    study = a_study(*MIXED)
    rater = prepared(study)
    context = new_context()
    sign_in(context, rater.user, live_site)
    page = at_exercise(context.new_page(), rater)
    for words in ("Right", ""):
        opened(page)
        answer_required(page)
        expect(page.locator("textarea.comment")).to_be_focused()
        page.keyboard.type(TEXT)
        page.keyboard.press("Enter")
        if words:
            expect(page.get_by_role("heading", name=words)).to_be_visible()
            page.get_by_role("link", name="Continue").click()
            expect(page.get_by_text("This quiz has 1 card.")).to_be_visible()
    expect(page.locator("#progress-text")).to_contain_text("0 of 1")
    found: list[dict[str, Any]] = [as_stored(trial) for trial in Trial.objects.all()]
    assert [one["comment"]["text"] if isinstance(one["comment"], dict) else one["comment"] for one in found] == [
        TEXT
    ] * 2
