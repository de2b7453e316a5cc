"""Labels for an imported scale in a real browser, on a desk and on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from annotations.models import Rater, Study
from annotations.questions import Preset
from tests.browsing import assert_accessible, follow, sign_in
from tests.factories import make_answer, make_rater, make_study

pytestmark = pytest.mark.browser
NUMBERS = Preset("match", "", "", "match", "Match", tuple((str(value), str(value)) for value in range(1, 6)))


def test_a_researcher_labels_an_imported_scale(new_context: Callable[..., BrowserContext], live_site: str) -> None:
    study = make_study(n_items=2, k=1, presets=(NUMBERS,), state=Study.State.CLOSED)
    rater = make_rater(study, kind=Rater.Kind.IMPORTED)
    for item in study.items.all():
        make_answer(item, rater, level=4)
    for width, label in ((1280, "matches exactly"), (390, "يطابق تمامًا")):
        context = new_context(viewport={"width": width, "height": 800})
        sign_in(context, study.owner, live_site)
        page = context.new_page()
        page.goto(f"/study/{study.token}/settings/")
        follow(page, page.get_by_role("link", name="Labels of levels"))
        expect(page.get_by_role("group", name="Match")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert_accessible(page)
        page.get_by_label("5", exact=True).fill(label)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        expect(page.get_by_label("5", exact=True)).to_have_value(label)
        follow(page, page.locator("main form").get_by_role("link", name="Settings", exact=True))
        expect(page.get_by_text(label)).to_be_visible()
        context.close()
