"""The results page in a real browser: pictures drawn, sections downloadable, accessible, in both themes, on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from annotations.models import Study
from annotations.questions import ALIGNMENT, PREFERENCE
from generation.models import MetricScore
from tests.browsing import assert_accessible, follow, sign_in
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.browser


@pytest.fixture
def study(live_site: str) -> Study:
    study = make_study(item_kind=Study.ItemKind.PAIR, n_items=6, k=3, presets=(ALIGNMENT, PREFERENCE))
    for r in range(3):
        rater = make_rater(study, name=f"rater {r}")
        for i, item in enumerate(study.items.all()):
            make_answer(item, rater, level=(i + r) % 5)
    for item in study.items.all():
        for slot, image in enumerate(item.images.all()):
            MetricScore.objects.create(image=image, metric="clip", value=0.1 * image.pk + slot)
    return study


def test_a_researcher_reads_and_downloads(
    study: Study, new_context: Callable[..., BrowserContext], live_site: str
) -> None:
    for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light")):  # one study: its report takes seconds
        read_and_download(study, new_context, live_site, width, scheme)


def read_and_download(
    study: Study, new_context: Callable[..., BrowserContext], live_site: str, width: int, scheme: str
) -> None:
    context = new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    sign_in(context, study.owner, live_site)
    page = context.new_page()
    page.goto(f"/study/{study.token}/")
    follow(page, page.get_by_role("link", name="Results", exact=True))

    expect(page.get_by_role("heading", name="Does the image match the prompt?")).to_be_visible()
    expect(page.get_by_text("ordinal alpha").first).to_be_visible()
    expect(page.get_by_role("img", name="Agreement between raters").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    figures = "[...document.querySelectorAll('figure.plot')]"
    assert page.evaluate(f"{figures}.every(figure => figure.scrollWidth <= figure.clientWidth)")
    assert page.evaluate(f"{figures}.every(figure => figure.querySelectorAll('svg').length === 2)")
    assert page.locator("figure.plot svg:visible").count() == page.locator("figure.plot").count()
    drawn = f"{figures}.flatMap(f => [...f.querySelectorAll('svg')]).filter(s => s.checkVisibility())"
    parts = "s => [...s.querySelectorAll('line, rect, path, circle, text')]"
    assert page.evaluate(f"{drawn}.flatMap({parts}).every(e => getComputedStyle(e).display !== 'none')")
    assert_accessible(page, also=["landmark-unique"])  # the same sections for each question
    for summary in page.get_by_text("All figures", exact=True).all():
        summary.click()
    expect(page.get_by_role("row", name="Krippendorff's α, ordinal").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(page)

    with page.expect_download() as download:
        page.get_by_role("link", name="CSV of Agreement").first.click()
    assert download.value.suggested_filename.endswith("alignment-agreement.csv")

    follow(page, page.get_by_role("link", name="Exports", exact=True))
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    with page.expect_download() as download:
        page.get_by_role("link", name="csv answers", exact=True).click()
    assert download.value.suggested_filename.endswith("-answers.csv")
