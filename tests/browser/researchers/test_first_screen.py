"""The answer and its picture fit into the first screen, and a wide window is used."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from annotations.models import Study
from annotations.questions import RANKING
from tests.annotations.audits.test_critic_data import worked_example
from tests.annotations.test_preferences import ranked_study, voted_study
from tests.browser.researchers.test_results import study as study  # the fixture: pairs with a scale and a preference
from tests.browsing import follow, sign_in
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]


def results_of(
    study: Study, new_context: NewContext, site: str, width: int, height: int, *, tab: str = "Results"
) -> Page:
    context = new_context(viewport={"width": width, "height": height})
    sign_in(context, study.owner, site)
    page = context.new_page()
    page.goto(f"/study/{study.token}/")
    follow(page, page.get_by_role("link", name=tab, exact=True))
    page.locator(".answer .said").first.wait_for()
    return page


def rated_study() -> Study:
    study = make_study(n_items=12)
    for r in range(3):
        rater = make_rater(study, name=f"rater {r}")
        for i, item in enumerate(study.items.all()):
            make_answer(item, rater, level=(i + r) % 5)
    return study


@pytest.mark.parametrize(
    ("make", "tab"),
    [
        (rated_study, "Results"),
        (voted_study, "Results"),
        (lambda: ranked_study(RANKING), "Results"),
        (lambda: worked_example()[0], "Critic"),
    ],
)
def test_the_answer_and_its_picture_are_on_the_first_screen(
    make: Callable[[], Study], tab: str, new_context: NewContext, live_site: str
) -> None:
    page = results_of(make(), new_context, live_site, 1280, 720, tab=tab)
    said = page.locator(".answer .said").first.bounding_box()
    picture = page.locator(".answer svg:visible").first.bounding_box()
    assert said is not None
    assert picture is not None
    assert said["y"] + said["height"] <= 720
    assert picture["y"] + picture["height"] <= 720
    assert said["x"] + said["width"] <= picture["x"], "side by side"
    assert picture["width"] >= 600


def test_a_wide_window_gives_its_room_to_figures_and_leaves_texts_their_measure(
    study: Study, new_context: NewContext, live_site: str
) -> None:
    page = results_of(study, new_context, live_site, 1920, 1080)
    used = page.locator("main .report").bounding_box()
    assert used is not None
    assert used["width"] >= 1600
    for text in page.locator(".report p:visible").all():
        box = text.bounding_box()
        assert box is not None
        assert box["width"] <= 57 * 16, text.inner_text()
    pair = page.locator("section > .plot:has(+ .plot)").first
    left, right = pair.bounding_box(), pair.locator("+ .plot").bounding_box()
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 1920


def test_no_dashed_line_crosses_words_on_a_phone(study: Study, new_context: NewContext, live_site: str) -> None:
    page = results_of(study, new_context, live_site, 390, 844)
    crossed = page.evaluate(
        """() => [...document.querySelectorAll('svg.phone')].filter(s => s.checkVisibility()).flatMap(svg => {
          const boxes = of => [...svg.querySelectorAll(of)].map(e => [e.textContent, e.getBoundingClientRect()])
          return boxes('.reference').flatMap(([, line]) => boxes('.label, .value').filter(([, words]) =>
            line.left > words.left && line.left < words.right && line.top < words.bottom && line.bottom > words.top
          ).map(([words]) => words))
        })"""
    )
    assert page.locator("svg.phone:visible .reference").count()
    assert crossed == []


def test_on_paper_the_folded_sections_of_the_critics_page_are_open(new_context: NewContext, live_site: str) -> None:
    page = results_of(worked_example()[0], new_context, live_site, 1280, 720, tab="Critic")
    folded = page.locator(".part-fold:not([open]) :is(table, figure, p:not(.no-print))")
    assert folded.count() > 3
    seen = "all => all.filter(one => one.checkVisibility() && one.getBoundingClientRect().height > 0).length"
    assert folded.evaluate_all(seen) == 0
    page.emulate_media(media="print")
    assert folded.evaluate_all(seen) == folded.count()
