"""Two windows of one browser with the same work."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.outboxes import NOTHING_STORED, OFFLINE, STORED, answer
from tests.browser.test_rating import at_card, levels
from tests.browsing import Watch
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]


def test_two_windows_know_of_each_other(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=8))
    context = new_context()
    first = at_card(context, rater, live_site)
    told = first.get_by_role("status").filter(has_text="also open in another window")
    expect(told).to_be_hidden()

    second = context.new_page()
    second.goto(f"/rate/{rater.study.token}/")

    expect(told).to_be_visible()
    expect(second.get_by_role("status").filter(has_text="also open in another window")).to_be_visible()
    second.close()
    expect(told).to_be_hidden()


def test_two_windows_lose_nothing_of_each_other_without_a_network(
    new_context: NewContext, live_site: str, watch: Watch
) -> None:
    watch.expect_trouble(OFFLINE)
    rater = make_rater(make_study(n_items=20))
    context = new_context()
    pages = [at_card(context, rater, live_site), context.new_page()]
    pages[1].goto(f"/rate/{rater.study.token}/")
    for page in pages:
        page.wait_for_load_state("networkidle")
    context.set_offline(True)
    answer(pages[0], "111")
    answer(pages[1], "5555")  # the same cards, and one more
    assert pages[0].evaluate(STORED) == 4
    context.set_offline(False)

    pages[1].wait_for_function(NOTHING_STORED)
    for page in pages:
        expect(page.locator("#status")).to_have_text("Saved ✓")
    assert levels(rater) == [4, 4, 4, 4]
