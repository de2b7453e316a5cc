"""From a prompt set to one image in a real browser: its parts drawn, its line, the slider by keyboard."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from generation.recipes.matrix.methods import BASELINE, renoised
from tests.browsing import assert_accessible, follow, sign_in
from tests.factories import make_prompt, make_prompt_set, make_user
from tests.generation.runs.run_rows import TEXT, Family, make_family

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]


@pytest.fixture
def family(live_site: str) -> Family:
    prompt = make_prompt(TEXT, prompt_set=make_prompt_set("Cooking animals"), category="cooking")
    return make_family(renoised(2), BASELINE, prompt=prompt)


def fits(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(page)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_from_a_prompt_set_to_an_image_next_to_its_parent(
    family: Family, new_context: NewContext, live_site: str, width: int, scheme: str
) -> None:
    context = new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    sign_in(context, make_user("rita", researcher=True), live_site)
    page = context.new_page()
    page.goto("/")
    follow(page, page.get_by_role("link", name="Prompts", exact=True))
    expect(page.get_by_role("heading", name="Prompts")).to_be_visible()
    fits(page, width)
    follow(page, page.get_by_role("link", name="Cooking animals"))
    expect(page.get_by_role("heading", name="Cooking animals")).to_be_visible()
    fits(page, width)
    follow(page, page.get_by_role("link", name=TEXT))

    expect(page.get_by_role("img", name="What the prompt asks for: fox (red)").first).to_be_visible()
    fits(page, width)
    page.get_by_text("All parts in a table").click()
    expect(page.get_by_role("row", name="Does the fox stir the stew?")).to_be_visible()
    fits(page, width)
    follow(page, page.get_by_role("link", name="tiny · DetailScribe T−2, seed 7"))

    before, after = (page.get_by_role("img", name=name, exact=False) for name in ("Before: tiny", "After: tiny"))
    expect(page.get_by_role("listitem").filter(has_text="The ladle floats.").first).to_be_visible()
    slider = page.get_by_role("slider", name="Move the dividing line")
    expect(slider).to_have_value("50")
    places = [image.bounding_box() for image in (before, after)]
    assert places[0] == places[1], "the two lie on each other"
    slider.focus()
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "51% tiny · baseline on the left")
    assert after.evaluate("image => getComputedStyle(image).clipPath") == "inset(0px 0px 0px 51%)"
    slider.press("Home")
    assert after.evaluate("image => getComputedStyle(image).clipPath") == "inset(0px 0px 0px 0%)"
    box = after.bounding_box()
    assert box is not None
    after.click(position={"x": 0.25 * box["width"], "y": 0.5 * box["height"]})
    expect(slider).to_have_value("25")
    fits(page, width)
    page.get_by_text("The raw record").click()
    expect(page.get_by_text('"torch": "2.13.0"')).to_be_visible()
    fits(page, width)


def test_without_a_script_the_two_are_side_by_side(family: Family, new_context: NewContext, live_site: str) -> None:
    context = new_context(java_script_enabled=False)
    sign_in(context, make_user("rita", researcher=True), live_site)
    page = context.new_page()
    page.goto(f"/images/{family.refined.pk}/")
    before, after = (page.get_by_role("img", name=name).bounding_box() for name in ("Before: tiny", "After: tiny"))
    assert before is not None
    assert after is not None
    assert before["x"] + before["width"] <= after["x"]
    expect(page.get_by_role("slider")).to_be_hidden()
