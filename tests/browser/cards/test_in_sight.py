"""What a card with several questions shows where: it opens at its top, each answer lies in the column of its image, and
the images stay in sight while they are asked about."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from annotations.models import Dimension, Rater, Study
from annotations.questions import ALIGNMENT, BEST_WORST, PREFERENCE, RANKING, Preset
from annotations.services.studies import create_study
from generation.models import Image, Prompt
from tests.annotations.cards.test_marks import PLACES
from tests.annotations.cards.test_reference import everything
from tests.annotations.views.test_design import images
from tests.browser.cards.test_kinds import ANALOGUE, COMMENT, MANY, PHONE, SLIDER, NewContext, at_card
from tests.browser.test_card_layout import FITS, box, prompt_of
from tests.browsing import assert_accessible, opened
from tests.factories import make_image, make_method, make_rater, make_reference, make_study, make_user, stored_png

pytestmark = pytest.mark.browser
WORDED = replace(
    ALIGNMENT,
    levels=(
        ("1", "does not match at all"),
        ("2", "significant discrepancies"),
        ("3", "several minor discrepancies"),
        ("4", "a few minor discrepancies"),
        ("5", "matches exactly"),
    ),
)
WHERE = replace(PLACES, name="spots")
WIDE = [(1440, 900), (1280, 720), (1024, 768), (844, 390), (720, 450), (640, 400)]  # the last two: enlarged to 200 %
IS_ON_TOP = """part => {
  const { left, right, top, bottom } = part.getBoundingClientRect();
  return part.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
}"""
# The answer at each point of every box of an answer that can be seen, by a press there.
STRAY_PRESSES = """() => [...document.querySelectorAll(".picture .answer-choice")].flatMap((choice) => {
  choice.scrollIntoView({ block: "end" });
  const { left, right, top, bottom } = choice.getBoundingClientRect();
  const points = [left + 2, (left + right) / 2, right - 2].map((x) => document.elementFromPoint(x, (top + bottom) / 2));
  return points.every((hit) => choice.contains(hit)) ? [] : [choice.innerText];
})"""


def window(width: int, height: int) -> dict[str, object]:
    return {"viewport": {"width": width, "height": height}}


def a_card_with_a_reference(
    *presets: Preset, item_kind: str = Study.ItemKind.PAIR, n_words: int = 20, n_images: int = 2
) -> Rater:
    images(1)
    for _ in range(n_images - 2):
        make_image(prompt=Prompt.objects.get(), method=make_method())
    Image.objects.update(**stored_png(1, (768, 512)))
    make_reference(Image.objects.all()[0].prompt, **stored_png(2, (768, 512)))
    Prompt.objects.update(text=prompt_of(n_words))
    study = Study(title="t", owner=make_user(researcher=True), shows_reference=True, item_kind=item_kind, state="open")
    dimensions = [Dimension(**preset.fields()) for preset in presets]
    return make_rater(create_study(study=study, dimensions=dimensions, selection=everything()))


def scrolled(page: Page) -> float:
    found: float = page.evaluate("scrollY")
    return found


@pytest.mark.parametrize("size", WIDE)
@pytest.mark.parametrize("locale", ["en-US", "ar-SA"])
def test_an_answer_lies_in_the_column_of_its_image(
    locale: str, size: tuple[int, int], new_context: NewContext, live_site: str
) -> None:
    rater = a_card_with_a_reference(WORDED, PREFERENCE, n_words=150)
    page = at_card(new_context(**window(*size), locale=locale), rater, live_site)
    opened(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for picture in page.locator(".picture:not(.reference)").all():
        column = box(picture)
        for choice in picture.locator(".answer-choice").all():
            assert box(choice)["x"] >= column["x"]
            assert box(choice)["right"] <= column["right"]
    assert page.evaluate(STRAY_PRESSES) == []


@pytest.mark.parametrize("size", [*WIDE, (768, 1024), (390, 844)])
@pytest.mark.parametrize("kind", Study.ItemKind.values)
def test_a_card_with_several_questions_opens_at_its_top(
    kind: str, size: tuple[int, int], new_context: NewContext, live_site: str
) -> None:
    by_kind = {"image": (WORDED, SLIDER, MANY, COMMENT), "pair": (WORDED, PREFERENCE), "prompt": (RANKING, WORDED)}
    rater = make_rater(make_study(n_items=2, item_kind=kind, n_methods=3, presets=by_kind[kind]))
    Image.objects.update(**stored_png(1, (512, 512)))
    page = at_card(new_context(**window(*size)), rater, live_site)
    opened(page)
    expect(page.locator(".question.is-active")).to_have_count(1)
    assert scrolled(page) == 0
    assert box(page.locator(".prompt"))["y"] >= 0


def shown(page: Page) -> list[dict[str, float]]:
    """The place of each picture's pixels in the window: first the rated pictures, then the reference."""
    found: list[dict[str, float]] = page.evaluate(
        """() => [...document.querySelectorAll(".frame img")].map((image) => {
          const box = image.getBoundingClientRect();
          const scale = Math.min(box.width / image.naturalWidth, box.height / image.naturalHeight);
          const [width, height] = [image.naturalWidth * scale, image.naturalHeight * scale];
          const y = Math.round(box.y + (box.height - height) / 2);
          return { y, height: Math.round(height), width: Math.round(width), bottom: y + Math.round(height) };
        })"""
    )
    return found


