"""Words, parts of a prompt and places in a real browser: by keys alone, by touch, without a script, and mirrored."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotations.models import Item, Rater, Response
from annotations.questions import Preset
from tests.annotations.cards.test_marks import PARTS, PLACES, WORDS, a_study
from tests.browser.cards.test_kinds import NewContext, at_card, done, mirrored
from tests.browsing import assert_accessible, opened
from tests.factories import make_rater, stored_png

pytestmark = pytest.mark.browser


def make_card(*presets: Preset) -> Rater:
    study = a_study(*presets)
    image = Item.objects.get().images.get()
    type(image).objects.filter(pk=image.pk).update(**stored_png(3, (512, 512)))
    return make_rater(study)


def answers() -> dict[str, Any]:
    rows = Response.objects.filter(is_current=True).values_list("dimension__name", "answer")
    return dict(rows)


def begun(page: Page) -> Page:
    opened(page)
    mirrored(page)  # the harder of the two: the prompt and the image are not
    return page


def test_words_by_keys_alone(new_context: NewContext, live_site: str) -> None:
    page = begun(at_card(new_context(), make_card(WORDS), live_site))
    page.keyboard.press("ArrowRight")  # the prompt is English, and so are its words' order
    page.keyboard.press("2")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("3")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("alert").filter(has_text="not answered yet")).to_be_visible()
    expect(page.get_by_role("button", name="red: wrong")).to_be_visible()
    assert_accessible(page)
    page.keyboard.press("Enter")
    page.locator(".word").first.focus()
    page.keyboard.press("Enter")
    done(page)
    assert answers() == {"words": [0, 1, 0, 2, 0, 0]}


def test_parts_by_keys_alone(new_context: NewContext, live_site: str) -> None:
    page = begun(at_card(new_context(), make_card(PARTS), live_site))
    parts = page.locator(".part")
    expect(parts).to_have_count(4)
    page.keyboard.press("n")
    expect(parts.nth(1)).to_be_hidden()
    expect(parts.nth(3)).to_be_hidden()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("y")
    expect(parts.nth(3)).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.press("y")
    page.keyboard.press("c")
    assert_accessible(page)
    page.keyboard.press("Enter")
    done(page)
    assert answers() == {"parts": ["yes", "no", "yes", "cannot tell"]}


def test_places_by_keys_alone(new_context: NewContext, live_site: str) -> None:
    page = begun(at_card(new_context(), make_card(PLACES), live_site))
    page.keyboard.press("2")
    marks = page.locator(".mark")
    expect(marks.first).to_be_focused()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.press("1")
    page.keyboard.press("Delete")
    expect(marks).to_have_count(1)
    expect(marks).to_have_attribute("aria-label", "1. mismatch, 55 % from the left, 49 % from the top")
    assert_accessible(page)
    page.keyboard.press("Enter")
    done(page)
    assert answers() == {"faults": [{"kind": 1, "x": 0.55, "y": 0.49}]}


def test_boxes_by_keys_alone(new_context: NewContext, live_site: str) -> None:
    rater = make_card(PLACES)
    rater.study.dimensions.update(parameters={"shape": "box", "is_required": True})
    page = begun(at_card(new_context(), rater, live_site))
    page.keyboard.press("1")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    done(page)
    assert answers() == {"faults": [{"kind": 0, "x": 0.39, "y": 0.4, "width": 0.21, "height": 0.21}]}


def test_places_by_mouse(new_context: NewContext, live_site: str) -> None:
    page = begun(at_card(new_context(), make_card(PLACES), live_site))
    page.get_by_role("button", name="artefact").click()
    layer = page.locator(".layer")
    layer.scroll_into_view_if_needed()
    box = layer.bounding_box()
    assert box is not None
    assert abs(box["width"] - box["height"]) < 2  # it lies on the picture, not on the bars next to it
    at = (box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.click(*at)
    expect(page.locator(".mark")).to_have_count(1)
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.75 * box["height"], steps=4)
    page.mouse.up()
    expect(page.locator(".mark.is-box")).to_have_count(1)
    assert_accessible(page)
    page.get_by_role("button", name="Save and continue").click()
    done(page)
    point, drawn = answers()["faults"]
    assert (point["kind"], round(point["x"], 1), round(point["y"], 1)) == (0, 0.2, 0.5) or abs(point["x"] - 0.25) < 0.02
    assert all(abs(drawn[name] - value) < 0.02 for name, value in {"x": 0.5, "y": 0.5, "width": 0.25}.items())
