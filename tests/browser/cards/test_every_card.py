"""Every card from the design page to the results page: each form and each kind of question, by keys alone, by touch and
without a script, on a desktop and on a phone held either way, in English and Arabic. Nothing goes wrong in the console,
nothing breaks accessibility, nothing is wider than the window, and what was answered is what is stored and reported.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings
from django.db.models import QuerySet
from playwright.sync_api import BrowserContext, Locator, Page, expect

from annotations.models import Dimension, Rater, Response, Study
from annotations.questions import ALIGNMENT, BEST_WORST, RANKING
from generation.models import Decomposition
from tests.annotations.cards.test_marks import GRAPH
from tests.browser.cards.hands import MIDDLE, Form, Hand, Keys, Touch
from tests.browsing import assert_accessible, follow, opened, sign_in
from tests.factories import make_image, make_method, make_prompt, make_prompt_set, make_rater, make_study, make_user

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NewContext = Callable[..., BrowserContext]
SCREENS = ((1280, 800), (390, 844), (844, 390))
"""A desktop, a phone, and a phone held sideways."""
LANGUAGES = ("en", "ar")
HANDS: tuple[type[Keys | Touch | Form], ...] = (Keys, Touch, Form)
Kind, About, ItemKind = Dimension.Kind, Dimension.About, Study.ItemKind


@dataclass(frozen=True)
class Asked:
    """A question as it is typed on the design page, and its answer (one for each image, or one) as it is stored.

    preset: what is pressed on the design page; empty: its own words.
    """

    text: str
    kind: str
    answers: tuple[Any, ...]
    levels: str = ""
    about: str = About.IMAGE
    preset: str = ""
    step: str = ""


def match(*levels: int) -> Asked:
    return Asked("Does the image match the prompt?", Kind.ORDINAL, levels, preset="first")


FAULTS = "1 = hands\n2 = face\n3 = text"
ONE_IMAGE = (
    match(3),
    Asked("What is it?", Kind.NOMINAL, (1,), "1 = a photo\n2 = a drawing\n3 = neither"),
    Asked("How close is it?", Kind.SLIDER, (70,), "0 = not at all\n100 = exactly", step="1"),
    Asked("What is wrong?", Kind.MANY, ([0, 2],), FAULTS),
    Asked("Which words are not shown?", Kind.WORDS, ([0, 1, 0, 2, 0, 0],), "1 = shown\n2 = wrong\n3 = missing"),
    Asked("Is each part there?", Kind.PARTS, (["no", "not asked", "yes", "not asked"],)),
    Asked("Where is it wrong?", Kind.PLACES, ([MIDDLE],), "1 = artefact\n2 = mismatch"),
    Asked("Why?", Kind.COMMENT, ({"text": "3 hands, 0 care?"},)),
)
PAIR = (
    match(4, 1),
    Asked("Which image matches the prompt better?", Kind.NOMINAL, (0,), about=About.ITEM, preset="Preference"),
    Asked("What is wrong with both?", Kind.MANY, ([1],), FAULTS, about=About.ITEM),
)
ALL_IMAGES = (
    match(2, 0, 4),
    Asked("Put the images in order", Kind.RANKING, (1, 2, 0), preset="Ranking"),
    Asked("Which image matches the prompt best, and which worst?", Kind.BEST_WORST, (1, 2, 0), preset="Best and worst"),
    Asked("How alike are they?", Kind.SLIDER, (30,), "0 = not at all\n100 = alike", about=About.ITEM, step="10"),
)
FORMS = {ItemKind.IMAGE: (ONE_IMAGE, 1), ItemKind.PAIR: (PAIR, 2), ItemKind.PROMPT: (ALL_IMAGES, 3)}


def test_no_kind_of_question_is_left_out() -> None:
    assert {asked.kind for questions, _n_methods in FORMS.values() for asked in questions} == set(Kind)


def make_images(n_methods: int) -> None:
    prompt = make_prompt("A red fox stirs a stew.", prompt_set=make_prompt_set("Scenes"))
    Decomposition.objects.create(prompt=prompt, graph=GRAPH, digest="d")
    for number in range(n_methods):
        make_image(prompt=prompt, method=make_method(f"approach {number}"), size=(512, 512))


def designed(desk: Page, form: str, questions: tuple[Asked, ...], n_raters: int) -> Study:
    """A study of these questions made on the design page, and opened."""
    desk.goto("/study/new/")
    desk.get_by_label("Title").fill("Foxes")
    desk.get_by_label("Raters per item").fill(str(n_raters))
    desk.get_by_label(str(ItemKind(form).label)).check()
    for number, asked in enumerate(questions):
        if asked.preset == "first":
            continue
        follow(desk, desk.get_by_role("button", name=re.compile(asked.preset or "Your own words")))
        if asked.preset:
            continue
        question = desk.get_by_role("group", name=f"Question {number + 1}")
        question.get_by_label("Question", exact=True).fill(asked.text)
        question.get_by_label("Answers", exact=True).fill(asked.levels)
        question.get_by_label("The answers are").select_option(asked.kind)
        question.get_by_label("Asked about").select_option(asked.about)
        if asked.step:
            question.get_by_label("Step").fill(asked.step)
        elif asked.kind == Kind.PLACES:
            question.get_by_label("Needs an answer").uncheck()
    assert_accessible(desk)
    follow(desk, desk.get_by_role("button", name="Create the study"))
    follow(desk, desk.get_by_role("button", name="Open the study"))
    study = Study.objects.get()
    assert [(d.kind, d.about) for d in study.dimensions.all()] == [(one.kind, one.about) for one in questions]
    assert study.items.count() == 1
    return study


def at_card(context: BrowserContext, rater: Rater, language: str, site: str) -> Page:
    context.clear_cookies()
    context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": site}])
    sign_in(context, rater.user, site)
    page = context.pages[0] if context.pages else context.new_page()
    page.goto(f"/rate/{rater.study.token}/")
    assert page.evaluate("document.documentElement.lang") == language
    return page


def on_card(page: Page, questions: tuple[Asked, ...]) -> Iterator[tuple[Asked, Locator, Any]]:
    """In the order in which a card asks: about each image from the left, about their order, about all of them."""
    orderings = (Kind.RANKING, Kind.BEST_WORST)
    per_image = [one for one in questions if one.about == About.IMAGE and one.kind not in orderings]
    for place in range(max(len(one.answers) for one in questions)):
        for asked in per_image:
            yield asked, where(page, asked).nth(place), asked.answers[place]
    for asked in (one for one in questions if one.kind in orderings):
        yield asked, where(page, asked), list(asked.answers)
    for asked in (one for one in questions if one.about == About.ITEM):
        yield asked, where(page, asked), asked.answers[0]


def where(page: Page, asked: Asked) -> Locator:
    return page.locator(".parts" if asked.kind == Kind.PARTS else "fieldset.question").filter(has_text=asked.text)


def answer(page: Page, hand: Hand, questions: tuple[Asked, ...]) -> None:
    card = page.locator(".card")
    for asked, question, wanted in on_card(page, questions):
        how = "levels" if asked.kind in (Kind.ORDINAL, Kind.NOMINAL) else asked.kind
        getattr(hand, how)(question, wanted)
        if asked is questions[-2]:
            size = page.viewport_size
            assert size is not None
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
            if not isinstance(hand, Form):  # axe-core is a script, too
                assert_accessible(page)
    hand.send(card)
    expect(card).to_have_count(0)
    expect(page.locator("main h1:not(.prompt)")).to_have_count(1)  # the page that says thank you


def of(rater: Rater) -> QuerySet[Response]:
    return Response.objects.filter(assignment__rater=rater, is_current=True)


def stored(rater: Rater, asked: Asked) -> list[Any]:
    """The standing answers to a question as the rater saw the images, from left to right."""
    card = rater.assignments.get()
    by_slot = list(card.item.images.order_by("item_images__slot"))
    shown = [by_slot[int(slot)].pk for slot in card.shown_order.split(",")] if card.shown_order else [by_slot[0].pk]
    found = of(rater).filter(dimension__question__startswith=asked.text)
    rows = sorted(found, key=lambda row: shown.index(row.image_id) if row.image_id else 0)
    return [row.answer if row.level is None else row.level for row in rows]


def is_as_meant(asked: Asked, hand: Hand, found: list[Any]) -> bool:
    if asked.kind == Kind.PLACES:
        if isinstance(hand, Form):
            return found == [[]]
        ((place,),) = found
        return bool(abs(place["x"] - 0.5) < 0.02 and abs(place["y"] - 0.5) < 0.02 and place["kind"] == 0)
    if asked.kind == Kind.SLIDER and isinstance(hand, Touch):
        return bool(abs(found[0] * int(asked.step or 1) - asked.answers[0]) <= 6)
    # A slider's level is its place on the line.
    step = int(asked.step or 1)
    return found == [value // step if asked.kind == Kind.SLIDER else value for value in asked.answers]


@pytest.mark.parametrize("form", FORMS)
def test_every_card_from_its_design_to_its_results(form: str, new_context: NewContext, live_site: str) -> None:
    """Each hand on each screen. Which of them read Arabic differs from form to form, so that every hand on every screen
    meets both languages."""
    questions, n_methods = FORMS[form]  # type: ignore[index]  # its members are strings
    make_images(n_methods)
    at_desk = new_context()
    sign_in(at_desk, make_user("rita", researcher=True), live_site)
    desk = at_desk.new_page()
    study = designed(desk, form, questions, n_raters=len(SCREENS) * len(HANDS))
    first = list(FORMS).index(form)  # type: ignore[arg-type]  # its members are strings

    for number, (width, height) in enumerate(SCREENS):
        options = {"viewport": {"width": width, "height": height}, "has_touch": True, "is_mobile": width < 1000}
        with_script, without = new_context(**options), new_context(java_script_enabled=False, **options)
        for turn, make_hand in enumerate(HANDS, start=first + number):
            is_form = make_hand is Form
            rater, language = make_rater(study), LANGUAGES[turn % len(LANGUAGES)]
            page = at_card(without if is_form else with_script, rater, language, live_site)
            if not is_form:
                opened(page)
            hand = make_hand(page)
            answer(page, hand, questions)
            for asked in questions:
                found = stored(rater, asked)
                assert is_as_meant(asked, hand, found), (width, language, hand.name, asked.text, found)
            sent_by = {row["input"] if row else None for row in of(rater).values_list("viewing", flat=True)}
            assert sent_by == {{"keys": "keyboard", "touch": "touch", "form": None}[hand.name]}

    desk.goto(f"/study/{study.token}/results/")
    for asked in questions:
        expect(desk.get_by_text(asked.text).first).to_be_visible()
    assert_accessible(desk)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_whose_scripts_did_not_come_is_accessible(
    language: str, new_context: NewContext, live_site: str
) -> None:
    """As it is without scripts: axe-core, a script too, can only see such a page with scripts that do nothing."""
    make_images(3)
    presets = (ALIGNMENT, RANKING, BEST_WORST)
    study = make_study(n_items=1, item_kind=ItemKind.PROMPT, n_methods=3, presets=presets)
    context = new_context(viewport={"width": 390, "height": 844})
    context.route("**/*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page = at_card(context, make_rater(study), language, live_site)
    expect(page.locator("select")).to_have_count(6)
    assert_accessible(page)
