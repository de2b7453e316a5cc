"""A card without scripts: it says what can be typed and what unmarked words mean, and has no dead controls."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from annotations.models import Rater, Response
from annotations.questions import RANKING
from tests.annotations.cards.test_marks import PLACES, WORDS, a_study
from tests.browser.cards.test_exercises import prepared
from tests.browser.cards.test_kinds import ANALOGUE, MANY, SLIDER, NewContext, at_card, done
from tests.browser.cards.test_kinds import make_card as make_plain_card
from tests.browser.cards.test_marks import answers, make_card
from tests.browsing import Watch, assert_accessible, opened, sign_in

pytestmark = pytest.mark.browser
LOOKED = "I have looked at every word"


def saved(page: Page) -> None:
    page.get_by_role("button", name="Save and continue").click()


def test_a_line_says_what_can_be_typed(new_context: NewContext, live_site: str) -> None:
    light = replace(SLIDER, levels=(("-1", "painted"), ("1", "photographic")), parameters={"step": "0.1"})
    page = at_card(new_context(java_script_enabled=False), make_plain_card(light), live_site)

    expect(page.get_by_text("painted = -1")).to_be_visible()
    expect(page.get_by_text("photographic = 1")).to_be_visible()
    expect(page.get_by_text("Values from -1 to 1 in steps of 0.1")).to_be_visible()
    page.get_by_label("Values from -1 to 1").fill("-0.9")
    saved(page)
    done(page)
    assert Response.objects.get().level == 1


def test_nothing_is_shown_that_only_a_script_can_do(new_context: NewContext, live_site: str) -> None:
    rater = make_card(SLIDER, ANALOGUE, MANY, WORDS, replace(PLACES, name="places"))
    page = at_card(new_context(java_script_enabled=False), rater, live_site)

    expect(page.locator("[data-kind=places]")).to_contain_text("Marking places needs JavaScript.")
    for dead in ("kbd", ".kind", ".take-back", ".rest", ".marks-legend", ".range", ".places .hint"):
        assert [one.is_visible() for one in page.locator(f".card {dead}").all()].count(True) == 0, dead
    expect(page.get_by_text("Choose a kind")).to_be_hidden()


def test_an_order_is_chosen_from_lists_alone(new_context: NewContext, live_site: str) -> None:
    rater = make_plain_card(RANKING, item_kind="prompt")
    page = at_card(new_context(java_script_enabled=False), rater, live_site)

    expect(page.locator(".place select").first).to_be_visible()
    expect(page.get_by_text("Type or press the letters")).to_be_hidden()


def test_words_that_nobody_touched_do_not_answer(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble("400")  # the refusal
    page = at_card(new_context(java_script_enabled=False), make_card(SLIDER, WORDS), live_site)
    first = page.locator(".words option").first.inner_text()
    expect(page.get_by_text(f"Words that you do not change count as “{first}”.")).to_be_visible()

    page.locator("input[type=number]").fill("70")
    saved(page)
    expect(page.get_by_role("alert").filter(has_text="has no marks")).to_be_visible()
    assert not Response.objects.exists()
    expect(page.locator("input[type=number]")).to_have_value("70")
    page.get_by_label(LOOKED).check(force=True)
    saved(page)
    done(page)
    assert answers()["words"] == [0] * 6


def test_marks_are_kept_where_something_else_is_missing_and_can_be_changed_later(
    new_context: NewContext, live_site: str, watch: Watch
) -> None:
    watch.expect_trouble("400")  # the refusal
    rater = make_card(SLIDER, WORDS)
    page = at_card(new_context(java_script_enabled=False), rater, live_site)
    words = page.locator(".words select")
    words.nth(2).select_option(index=1)
    saved(page)
    expect(page.get_by_role("alert").filter(has_text="not answered yet")).to_be_visible()
    expect(words.nth(2)).to_have_value("1")
    page.locator("input[type=number]").fill("70")
    saved(page)
    done(page)
    assert answers()["words"] == [0, 0, 1, 0, 0, 0]

    page.goto(f"/rate/{rater.study.token}/back/")
    words.nth(2).select_option(index=0)
    words.nth(0).select_option(index=2)
    saved(page)
    done(page)
    assert answers()["words"] == [2, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("is_practice", [False, True])
def test_with_a_script_none_of_it_is_there(is_practice: bool, new_context: NewContext, live_site: str) -> None:
    context = new_context()
    rater: Rater
    if is_practice:
        rater = prepared(a_study(SLIDER, WORDS))
        sign_in(context, rater.user, live_site)
        page = context.new_page()
        page.goto(f"/rate/{rater.study.token}/")
    else:
        page = at_card(context, make_card(SLIDER, WORDS), live_site)
    opened(page)

    for text in ("Values from", "Words that you do not change", LOOKED, "= 0"):
        expect(page.get_by_text(text)).to_be_hidden()
    expect(page.get_by_role("button", name="All others")).to_be_visible()
    assert_accessible(page)