@pytest.mark.parametrize("size", WIDE)
@pytest.mark.parametrize("locale", ["en-US", "ar-SA"])
def test_a_reference_is_next_to_the_images_of_a_pair_at_their_height(
    locale: str, size: tuple[int, int], new_context: NewContext, live_site: str
) -> None:
    rater = a_card_with_a_reference(WORDED, SLIDER, PREFERENCE)
    page = at_card(new_context(**window(*size), locale=locale), rater, live_site)
    opened(page)
    left, right, reference = shown(page)
    assert left == pytest.approx(right, abs=1)
    assert left == pytest.approx(reference, abs=1)
    assert reference["bottom"] <= size[1]

    # And goes along with them.
    page.locator(".picture .question").nth(1).scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, 150)")
    assert scrolled(page) >= 100
    left, right, reference = shown(page)
    assert left == pytest.approx(right, abs=1)
    assert left == pytest.approx(reference, abs=1)
    assert left["y"] >= 0
    assert left["bottom"] <= size[1]
    assert_accessible(page)


@pytest.mark.parametrize("size", WIDE)
def test_one_image_and_its_reference_are_in_line(
    size: tuple[int, int], new_context: NewContext, live_site: str
) -> None:
    rater = a_card_with_a_reference(WORDED, item_kind=Study.ItemKind.IMAGE)
    page = at_card(new_context(**window(*size)), rater, live_site)
    opened(page)
    image, reference = shown(page)
    assert image == pytest.approx(reference, abs=1)


@pytest.mark.parametrize("size", [*WIDE, (820, 1180), (768, 1024), (390, 844)])
@pytest.mark.parametrize("locale", ["en-US", "ar-SA"])
def test_the_image_is_in_sight_at_each_of_its_questions(
    locale: str, size: tuple[int, int], new_context: NewContext, live_site: str
) -> None:
    study = make_study(n_items=1, presets=(WORDED, SLIDER, ANALOGUE, MANY, WHERE, COMMENT))
    Image.objects.update(**stored_png(1, (512, 512)))
    page = at_card(new_context(**window(*size), locale=locale), make_rater(study), live_site)
    opened(page)
    for question in page.locator(".question").all():
        question.scroll_into_view_if_needed()
        (image,) = shown(page)
        assert image["y"] >= 0
        assert image["bottom"] <= size[1]
        assert image["height"] >= min(size) * 0.4
    for question in reversed(page.locator(".question").all()):
        question.evaluate("question => question.scrollIntoView({ block: 'start' })")
        assert question.locator("legend").evaluate(IS_ON_TOP)  # not under the image
    assert_accessible(page)


BOTH = replace(MANY, about=Dimension.About.ITEM, name="both", question="What is wrong with both?")
LIKE = replace(SLIDER, about=Dimension.About.ITEM, name="alike", question="How alike are they?")
OF_A_PAIR = (WORDED, SLIDER, MANY, PREFERENCE, BOTH, LIKE)
SCREENS = [(1280, 800), (1920, 1080), (820, 1180), (390, 844), (360, 640)]


