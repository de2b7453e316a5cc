"""A rater continues without a network while the browser holds cards, and learns immediately if no more will come."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from annotations.models import Response
from annotations.services.exclusions import exclude_rater
from annotations.services.studies import close_study
from tests.browser.outboxes import OFFLINE, answer, answered_offline
from tests.browser.test_rating import at_card, levels
from tests.browsing import Watch, sign_in
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]


@pytest.mark.parametrize("is_invited", [False, True])
@pytest.mark.parametrize("fields", [{}, {"batch_size": 30}, {"item_kind": "pair"}])
def test_twenty_cards_are_answered_without_a_network(
    fields: dict[str, object], is_invited: bool, new_context: NewContext, live_site: str, watch: Watch
) -> None:
    """From the first card on; somebody who came by the invitation has answered a few before."""
    watch.expect_trouble(OFFLINE)
    rater = make_rater(make_study(n_items=120, **fields), came_by_invitation=is_invited)
    context = new_context()
    on_its_way = requests_of(context)
    sign_in(context, rater.user, live_site)
    page = context.new_page()
    page.goto(f"/rate/{rater.study.token}/")
    if is_invited:
        answer(page, "22222")
        expect(page.locator("#status")).to_have_text("Saved ✓")
    settled(page, on_its_way)
    before = levels(rater)
    keys = "12" * 10
    answered_offline(context, page, keys)

    expect(page.get_by_role("alert")).to_be_hidden()
    assert levels(rater) == before
    assert loaded(page)  # the twenty-first is here, too
    context.set_offline(False)
    expect(page.locator("#status")).to_have_text("Saved ✓", timeout=40_000)
    assert len(levels(rater)) == len(before) + 20 == Response.objects.count()
    assert levels(rater)[len(before) :] == [int(key) - 1 for key in keys]


def requests_of(context: BrowserContext) -> set[Request]:
    """The requests that have begun and not ended, now and later."""
    begun: set[Request] = set()
    context.on("request", lambda request: begun.add(request))
    context.on("requestfinished", lambda request: begun.discard(request))
    context.on("requestfailed", lambda request: begun.discard(request))
    return begun


def settled(page: Page, on_its_way: set[Request]) -> None:
    """Wait until nothing has been on its way for a second: "networkidle" comes once, and answers ask for more cards."""
    quiet = 0
    while quiet < 10:
        page.wait_for_timeout(100)
        quiet = 0 if on_its_way else quiet + 1


def loaded(page: Page) -> bool:
    return bool(page.evaluate("[...document.querySelectorAll('#stage img')].every((one) => one.naturalWidth > 0)"))


def test_a_browser_that_saves_data_fetches_the_images_of_few_cards(
    new_context: NewContext, live_site: str, watch: Watch
) -> None:
    rater = make_rater(make_study(n_items=60))
    context = new_context()
    context.add_init_script("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url) if "/image/" in request.url else None)
    page = at_card(context, rater, live_site)
    page.wait_for_load_state("networkidle")

    assert len({url.split("?")[0] for url in asked}) == 6


def test_a_study_that_closes_says_so_with_the_next_answer(new_context: NewContext, live_site: str) -> None:
    study = make_study(n_items=60)
    rater = make_rater(study)
    page = at_card(new_context(), rater, live_site)
    answer(page, "3")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    close_study(study=study)

    answer(page, "4")

    expect(page.get_by_role("heading", name="This study is closed")).to_be_visible()
    expect(page.get_by_text("Your answers are kept.")).to_be_visible()
    expect(page.get_by_text("You have answered 2 cards.")).to_be_visible()
    assert levels(rater) == [2, 3]


def test_an_excluded_rater_learns_it_with_the_next_answer(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=60))
    page = at_card(new_context(), rater, live_site)
    page.wait_for_load_state("networkidle")
    exclude_rater(rater=rater, reason="bot", by=None)

    answer(page, "4")

    expect(page.get_by_role("heading", name="No more images for you")).to_be_visible()
    expect(page.get_by_text("Your answers are kept")).to_be_visible()
