"""A preference study and a ranking study over three methods: designed, rated by keyboard and touch, told, published."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from annotations.models import Assignment, Study
from tests.browsing import assert_accessible, follow, opened, sign_in
from tests.factories import make_image, make_method, make_prompt, make_prompt_set, make_user

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
RATERS = [{}, {"locale": "ar-SA"}, PHONE | {"locale": "ar-SA"}]
STRONG, MIDDLE, WEAK = "method with care", "method in haste", "method by chance"
N_PROMPTS = 3


def make_images() -> None:
    prompt_set = make_prompt_set("Scenes")
    methods = [make_method(name) for name in (STRONG, MIDDLE, WEAK)]
    for i in range(N_PROMPTS):
        prompt = make_prompt(f"Scene number {i}", prompt_set=prompt_set)
        for method in methods:
            make_image(prompt=prompt, method=method, size=(64, 64))


def designed(desk: Page, *, kind: str, question: str) -> Study:
    """A study made on the design page, opened, with this ready-made question alone."""
    desk.goto("/study/new/")
    desk.get_by_label("Title").fill("Which is better?")
    desk.get_by_label("Raters per item").fill(str(len(RATERS)))
    desk.get_by_label(kind).check()
    follow(desk, desk.get_by_role("button", name=re.compile(question)))
    follow(desk, desk.get_by_role("button", name=re.compile("Remove")).first)
    assert_accessible(desk)
    follow(desk, desk.get_by_role("button", name="Create the study"))
    study = Study.objects.get()
    assert study.dimensions.count() == 1
    follow(desk, desk.get_by_role("button", name=re.compile("Open")))
    return study


def joined(context: BrowserContext, study: Study) -> Page:
    person = context.new_page()
    person.goto(f"/join/{study.invitation}/")
    for box in person.get_by_role("checkbox").all():
        box.check()
    follow(person, person.locator("main button.primary"))  # its words are in the browser's language
    return person


def liked(card: Assignment) -> list[int]:
    """Places from the left, the best first: of the first prompt they like the weak method, of all others the strong."""
    is_odd = card.item.prompt.text.endswith("0")
    order = (WEAK, MIDDLE, STRONG) if is_odd else (STRONG, MIDDLE, WEAK)
    by_slot = list(card.item.images.select_related("method").order_by("item_images__slot"))
    methods = [by_slot[int(slot)].method.name for slot in card.shown_order.split(",")]
    return sorted(range(len(methods)), key=lambda place: order.index(methods[place]))


def rate(person: Page, n_cards: int, answer: Callable[[Page, list[int]], None]) -> None:
    for i in range(n_cards):
        expect(person.locator("#progress-text")).to_contain_text(re.compile(rf"{i}\D+{n_cards}"))
        opened(person)
        token = person.locator(".card").get_attribute("data-token")
        answer(person, liked(Assignment.objects.get(token=token)))
    expect(person.locator("#stage")).to_have_count(0)
    expect(person.locator("main h1")).to_have_count(1)


def prefer(person: Page, places: list[int]) -> None:
    person.keyboard.press(str(places[0] + 1))


def prefer_by_touch(person: Page, places: list[int]) -> None:
    """Tap until it counts: a second tap on one spot within half a second is a double tap, which answers nothing."""
    token = person.locator(".card").get_attribute("data-token")
    card = person.locator(f'.card[data-token="{token}"]')
    while card.count():
        opened(person)
        if card.count():
            card.locator(".answer-choice").nth(places[0]).tap()
        person.evaluate("() => new Promise(requestAnimationFrame)")


def put_in_order(person: Page, places: list[int]) -> None:
    for place in places:
        person.keyboard.press("abc"[place])
    person.keyboard.press("Enter")


def put_in_order_by_touch(person: Page, places: list[int]) -> None:
    for place in places:
        person.locator(".place button").nth(place).tap()
    person.locator(".card button.send").tap()


@pytest.mark.parametrize(
    ("kind", "question", "n_cards", "by_key", "by_touch"),
    [
        ("two images side by side", "Preference between two images", 9, prefer, prefer_by_touch),
        ("all images of a prompt together", "Ranking of all images", 3, put_in_order, put_in_order_by_touch),
    ],
    ids=["preference", "ranking"],
)
def test_from_the_design_page_to_the_papers_table(
    kind: str,
    question: str,
    n_cards: int,
    by_key: Callable[[Page, list[int]], None],
    by_touch: Callable[[Page, list[int]], None],
    new_context: NewContext,
    live_site: str,
    tmp_path: Path,
) -> None:
    make_images()
    at_desk = new_context()
    sign_in(at_desk, make_user("rita", researcher=True), live_site)
    desk = at_desk.new_page()
    study = designed(desk, kind=kind, question=question)
    assert study.items.count() == n_cards

    for options in RATERS:
        person = joined(new_context(**options), study)
        rate(person, n_cards, by_touch if "has_touch" in options else by_key)

    desk.goto(f"/study/{study.token}/results/")
    part = study.snapshots.get().results["dimensions"][0]["preferences"]  # type: ignore[index]
    wins = {row["method"]: row["wins"] for row in part["strengths"]}
    # Each rater's nine comparisons: of two prompts the strong one beats both others, of one the weak one does.
    assert wins == {STRONG: 12, MIDDLE: 9, WEAK: 6}
    said = desk.get_by_text(part["sentence"])  # once, above: the only question's own line does not repeat it
    expect(said).to_have_count(1)
    expect(said).to_be_visible()
    expect(desk.locator(".report svg").first).to_be_visible()
    assert_accessible(desk)
    with desk.expect_download() as found:
        desk.get_by_role("link", name="Tables for a paper (.tex)").click()
    found.value.save_as(tmp_path / "report.tex")
    tex = (tmp_path / "report.tex").read_text()
    assert tex.index(STRONG) < tex.index(WEAK)
    assert "\\begin{tabular}" in tex
