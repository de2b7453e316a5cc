"""A researcher looks after who may do what: raters, invitation, activity, prompt sets; at a desk and on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from annotations.models import Study
from annotations.services.exclusions import exclude_rater
from generation.models import PromptSet
from tests.browsing import assert_accessible, sign_in
from tests.factories import make_answer, make_rater, make_study, make_user

pytestmark = pytest.mark.browser


@pytest.fixture
def study(live_site: str) -> Study:
    study = make_study(n_items=4, k=3, instructions="* Count things\n* Check the colours")
    for name in ("anna", "ben", "a bot with a rather long name"):
        rater = make_rater(study, name=name)
        for i, item in enumerate(study.items.all()):
            make_answer(item, rater, level=i)
    exclude_rater(rater=study.raters.get(name="ben"), reason="asked to be left out", by=study.owner)
    PromptSet.objects.update(owner=study.owner)
    return study


@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_are_accessible_and_say_where_there_is_more(
    study: Study, new_context: Callable[..., BrowserContext], live_site: str, width: int
) -> None:
    make_user("carl", researcher=True)
    context = new_context(viewport={"width": width, "height": 844})
    sign_in(context, study.owner, live_site)
    page = context.new_page()
    base = f"/study/{study.token}"
    prompt_set = PromptSet.objects.get().pk
    for address in (
        f"{base}/",
        f"{base}/raters/",
        f"{base}/invitation/",
        f"{base}/activity/",
        f"/prompts/{prompt_set}/",
        "/imports/",
        "/study/new/",
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert page.locator("header.bar").bounding_box()["height"] <= 110, address  # type: ignore[index]
        assert_accessible(page)
    if width < 500:
        page.goto(f"{base}/raters/")
        wrap = page.locator(".table-wrap").first
        assert wrap.evaluate("e => e.scrollWidth > e.clientWidth")  # there is more, and a shadow says so
        assert "linear-gradient" in wrap.evaluate("e => getComputedStyle(e).backgroundImage")

    page.goto(f"{base}/raters/")
    row = page.get_by_role("row").filter(has_text="a bot with a rather long name")
    row.get_by_text("Exclude…").click()
    row.get_by_label("Reason").fill("answers in half a second")
    row.get_by_role("button", name="Exclude from the results").click()
    expect(page.get_by_text("answers in half a second")).to_be_visible()
    page.goto(f"{base}/results/")
    expect(page.get_by_text("2 raters are excluded from every figure")).to_be_visible()
    page.goto(f"{base}/invitation/")
    old = page.get_by_label("Invitation", exact=True).input_value()
    page.get_by_role("button", name="Renew the invitation").click()
    expect(page.get_by_text("The old one no longer works")).to_be_visible()
    assert page.get_by_label("Invitation", exact=True).input_value() != old
