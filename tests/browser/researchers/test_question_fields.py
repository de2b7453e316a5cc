"""The design page in a real browser: a question has the fields of its kind, and no others."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from annotations.kinds.registry import KINDS
from annotations.models import Study
from annotations.questions import names_sides
from tests.browsing import assert_accessible, follow, sign_in
from tests.factories import make_study, make_user

pytestmark = pytest.mark.browser
SIDES = "The first two answers are the left and the right image"
LABELS = {
    "is_required": "Needs an answer",
    "step": "Step",
    "shows_value": "Show the value",
    "shape": "Shape",
    "names_sides": SIDES,
}


def test_each_kind_shows_the_fields_that_it_takes(new_context: Callable[..., BrowserContext], live_site: str) -> None:
    context = new_context()
    sign_in(context, make_user("rita", researcher=True), live_site)
    page = context.new_page()
    page.goto("/study/new/")
    page.get_by_label("two images side by side").check()
    page.get_by_label("Asked about").select_option("item")
    for key, kind in KINDS.items():
        page.get_by_label("The answers are").select_option(key)
        for name, label in LABELS.items():
            expect(page.get_by_label(label, exact=True)).to_be_visible(visible=name in kind.parameters)


def test_a_copied_preference_keeps_its_sides_under_other_words(
    new_context: Callable[..., BrowserContext], live_site: str
) -> None:
    study = make_study(item_kind=Study.ItemKind.PAIR)
    context = new_context()
    sign_in(context, study.owner, live_site)
    page = context.new_page()
    page.goto(f"/study/new/?copy={study.token}")
    box = page.get_by_label(SIDES)
    expect(box).to_be_checked()
    page.get_by_label("Asked about").select_option("image")
    expect(box).to_be_hidden()
    page.get_by_label("Asked about").select_option("item")
    page.get_by_label("Answers", exact=True).fill("1 = Left image\n2 = Right image\n3 = Tie")
    box.uncheck()
    follow(page, page.get_by_role("button", name="Create the study"))
    expect(page.get_by_text(f"tick “{SIDES}”")).to_be_visible()
    assert_accessible(page)

    page.get_by_label(SIDES).check()
    follow(page, page.get_by_role("button", name="Create the study"))

    expect(page.get_by_text("The study was created.")).to_be_visible()
    assert names_sides(Study.objects.latest("pk").dimensions.get())
