"""What a card with several questions shows where: it opens at its top, each answer lies in the column of its image, and
the images stay in sight while they are asked about."""

from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from annotations.models import Dimension, Rater, Study
from annotations.questions import ALIGNMENT, PREFERENCE, RANKING, Preset
from annotations.services.studies import create_study
from generation.models import Image, Prompt
from tests.annotations.cards.test_reference import everything
from tests.annotations.views.test_design import images
from tests.browser.cards.test_kinds import COMMENT, MANY, SLIDER, NewContext, at_card
from tests.browser.test_card_layout import box, prompt_of
from tests.browsing import opened
from tests.factories import make_rater, make_reference, make_study, make_user, stored_png

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
WIDE = [(1440, 900), (1280, 720), (1024, 768), (844, 390), (720, 450), (640, 400)]  # the last two: enlarged to 200 %
# The answer at each point of every box of an answer that can be seen, by a press there.
STRAY_PRESSES = """() => [...document.querySelectorAll(".picture .answer-choice")].flatMap((choice) => {
  choice.scrollIntoView({ block: "end" });
  const { left, right, top, bottom } = choice.getBoundingClientRect();
  const points = [left + 2, (left + right) / 2, right - 2].map((x) => document.elementFromPoint(x, (top + bottom) / 2));
  return points.every((hit) => choice.contains(hit)) ? [] : [choice.innerText];
})"""


def window(width: int, height: int) -> dict[str, object]:
    return {"viewport": {"width": width, "height": height}}


def a_pair_with_a_reference(*presets: Preset, item_kind: str = Study.ItemKind.PAIR, n_words: int = 20) -> Rater:
    images(1)
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
    rater = a_pair_with_a_reference(WORDED, PREFERENCE, n_words=150)
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
