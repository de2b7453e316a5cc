"""Image and answers are in the window together: with long prompts, on phones held either way, enlarged, recoloured."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from annotations.models import Study
from annotations.questions import BEST_WORST, PREFERENCE
from generation.models import Image, Prompt
from tests.annotations.audits.audit_rows import make_audited_study, make_auditor, make_open_plan
from tests.browser.test_audit import at_audit
from tests.browser.test_rating import PHONE, at_card
from tests.browsing import assert_accessible, sign_in
from tests.factories import make_rater, make_study, stored_png

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
SIDEWAYS = {**PHONE, "viewport": {"width": 844, "height": 390}}
WORDS = ["a", "bicycle", "standing", "left", "of", "wooden", "bench", "painted"]
# A phone zooms out of a page that is wider than its screen: then innerWidth says nothing.
FITS = "Math.max(document.documentElement.scrollWidth, innerWidth) <= screen.width"


def prompt_of(n_words: int) -> str:
    return " ".join(WORDS[i % len(WORDS)] for i in range(n_words))


def box(part: Locator) -> dict[str, float]:
    found = part.bounding_box()
    assert found
    return {**found, "right": found["x"] + found["width"], "bottom": found["y"] + found["height"]}


@pytest.mark.parametrize("options", [{}, PHONE, SIDEWAYS], ids=["desktop", "phone", "sideways"])
def test_a_long_prompt_takes_nothing_from_the_image(
    options: dict[str, object], new_context: NewContext, live_site: str
) -> None:
    sides = {}
    for n_words in (20, 150, 1000):
        rater = make_rater(make_study(n_items=1))
        Prompt.objects.update(text=prompt_of(n_words))
        Image.objects.update(width=512, height=512)
        page = at_card(new_context(**options), rater, live_site)
        sides[n_words] = box(page.locator("#stage img"))["height"]
        window = page.viewport_size
        assert window
        assert box(page.locator(".scale"))["bottom"] <= window["height"]
        assert box(page.locator(".prompt"))["height"] <= window["height"] * 0.26 or options == {}
        assert_accessible(page)
    assert min(sides[150], sides[1000]) >= sides[20] - 1, sides


@pytest.mark.parametrize("kind", [Study.ItemKind.IMAGE, Study.ItemKind.PAIR])
def test_a_phone_held_sideways_shows_image_and_answers(kind: str, new_context: NewContext, live_site: str) -> None:
    study = make_study(n_items=2, item_kind=kind, **({"presets": (PREFERENCE,)} if kind == "pair" else {}))
    Image.objects.update(width=512, height=512)
    context = new_context(**SIDEWAYS)
    rater = make_rater(study)
    sign_in(context, rater.user, live_site)
    page = context.new_page()
    page.goto(f"/rate/{study.token}/")
    expect(page.locator(".scale")).to_be_visible()

    images, scale = [box(image) for image in page.locator("#stage img").all()], box(page.locator(".scale"))
    assert all(image["bottom"] <= 390 and image["right"] <= scale["x"] for image in images)
    assert scale["bottom"] <= 390
    assert all(box(choice)["height"] >= 44 for choice in page.locator(".answer-choice").all())


def test_an_audit_on_a_phone_held_sideways(new_context: NewContext, live_site: str) -> None:
    study = make_audited_study(n_images=1)
    make_open_plan(study)
    page = at_audit(new_context(**SIDEWAYS), make_auditor(study), live_site)

    assert box(page.locator(".canvas"))["bottom"] <= 390
    assert box(page.locator(".canvas"))["right"] <= box(page.locator(".judge"))["x"]
    assert box(page.locator(".finish"))["bottom"] <= 390


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_a_word_without_end_stays_in_the_window(
    options: dict[str, object], new_context: NewContext, live_site: str
) -> None:
    rater = make_rater(make_study(n_items=1))
    Prompt.objects.update(text="unbroken" * 30)
    assert at_card(new_context(**options), rater, live_site).evaluate(FITS)


def test_the_bar_of_a_phone_stays_in_the_window(new_context: NewContext, live_site: str) -> None:
    page = at_card(new_context(**PHONE), make_rater(make_study(n_items=8)), live_site)
    for n in range(1, 5):
        page.keyboard.press("3")
        expect(page.locator("#progress-text")).to_contain_text(f"{n} of 8")
        expect(page.locator("#status")).to_have_text("Saved ✓")
        assert page.evaluate(FITS)
        # The prompt has the focus; no colour of a frame comes next to the image.
        assert page.locator(".prompt:focus").evaluate("(prompt) => getComputedStyle(prompt).outlineStyle") == "none"
    expect(page.locator("#progress-text")).to_contain_text("left")  # how long it still takes
    assert_accessible(page)


def test_an_image_alone_takes_most_of_a_phone_s_width(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=1))
    Image.objects.update(**stored_png(1, (512, 512)))
    page = at_card(new_context(**PHONE), rater, live_site)
    shown = page.locator("#stage img").evaluate("(image) => Math.min(image.clientWidth, image.clientHeight)")
    assert shown >= 340  # the rest gives way to the answers, so that nothing needs scrolling


@pytest.mark.parametrize("n_images", [3, 6, 9])
def test_images_to_order_are_seen_on_a_phone_held_sideways(
    n_images: int, new_context: NewContext, live_site: str
) -> None:
    study = make_study(n_items=1, item_kind=Study.ItemKind.PROMPT, n_methods=n_images, presets=(BEST_WORST,))
    Image.objects.update(**stored_png(1, (512, 512)))
    context = new_context(**SIDEWAYS)
    rater = make_rater(study)
    sign_in(context, rater.user, live_site)
    page = context.new_page()
    page.goto(f"/rate/{study.token}/")
    for picture in page.locator(".picture img").all():
        assert min(box(picture)["width"], box(picture)["height"]) >= 60
    assert page.evaluate(FITS)
    assert_accessible(page)


@pytest.mark.parametrize("kind", [Study.ItemKind.IMAGE, Study.ItemKind.PAIR])
def test_enlarged_pictures_scroll_in_their_frames_together(kind: str, new_context: NewContext, live_site: str) -> None:
    study = make_study(n_items=2, item_kind=kind, **({"presets": (PREFERENCE,)} if kind == "pair" else {}))
    Image.objects.update(**stored_png(1, (1024, 1024)))
    context = new_context()
    rater = make_rater(study)
    sign_in(context, rater.user, live_site)
    page = context.new_page()
    page.goto(f"/rate/{study.token}/")
    expect(page.locator(".scale")).to_be_visible()
    frames = page.locator(".frame")
    before = [box(frame) for frame in frames.all()]

    # Where one points stays where it is.
    x, y = before[0]["x"] + before[0]["width"] / 4, before[0]["y"] + before[0]["height"] / 4
    for scale in (2, 4):
        page.mouse.click(x, y)
        for frame, was in zip(frames.all(), before, strict=True):
            assert box(frame) == pytest.approx(was, abs=1)
            assert round(frame.evaluate("frame => frame.scrollWidth / frame.clientWidth")) == scale
        left = (scale - 1) * before[0]["width"] / 4
        assert all(abs(frame.evaluate("frame => frame.scrollLeft") - left) <= 20 for frame in frames.all())
    assert_accessible(page)
    page.keyboard.press("ArrowRight")
    positions = {round(frame.evaluate("frame => frame.scrollLeft")) for frame in frames.all()}
    assert len(positions) == 1
    assert positions.pop() > left
    page.keyboard.press("z")
    for frame, was in zip(frames.all(), before, strict=True):
        assert box(frame) == pytest.approx(was, abs=1)
    assert page.evaluate("[...document.querySelectorAll('.frame')].every(f => f.scrollWidth === f.clientWidth)")


def test_with_forced_colours_the_choice_and_the_progress_are_seen(new_context: NewContext, live_site: str) -> None:
    page = at_card(new_context(forced_colors="active"), make_rater(make_study(n_items=4)), live_site)
    page.keyboard.press("3")
    expect(page.locator("#progress-text")).to_contain_text("1 of 4")
    page.keyboard.press("u")
    expect(page.locator("#stage input:checked")).to_have_count(1)
    chosen, other = (
        page.locator(f"#stage {which} + .face").first.evaluate("face => getComputedStyle(face).backgroundColor")
        for which in ("input:checked", "input:not(:checked)")
    )
    assert chosen != other
    assert page.locator("#progress").evaluate("bar => getComputedStyle(bar).borderTopWidth") == "1px"