def is_phone(size: tuple[int, int]) -> bool:
    return size[0] < 768


def at_pair(size: tuple[int, int], locale: str, new_context: NewContext, site: str, *, reference: bool) -> Page:
    rater = a_card_with_a_reference(*OF_A_PAIR)
    if not reference:
        rater = make_rater(make_study(n_items=1, item_kind=Study.ItemKind.PAIR, presets=OF_A_PAIR))
        Image.objects.update(**stored_png(1, (768, 768)))
    options = window(*size) | {"has_touch": is_phone(size), "is_mobile": is_phone(size), "locale": locale}
    page = at_card(new_context(**options), rater, site)
    opened(page)
    return page


@pytest.mark.parametrize("size", SCREENS)
@pytest.mark.parametrize("locale", ["en-US", "ar-SA"])
@pytest.mark.parametrize("reference", [False, True], ids=["alone", "with a reference"])
def test_both_images_of_a_pair_are_in_sight_until_its_last_question(
    reference: bool, locale: str, size: tuple[int, int], new_context: NewContext, live_site: str
) -> None:
    """Also at what is asked about both, below what is asked about each. On a phone the one in front."""
    page = at_pair(size, locale, new_context, live_site, reference=reference)
    questions = page.locator(".picture.is-in-front .question, .answers > .question" if is_phone(size) else ".question")
    assert questions.count() == (6 if is_phone(size) else 9)
    for question in questions.all():
        question.scroll_into_view_if_needed()
        for image in shown(page)[:2]:  # one lies on the other on a phone
            assert image["y"] >= 0
            assert image["bottom"] <= size[1]
            assert image["height"] >= min(size) * 0.2
    for question in reversed(questions.all()):
        question.evaluate("question => question.scrollIntoView({ block: 'start' })")
        assert question.locator("legend").evaluate(IS_ON_TOP)  # not under the image
        assert shown(page)[0]["y"] >= 0
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert page.locator(".send").evaluate(IS_ON_TOP)
    assert page.evaluate(FITS if is_phone(size) else "document.documentElement.scrollWidth <= innerWidth")
    assert_accessible(page)


