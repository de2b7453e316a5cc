"""A paid study in a real browser against a stand-in of Prolific: from the study link to the code, and the ways out."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django import Settings

from annotations.models import Assignment, Item, PanelVisit, RaterPlan, Study
from annotations.services.panels.polling import poll_all
from annotations.services.taking_part.mismatches import make_mismatches
from tests.annotations.raters.prolific_server import TOKEN, ProlificServer
from tests.annotations.raters.test_before import leave_out_prompts, make_exercise
from tests.annotations.raters.test_panels import STUDY, make_panel_study, taken
from tests.browsing import assert_accessible, follow, opened, sign_in

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
State = PanelVisit.State
BACK = "https://app.prolific.com/submissions/complete?cc={}"


def make_paid_study() -> Study:
    study = make_panel_study(n_items=16, k=2, instructions="Look at the prompt first.", consent="We keep your answers.")
    RaterPlan.objects.create(
        study=study,
        quiz_tries=2,
        gold_share=10,
        check_share=10,
        repeat_share=10,
        repeat_gap=2,
        reward=300,
        allows_skip=True,
    )
    for role in (Item.Role.EXAMPLE, Item.Role.PRACTICE, Item.Role.QUIZ, Item.Role.GOLD, Item.Role.GOLD):
        make_exercise(study, role, [3, 4])
    leave_out_prompts(study, 4)
    make_mismatches(study=study, dimension=study.dimensions.get(), n=3)
    return study


def link(study: Study, pid: str, session: str) -> str:
    return f"/join/{study.invitation}/?PROLIFIC_PID={pid}&STUDY_ID={STUDY}&SESSION_ID={session}"


def consent(page: Page) -> None:
    page.get_by_label("I have read this, and I agree to take part.").check()
    follow(page, page.get_by_role("button", name="Agree and begin"))


def answer_exercise(page: Page, key: str) -> None:
    opened(page)
    page.keyboard.press(key)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_from_the_study_link_to_the_code(new_context: NewContext, live_site: str) -> None:
    study = make_paid_study()
    page = new_context().new_page()
    page.goto(link(study, "a" * 24, "1" * 24))
    assert "PROLIFIC_PID" not in page.url
    assert_accessible(page)
    consent(page)

    expect(page.get_by_role("heading", name="How to answer: examples")).to_be_visible()
    assert_accessible(page)
    follow(page, page.get_by_role("button", name="I have looked at the examples"))
    expect(page.get_by_text("Practice 1 of 1")).to_be_visible()
    assert_accessible(page)
    answer_exercise(page, "1")
    expect(page.get_by_role("heading", name="Not quite")).to_be_visible()
    expect(page.get_by_text("Because of the hat.")).to_be_visible()
    assert_accessible(page)
    follow(page, page.get_by_role("link", name="Continue"))
    expect(page.get_by_text("Quiz 1 of 1")).to_be_visible()
    answer_exercise(page, "1")
    expect(page.get_by_text("You have 1 more try.")).to_be_visible()
    follow(page, page.get_by_role("button", name="Try again"))
    answer_exercise(page, "5")

    rater = study.raters.get()
    bar = page.locator("#progress")
    expect(bar).to_be_visible()
    total = int(bar.get_attribute("max") or 0)
    assert total > 12
    for n in range(total):
        expect(page.locator("#progress-text")).to_contain_text(f"{n} of {total}")
        opened(page)
        page.keyboard.press("4")
    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    expect(page.get_by_role("link", name="Back to the panel")).to_have_attribute("href", BACK.format("DONE1111"))
    assert_accessible(page)
    assert PanelVisit.objects.get().state == State.COMPLETED
    purposes = set(Assignment.with_checks.filter(rater=rater, state="answered").values_list("purpose", flat=True))
    assert purposes == {"rating", "gold", "check", "repeat"}


def test_declining_and_coming_twice(new_context: NewContext, live_site: str, watch: Any) -> None:
    study = make_paid_study()
    page = new_context().new_page()
    page.goto(link(study, "b" * 24, "2" * 24))
    follow(page, page.get_by_role("link", name="I do not agree"))
    expect(page.get_by_role("link", name="Back to the panel")).to_have_attribute("href", BACK.format("NO333333"))
    assert_accessible(page)

    page = new_context().new_page()
    page.goto(link(study, "c" * 24, "3" * 24))
    consent(page)
    watch.expect_trouble("403")
    other = new_context().new_page()
    other.goto(link(study, "c" * 24, "4" * 24))
    expect(other.get_by_text("each person can take part only once")).to_be_visible()
    assert study.raters.count() == 1


def test_returning_in_the_middle_frees_the_places_within_two_seconds(
    new_context: NewContext, live_site: str, settings: Settings
) -> None:
    study = make_panel_study(n_items=6, k=1)
    page = new_context().new_page()
    page.goto(link(study, "d" * 24, "5" * 24))
    consent(page)
    opened(page)
    page.keyboard.press("2")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    assert taken(study) >= 2
    with ProlificServer(STUDY) as prolific:
        settings.PROLIFIC_ADDRESS, settings.PROLIFIC_TOKEN = prolific.url, TOKEN
        prolific.submissions["5" * 24] = "RETURNED"
        began = time.monotonic()
        assert poll_all(now=timezone.now()) == 1
        assert prolific.wrong == []

    assert taken(study) == 0
    assert time.monotonic() - began < 2
    page.goto(f"/rate/{study.token}/")
    expect(page.get_by_role("link", name="Back to the panel")).to_have_attribute("href", BACK.format("BACK4444"))


def test_raters_look_after_their_data_and_skip_what_they_do_not_want_to_see(
    new_context: NewContext, live_site: str
) -> None:
    study = make_panel_study(n_items=5, k=1)
    RaterPlan.objects.create(study=study, content_warning="Some images show wounds.", break_minutes=30)
    page = new_context().new_page()
    page.goto(link(study, "e" * 24, "6" * 24))
    consent(page)
    expect(page.get_by_text("Some images show wounds.")).to_be_visible()
    assert_accessible(page)
    follow(page, page.get_by_role("button", name="Continue"))
    opened(page)
    stage = page.locator("#stage")
    expect(stage).to_have_class("is-blurred")
    page.keyboard.press("3")  # what nobody has seen cannot be answered
    expect(page.locator("#progress-text")).to_contain_text("0 of 5")
    page.keyboard.press("v")
    expect(stage).not_to_have_class("is-blurred")
    assert_accessible(page)
    page.keyboard.press("3")
    expect(page.locator("#progress-text")).to_contain_text("1 of 5")
    expect(stage).to_have_class("is-blurred")
    follow(page, page.get_by_role("button", name="Skip"))
    assert Assignment.objects.filter(skipped_at__isnull=False).count() == 1

    page.goto("/my-data/")
    assert_accessible(page)
    page.get_by_label("A message to the people").fill("The second one hurts.")
    follow(page, page.get_by_role("button", name="Send"))
    follow(page, page.get_by_role("link", name="Erase everything…"))
    assert_accessible(page)
    page.get_by_label("I am sure. This cannot be undone.").check()
    follow(page, page.get_by_role("button", name="Erase everything"))
    expect(page.get_by_role("heading", name="Erased")).to_be_visible()
    assert not study.raters.exists()
    assert taken(study) == 0


def test_researchers_plan_watch_and_pay(new_context: NewContext, live_site: str) -> None:
    study = make_paid_study()
    context = new_context()
    sign_in(context, study.owner, live_site)
    page = context.new_page()
    for part, heading in (
        ("plan/", "Time and pay"),
        ("exercises/", "Attention checks made by the site"),
        (f"exercises/new/?item={study.items.all()[0].pk}", "Tick every answer that is right."),
        ("panel/", "Visits"),
        ("quality/", "Registered rules"),
        ("", "Nobody has joined yet"),
    ):
        page.goto(f"/study/{study.token}/raters/{part}")
        expect(page.get_by_text(heading).first).to_be_visible()
        assert_accessible(page)
