"""Every answer arrives: from any page, after any pause, once. No page says "saved" before an answer has arrived."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from annotations.models import Assignment, LateAnswer, Rater, Response, Study, Verdict
from annotations.services import rating as services
from annotations.services.studies import close_study
from evalsite.accounts import links
from tests.annotations.audits.audit_rows import make_audited_study, make_auditor, make_open_plan, user_of
from tests.browser.outboxes import NOTHING_STORED, OFFLINE, STORED, answer, answered_offline, closed
from tests.browser.test_audit import at_audit
from tests.browser.test_rating import at_card, levels
from tests.browsing import Watch, opened, sign_in
from tests.factories import make_rater, make_study

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]


@pytest.mark.parametrize("where", ["/", "/rate/{token}/", "/rate/{other}/"])
def test_any_page_sends_what_waits(where: str, new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble(OFFLINE)
    study, other = make_study(n_items=8), make_study(n_items=2)
    rater = make_rater(study)
    make_rater(other, rater.user)
    context = new_context()
    page = at_card(context, rater, live_site)
    answered_offline(context, page, "255")
    closed(page)
    context.set_offline(False)

    again = context.new_page()
    again.goto(where.format(token=study.token, other=other.token))

    again.wait_for_function(NOTHING_STORED)
    assert levels(rater) == [1, 4, 4]
    if where == "/":
        expect(again.get_by_text("You have answered 3 cards.")).to_be_visible()


def test_a_closed_study_still_takes_what_waits(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble(OFFLINE)
    study = make_study(n_items=8)
    rater = make_rater(study)
    context = new_context()
    page = at_card(context, rater, live_site)
    answered_offline(context, page, "25")
    close_study(study=study)
    closed(page)
    context.set_offline(False)

    again = context.new_page()
    again.goto(f"/rate/{study.token}/")

    expect(again.get_by_text("You have answered 2 cards.")).to_be_visible()
    expect(again.get_by_text("Your answers are kept.")).to_be_visible()
    assert levels(rater) == [1, 4]


def test_no_page_says_saved_while_something_waits(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble(OFFLINE)
    watch.expect_trouble("ERR_FAILED")
    study = make_study(n_items=8)
    rater = make_rater(study)
    context = new_context()
    page = at_card(context, rater, live_site)
    answered_offline(context, page, "25")
    closed(page)
    close_study(study=study)
    context.set_offline(False)
    context.route("**/answer/**", lambda route: route.abort())

    again = context.new_page()
    again.goto(f"/rate/{study.token}/")

    waiting = again.get_by_role("status").filter(has_text="are waiting to be sent: 2. The server cannot be reached")
    expect(waiting).to_be_visible()
    expect(again.get_by_text("Your answers are kept.")).to_be_hidden()
    assert not re.search("[Ss]aved|kept", again.locator("main").inner_text())
    context.unroute("**/answer/**")
    expect(again.get_by_text("Your answers are kept.")).to_be_visible()
    assert levels(rater) == [1, 4]


def test_an_auditor_s_answers_are_sent_from_any_page(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble(OFFLINE)
    study = make_audited_study(n_images=1, n_claims=1)
    make_open_plan(study, with_elements=False)
    auditor = make_auditor(study)
    context = new_context()
    page = at_audit(context, auditor, live_site)
    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    for key in "w4":
        page.keyboard.press(key)
    expect(page.locator("#status")).to_have_text("Waiting to send (1)")
    closed(page)
    context.set_offline(False)

    context.new_page().goto("/")

    again = context.pages[-1]
    again.wait_for_function(NOTHING_STORED)
    assert Verdict.objects.get(is_current=True).reason == "contradicts"


def test_the_whole_reserved_batch_is_answered_without_a_network(
    new_context: NewContext, live_site: str, watch: Watch
) -> None:
    watch.expect_trouble(OFFLINE)
    rater = make_rater(make_study(n_items=20, k=1, batch_size=10))  # too few are left to hold more
    context = new_context()
    page = at_card(context, rater, live_site)
    answered_offline(context, page, "1234512345")

    expect(
        page.get_by_role("alert").filter(has_text="You have answered every card that this browser holds.")
    ).to_be_visible()
    assert levels(rater) == []
    page.keyboard.press("3")  # nothing is there to be answered
    context.set_offline(False)

    opened(page)
    expect(page.locator("#status")).to_have_text("Saved ✓")
    expect(page.get_by_role("alert")).to_be_hidden()
    assert levels(rater) == [0, 1, 2, 3, 4] * 2
    assert Response.objects.count() == 10


SAID = """() => {
    window.said = [];
    const status = document.getElementById("status");
    new MutationObserver(() => said.push(status.textContent)).observe(status, { childList: true });
}"""


def test_without_a_network_it_never_says_that_it_saves(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble(OFFLINE)
    rater = make_rater(make_study(n_items=8, batch_size=8))
    context = new_context()
    page = at_card(context, rater, live_site)
    page.wait_for_load_state("networkidle")
    answered_offline(context, page, "2")
    expect(page.locator("#status")).to_have_text("Waiting to send (1)")
    page.evaluate(SAID)
    for n, key in enumerate("345", start=2):
        answer(page, key)
        expect(page.locator("#status")).to_have_text(f"Waiting to send ({n})")
    assert page.evaluate("said") == [f"Waiting to send ({n})" for n in (2, 3, 4)]
    context.set_offline(False)
    expect(page.locator("#status")).to_have_text("Saved ✓")
    assert levels(rater) == [1, 2, 3, 4]


def test_signing_in_again_in_another_window_lets_the_first_go_on(
    new_context: NewContext, live_site: str, watch: Watch
) -> None:
    for trouble in (OFFLINE, "403"):
        watch.expect_trouble(trouble)
    rater = make_rater(make_study(n_items=20))
    context = new_context()
    page = at_card(context, rater, live_site)
    answered_offline(context, page, "45")
    context.clear_cookies(name="sessionid")
    context.set_offline(False)
    expect(page.locator("#status")).to_contain_text("Answers not sent yet: 2. Open your personal link again")
    context.set_offline(True)
    context.new_page().close()
    context.set_offline(False)
    other = context.new_page()
    other.goto(links.link_to(rater.user, live_site))

    expect(page.locator("#status")).to_have_text("Saved ✓")
    answer(page, "3")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    assert levels(rater) == [3, 4, 2]


def test_a_stale_token_is_renewed_where_the_same_person_is_signed_in(
    new_context: NewContext, live_site: str, watch: Watch
) -> None:
    watch.expect_trouble("403")
    rater = make_rater(make_study(n_items=20))
    context = new_context()
    page = at_card(context, rater, live_site)
    page.wait_for_load_state("networkidle")  # the cards ahead come with the cookie that is to go
    context.clear_cookies()
    sign_in(context, rater.user, live_site)

    answer(page, "45")

    expect(page.locator("#status")).to_have_text("Saved ✓")
    assert levels(rater) == [3, 4]


def test_another_person_s_session_sends_nothing_of_this_one(
    new_context: NewContext, live_site: str, watch: Watch
) -> None:
    watch.expect_trouble("403")
    study = make_study(n_items=20)
    rater, other = make_rater(study), make_rater(study)
    context = new_context()
    page = at_card(context, rater, live_site)
    page.wait_for_load_state("networkidle")
    context.clear_cookies()
    sign_in(context, other.user, live_site)

    answer(page, "4")

    expect(page.locator("#status")).to_contain_text("Answers not sent yet: 1. Open your personal link again")
    home = context.new_page()
    home.goto("/")
    expect(
        home.get_by_role("status").filter(has_text="that have not been sent: 1. Open the personal link")
    ).to_be_visible()
    assert not Response.objects.exists()


def test_what_waits_is_not_shown_again(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble(OFFLINE)
    rater = make_rater(make_study(n_items=20))
    context = new_context()
    page = at_card(context, rater, live_site)
    page.wait_for_load_state("networkidle")
    tokens = []
    context.set_offline(True)
    for key in "45":
        tokens.append(page.locator(".card").get_attribute("data-token"))
        answer(page, key)
    closed(page)
    context.set_offline(False)
    again = context.new_page()
    again.goto(f"/rate/{rater.study.token}/")

    shown = again.evaluate(
        """() => new Promise((done) => {
            const seen = new Set();
            const look = () => {
                const card = document.querySelector('.card');
                if (card) seen.add(card.dataset.token);
                if (document.querySelector('#status').textContent === 'Saved ✓') done([...seen]);
                else requestAnimationFrame(look);
            };
            look();
        })"""
    )
    assert not set(shown) & set(tokens)
    expect(again.locator("#progress-text")).to_contain_text("2 of 20")
    assert levels(rater) == [3, 4]
    again.keyboard.press("u")  # it can be gone back to, with its answer
    expect(again.locator("#stage input:checked")).to_have_attribute("data-key", "5")


def test_a_request_that_hangs_ends(new_context: NewContext, live_site: str, watch: Watch) -> None:
    rater = make_rater(make_study(n_items=8))
    page = at_card(new_context(), rater, live_site)
    page.wait_for_load_state("networkidle")
    page.route("**/answer/**", lambda route: None)
    page.keyboard.press("3")

    expect(page.locator("#status")).to_have_text("Waiting to send (1)", timeout=40_000)

    page.unroute("**/answer/**")
    expect(page.locator("#status")).to_have_text("Saved ✓", timeout=40_000)
    assert levels(rater) == [2]


def test_a_late_answer_gets_a_notice(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble(OFFLINE)
    study = make_study(n_items=12, k=1)
    rater, other = make_rater(study), make_rater(study)
    context = new_context()
    page = at_card(context, rater, live_site)
    answer(page, "22")
    expect(page.locator("#status")).to_have_text("Saved ✓")
    answered_offline(context, page, "555")
    Assignment.objects.filter(rater=rater, state="leased").update(lease_until=timezone.now() - timedelta(minutes=1))
    answer_all(study, other)
    context.set_offline(False)

    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    assert LateAnswer.objects.count() == 3
    expect(page.get_by_text("You have answered 2 cards.")).to_be_visible()
    expect(page.get_by_text("3 further answers came too late")).to_be_visible()
    page.get_by_role("link", name="Your studies").click()
    expect(page.get_by_text("3 further answers came too late")).to_be_visible()


def answer_all(study: Study, rater: Rater) -> None:
    """Somebody takes and answers all that is left."""
    dimension = study.dimensions.get()
    while services.reserve(rater=rater):
        for card in Assignment.objects.filter(rater=rater, state="leased"):
            given = services.Answer(dimension.pk, card.item.images.get().pk, 0)
            services.submit(assignment=card, answers=[given], answered_at=timezone.now())


def test_a_late_answer_gets_a_notice_on_the_card_too(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble(OFFLINE)
    study = make_study(n_items=4, k=1, batch_size=2)
    rater, other = make_rater(study), make_rater(study)
    context = new_context()
    page = at_card(context, rater, live_site)
    answered_offline(context, page, "5")
    first = Assignment.objects.filter(rater=rater).order_by("sequence").first()
    assert first
    Assignment.objects.filter(pk=first.pk).update(state="returned", lease_until=None)
    Assignment.objects.create(
        study=study, item=first.item, rater=other, sequence=0, state="answered", answered_at=timezone.now()
    )
    context.set_offline(False)

    expect(page.get_by_role("status").filter(has_text="1 further answer came too late")).to_be_visible()
    expect(page.locator("#progress-text")).to_contain_text("0 of 4")
    assert levels(rater) == []


def test_answers_of_the_version_before_are_sent(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=4))
    context = new_context()
    page = at_card(context, rater, live_site)
    card = Assignment.objects.filter(rater=rater).order_by("sequence")[1]
    field = page.locator(".answer-choice input").first.get_attribute("name")
    url = f"{live_site}/rate/{rater.study.token}/answer/{card.token}/"
    entry = {"id": "1-1", "answeredAt": 1, "url": url, "body": f"{field}=3&flag=", "shownMs": 900, "activeMs": 800}
    key = f"evalsite-outbox-{rater.study.token}-{rater.user_id}"
    page.evaluate("([key, entry]) => localStorage.setItem(key, JSON.stringify([entry]))", [key, entry])

    page.goto("/")

    # The page loads anew once all is sent. Chromium sometimes never closes a window that is just about to do so.
    expect(page.get_by_text("You have answered 1 card.")).to_be_visible()
    page.wait_for_load_state("load")
    assert page.evaluate(STORED) == 0
    assert levels(rater) == [3]


def test_a_full_storage_loses_nothing(new_context: NewContext, live_site: str) -> None:
    rater = make_rater(make_study(n_items=8))
    page = at_card(new_context(), rater, live_site)
    page.evaluate(
        "() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); } }"
    )

    answer(page, "135")

    expect(page.locator("#status")).to_have_text("Saved ✓")
    assert levels(rater) == [0, 2, 4]


def test_the_end_of_an_audit_waits_for_the_network_too(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble(OFFLINE)
    study = make_audited_study(n_images=1, n_claims=1)
    make_open_plan(study, with_elements=False)
    auditor = make_auditor(study)
    context = new_context()
    page = at_audit(context, auditor, live_site)
    page.wait_for_load_state("networkidle")
    for key in "w4":
        page.keyboard.press(key)
    expect(page.locator("#status")).to_have_text("Saved ✓")
    context.set_offline(True)
    page.keyboard.press("n")
    expect(page.locator("#status")).to_have_text("Waiting to send (1)")
    context.set_offline(False)

    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    assert user_of(auditor).pk