def test_the_other_image_of_a_pair_is_one_tap_away_at_each_question(new_context: NewContext, live_site: str) -> None:
    page = at_pair((390, 844), "en-US", new_context, live_site, reference=False)
    right = page.get_by_role("button", name="Right", exact=True)
    page.locator(".question").last.scroll_into_view_if_needed()
    assert right.evaluate(IS_ON_TOP)
    before = scrolled(page)
    assert before > 0
    at = box(right)
    page.touchscreen.tap(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    expect(page.locator(".picture").nth(1)).to_have_class("picture is-in-front")
    assert scrolled(page) == before


@pytest.mark.parametrize("size", SCREENS)
@pytest.mark.parametrize("locale", ["en-US", "ar-SA"])
def test_each_image_of_a_prompt_is_in_sight_at_each_of_its_questions(
    locale: str, size: tuple[int, int], new_context: NewContext, live_site: str
) -> None:
    study = make_study(n_items=1, item_kind=Study.ItemKind.PROMPT, n_methods=3, presets=(WORDED, SLIDER, MANY))
    Image.objects.update(**stored_png(1, (768, 768)))
    page = at_card(new_context(**window(*size), locale=locale), make_rater(study), live_site)
    opened(page)
    for turn, picture in enumerate(page.locator(".picture").all()):
        for question in picture.locator(".question").all():
            question.scroll_into_view_if_needed()
            image = shown(page)[turn]
            assert image["y"] >= 0
            assert image["bottom"] <= size[1]
            assert image["height"] >= size[1] * 0.3
    for question in reversed(page.locator(".question").all()):
        question.evaluate("question => question.scrollIntoView({ block: 'start' })")
        assert question.locator("legend").evaluate(IS_ON_TOP)
    assert_accessible(page)


@pytest.mark.parametrize("size", [(1280, 800), (1366, 768), (1920, 1080)])
def test_a_row_of_images_with_one_question_each_needs_no_scrolling(
    size: tuple[int, int], new_context: NewContext, live_site: str
) -> None:
    study = make_study(n_items=1, item_kind=Study.ItemKind.PROMPT, n_methods=3, presets=(WORDED,))
    Image.objects.update(**stored_png(1, (768, 768)))
    page = at_card(new_context(**window(*size)), make_rater(study), live_site)
    opened(page)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert all(image["height"] >= size[1] * 0.37 for image in shown(page))


def test_a_place_is_marked_by_touch_without_scrolling(new_context: NewContext, live_site: str) -> None:
    study = make_study(n_items=1, presets=(WORDED, SLIDER, ANALOGUE, MANY, WHERE, COMMENT))
    Image.objects.update(**stored_png(1, (512, 512)))
    page = at_card(new_context(**PHONE), make_rater(study), live_site)
    opened(page)
    kind = page.locator(".kind").first
    kind.tap()
    before, at = scrolled(page), box(page.locator(".layer"))
    assert before > 0
    page.touchscreen.tap(at["x"] + at["width"] / 4, at["y"] + at["height"] / 4)
    expect(page.locator(".layer .mark")).to_have_count(1)
    assert scrolled(page) == before
    assert box(kind)["bottom"] <= 844
    assert page.evaluate(FITS)


@pytest.mark.parametrize("n_images", [2, 3, 5, 8])
@pytest.mark.parametrize("locale", ["en-US", "ar-SA"])
def test_images_are_ordered_by_touch_with_the_controls_in_sight(
    locale: str, n_images: int, new_context: NewContext, live_site: str
) -> None:
    study = make_study(n_items=1, item_kind=Study.ItemKind.PROMPT, n_methods=n_images, presets=(RANKING,))
    Image.objects.update(**stored_png(1, (768, 512)))
    page = at_card(new_context(**PHONE, locale=locale), make_rater(study), live_site)
    opened(page)
    question = page.locator(".ordering legend")
    controls = [question, page.locator("[data-act=tie]"), page.locator("[data-act=back]"), page.locator(".send")]
    for place in page.locator(".place button").all():
        place.scroll_into_view_if_needed()
        for control in controls:
            assert control.evaluate(IS_ON_TOP)
            assert 0 <= box(control)["y"] <= box(control)["bottom"] <= 844
        place.tap()
    assert page.locator(".is-placed").count() == n_images
    bar = box(page.locator(".answers"))
    assert bar["height"] <= 844 / 3
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert (
        box(page.locator(".place").last)["bottom"] <= box(page.locator(".answers"))["y"] + 1
    )  # in the end it covers none
    assert page.evaluate(FITS)
    assert_accessible(page)


def test_an_ordering_among_several_questions_keeps_its_controls_in_sight(
    new_context: NewContext, live_site: str
) -> None:
    study = make_study(n_items=1, item_kind=Study.ItemKind.PROMPT, n_methods=3, presets=(RANKING, BEST_WORST))
    page = at_card(new_context(**PHONE), make_rater(study), live_site)
    opened(page)
    expect(page.locator(".ordering.is-active")).to_have_count(1)
    assert page.locator(".ordering.is-active [data-act=tie]").evaluate(IS_ON_TOP)
    assert page.evaluate(FITS)
    assert_accessible(page)


@pytest.mark.parametrize("size", [(844, 390), (720, 450), (640, 400)])
@pytest.mark.parametrize("n_images", [2, 3, 4, 5])
def test_sideways_all_images_to_order_and_their_reference_are_in_the_window(
    n_images: int, size: tuple[int, int], new_context: NewContext, live_site: str
) -> None:
    rater = a_card_with_a_reference(RANKING, item_kind=Study.ItemKind.PROMPT, n_images=n_images)
    page = at_card(new_context(**window(*size)), rater, live_site)
    opened(page)
    assert page.locator(".reference").count() == 1
    assert all(picture["width"] >= 120 for picture in shown(page))
    for part in page.locator(".picture").all():
        assert box(part)["bottom"] <= size[1]
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert_accessible(page)
