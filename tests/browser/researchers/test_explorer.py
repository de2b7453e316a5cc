"""The explorer by keys alone: over the wall, into an image, along the wall, and a selection that becomes a figure."""

from collections.abc import Callable

import pytest
from django.db.models import CharField, Value
from django.db.models.functions import Concat
from playwright.sync_api import BrowserContext, Page, expect

from annotations.models import ItemImage, Study
from annotations.services.reports import report_now
from generation.models import Image, Method, MetricScore
from tests.browsing import assert_accessible, sign_in
from tests.factories import make_answer, make_rater, make_study

pytestmark = [pytest.mark.browser, pytest.mark.slow]

N = 6


@pytest.fixture
def study(live_site: str) -> Study:
    study = make_study(n_items=N, k=2)
    for rater in (make_rater(study), make_rater(study)):
        for i, item in enumerate(study.items.order_by("position")):
            make_answer(item, rater, level=i % 5)
    report_now(study=study, comparisons=[])
    return study


def press(page: Page, key: str) -> None:
    """A key that leads to another page."""
    with page.expect_navigation():
        page.keyboard.press(key)


def test_the_wall_is_walked_and_chosen_from_by_keys(
    study: Study, new_context: Callable[..., BrowserContext], live_site: str
) -> None:
    context = new_context()
    sign_in(context, study.owner, live_site)
    page = context.new_page()
    page.goto(f"/study/{study.token}/explore/")
    tiles = page.locator("[data-tile] > a")
    expect(tiles).to_have_count(N)

    page.keyboard.press("ArrowRight")
    expect(tiles.nth(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(tiles.nth(1)).to_be_focused()
    below = page.evaluate(
        """() => {
          const boxes = [...document.querySelectorAll("[data-tile] > a")].map((tile) => tile.getBoundingClientRect());
          return boxes.findIndex((box) => box.top > boxes[1].top + 8 && Math.abs(box.left - boxes[1].left) < 2);
        }"""
    )
    page.keyboard.press("ArrowDown")
    expect(tiles.nth(below)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(tiles.nth(1)).to_be_focused()

    page.keyboard.press("Space")
    expect(page.get_by_text("1 / 60")).to_be_visible()
    expect(page.locator("[data-tile] input").nth(1)).to_be_checked()

    press(page, "Enter")
    expect(page.get_by_text(f"2 of {N}")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Selected")).to_be_checked()
    press(page, "ArrowRight")
    expect(page.get_by_text(f"3 of {N}")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("checkbox", name="Selected")).to_be_checked()
    assert_accessible(page)
    press(page, "ArrowLeft")
    expect(page.get_by_text(f"2 of {N}")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_text("2 / 60")).to_be_visible()

    page.get_by_role("button", name="Use the selection").focus()
    press(page, "Enter")
    expect(page.get_by_role("heading", name="2 images chosen")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("width", [1280, 390])
def test_long_names_and_images_without_a_file_fit_and_can_be_read(
    new_context: Callable[..., BrowserContext], live_site: str, width: int
) -> None:
    study = make_study(n_items=4, k=2)
    for r, rater in enumerate((make_rater(study), make_rater(study))):
        for i, item in enumerate(study.items.order_by("position")):
            make_answer(item, rater, level=i + r)
    long = "a_metric_with_a_name_of_one_word_" * 3
    images = Image.objects.filter(pk__in=ItemImage.objects.filter(item__study=study).values("image"))
    for image in images:
        MetricScore.objects.create(image=image, metric=long, value=image.pk)
    Method.objects.filter(images__in=images).update(name=Concat(Value("a-method-with-a-long-name-" * 4), "name"))
    away = {"sha256": "", "file": "", "shown": "", "width": None, "height": None, "n_bytes": None}
    images.update(**away, key=Concat(Value("away-"), "pk", output_field=CharField()))
    report_now(study=study, comparisons=[])
    context = new_context(viewport={"width": width, "height": 800})
    sign_in(context, study.owner, live_site)
    page = context.new_page()
    unit = study.items.order_by("position").first()
    assert unit is not None
    shown = unit.images.first()
    assert shown is not None
    for address in ("explore/", f"explore/{unit.pk}-{shown.pk}/", "results/"):
        page.goto(f"/study/{study.token}/{address}")
        expect(page.get_by_text("no file here").first).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert_accessible(page)


def test_after_back_the_boxes_say_what_is_shown(
    study: Study, new_context: Callable[..., BrowserContext], live_site: str
) -> None:
    context = new_context()
    sign_in(context, study.owner, live_site)
    page = context.new_page()
    page.goto(f"/study/{study.token}/explore/")
    page.get_by_label("Show first").select_option("low")
    page.get_by_label("from").fill("4")
    with page.expect_navigation():
        page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("heading", name=f"2 of {N} images")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name=f"{N} of {N} images")).to_be_visible()
    expect(page.get_by_label("Show first")).to_have_value("position")
    expect(page.get_by_label("from")).to_have_value("")
