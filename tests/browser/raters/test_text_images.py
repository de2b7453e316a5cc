"""An image in the instructions, from its upload to the card's help on a phone, in both directions of writing."""

import io
from collections.abc import Callable

import pytest
from PIL import Image as PillowImage
from playwright.sync_api import BrowserContext, Page, expect

from annotations.models import Study
from tests.browsing import assert_accessible, sign_in
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def picture() -> bytes:
    file = io.BytesIO()
    PillowImage.effect_noise((1_200, 500), 60).save(file, "PNG")
    return file.getvalue()


def assert_shown_within(page: Page, image: str) -> None:
    """The image has loaded, and does not make the page wider than its window."""
    expect(page.locator(image)).to_be_visible()
    page.locator(image).evaluate("image => image.decode()")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    box = page.locator(image).bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= page.evaluate("window.innerWidth")


def test_an_image_for_the_instructions(new_context: Callable[..., BrowserContext], live_site: str) -> None:
    study = make_study(instructions="Count **hats**, like these:\n\n![two hats on a bench](hats)")
    context = new_context()
    sign_in(context, study.owner, live_site)
    page = context.new_page()
    page.goto(f"/study/{study.token}/raters/images/")
    page.get_by_label("Image", exact=True).set_input_files(
        {"name": "hats.png", "mimeType": "image/png", "buffer": picture()}
    )
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_label("Type this")).to_have_value("![](hats)")
    assert_accessible(page)

    for options, language in ((PHONE, "en-GB"), (PHONE, "ar-SA"), ({}, "en-GB")):
        visitor = new_context(locale=language, **options).new_page()
        visitor.goto(f"/join/{Study.objects.get().invitation}/")
        assert_shown_within(visitor, ".prose img")
        assert_accessible(visitor)

        rater = make_rater(study)
        raters = new_context(locale=language, **options)
        sign_in(raters, rater.user, live_site)
        card = raters.new_page()
        card.goto(f"/rate/{study.token}/")
        card.locator("#stage img").wait_for()
        card.locator("[data-dialog=help]").click()
        assert_shown_within(card, "#help img")
        assert card.evaluate("document.getElementById('help').scrollTop") == 0  # one reads from the beginning
        expect(card.locator("#help img")).to_have_attribute("alt", "two hats on a bench")
