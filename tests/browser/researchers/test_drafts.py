"""A typing error in a study that is open: copied, corrected, previewed and opened again, in a real browser."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from annotations.models import Assignment, Response, Study
from tests.browsing import assert_accessible, follow, opened, sign_in
from tests.factories import make_image, make_method, make_prompt, make_prompt_set, make_user

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
LESS_THAN_A_MINUTE = 60


def make_images() -> None:
    prompt_set, methods = make_prompt_set("Scenes"), [make_method("first"), make_method("second")]
    for number in range(2):
        prompt = make_prompt(f"Scene number {number}", prompt_set=prompt_set)
        for method in methods:
            make_image(prompt=prompt, method=method, size=(64, 64))


def test_a_typing_error_in_a_copy_is_corrected_previewed_and_open_in_less_than_a_minute(
    new_context: NewContext, live_site: str
) -> None:
    make_images()
    context = new_context()
    sign_in(context, make_user("rita", researcher=True), live_site)
    page = context.new_page()
    page.goto("/study/new/")
    page.get_by_label("Title").fill("Do these match?")
    page.get_by_label("Question", exact=True).fill("Does the image mach the prompt?")
    page.get_by_label("Pay per hour").fill("13.50")
    page.get_by_label("Currency").fill("EUR")
    page.get_by_label("Currency").blur()
    expect(page.locator("#live")).to_contain_text("EUR")  # it follows while one chooses
    follow(page, page.get_by_role("button", name="Create the study"))
    follow(page, page.get_by_role("button", name="Open the study"))

    began = time.monotonic()
    follow(page, page.get_by_role("link", name="Copy this study"))
    question = page.get_by_label("Question", exact=True)
    expect(question).to_have_value("Does the image mach the prompt?")
    question.fill("Does the image match the promt?")
    follow(page, page.get_by_role("button", name="Create the study"))
    # The copy has a typing error of its own, which a draft need not keep.
    follow(page, page.get_by_role("link", name="Change the draft"))
    assert_accessible(page)
    page.get_by_label("Question", exact=True).fill("Does the image match the prompt?")
    follow(page, page.get_by_role("button", name="Save the draft"))
    follow(page, page.get_by_role("link", name="Preview as a rater"))
    expect(page.locator("#preview")).to_contain_text("Nothing that you answer here is stored.")
    expect(page.locator("#stage")).to_contain_text("Does the image match the prompt?")
    assert_accessible(page)
    for number in range(4):
        expect(page.locator("#progress-text")).to_contain_text(f"{number} of 4")
        opened(page)
        page.keyboard.press("3")
    page.wait_for_url(re.compile(r"/study/[^/]+/$"))
    follow(page, page.get_by_role("button", name="Open the study"))
    assert time.monotonic() - began < LESS_THAN_A_MINUTE

    copy = Study.objects.latest("pk")
    assert (copy.state, copy.title) == (Study.State.OPEN, "Do these match? (copy)")
    assert copy.dimensions.get().question == "Does the image match the prompt?"
    assert not Assignment.objects.exists()
    assert not Response.objects.exists()


def test_words_in_arabic_are_written_in_their_own_direction_and_read_by_a_rater(
    new_context: NewContext, live_site: str
) -> None:
    make_images()
    context = new_context()
    sign_in(context, make_user("rita", researcher=True), live_site)
    page = context.new_page()
    page.goto("/study/new/")
    page.get_by_label("Title").fill("Do these match?")
    follow(page, page.get_by_role("button", name="Create the study"))
    follow(page, page.get_by_role("link", name="Words in other languages"))
    follow(page, page.get_by_role("link", name=re.compile("العربية")))
    arabic = page.get_by_label(re.compile("Does the image match the prompt"))
    arabic.fill("هل تطابق الصورة النص الموجِّه؟")
    assert arabic.evaluate("field => getComputedStyle(field).direction") == "rtl"
    assert_accessible(page)
    follow(page, page.get_by_role("button", name="Save"))
    follow(page, page.locator("#main").get_by_role("link", name="Overview"))
    follow(page, page.get_by_role("button", name="Open the study"))

    reader = new_context(locale="ar-SA").new_page()
    reader.goto(f"/join/{Study.objects.get().invitation}/")
    for box in reader.get_by_role("checkbox").all():
        box.check()
    follow(reader, reader.locator("form.sheet button.primary, form.sheet button").last)
    expect(reader.locator("#stage")).to_contain_text("هل تطابق الصورة النص الموجِّه؟")
    opened(reader)
    reader.keyboard.press("5")
    expect(reader.locator("#status")).to_have_text("حُفظ ✓")
    opened(reader)  # until the next image is shown, its answers are inactive and grey
    assert_accessible(reader)
    assert Response.objects.get().level == 4
