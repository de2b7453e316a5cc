"""Auditors at work in a real browser: by keyboard alone, by touch, without a network, without a script."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from annotations.models import Adjudication, Audit, Auditor, ElementCheck, MissedError, RepairJudgement, Verdict
from annotations.queries.audits import work as queries
from annotations.services.audits import work
from tests.annotations.audits.audit_rows import do_audit, make_audited_study, make_auditor, make_open_plan, user_of
from tests.browsing import Watch, assert_accessible, opened, sign_in
from tests.factories import make_image

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def at_audit(context: BrowserContext, auditor: Auditor, site: str, *, is_open: bool = True) -> Page:
    """The auditor's page, once it takes answers; `is_open=False` where its image never comes."""
    sign_in(context, user_of(auditor), site)
    page = context.new_page()
    page.goto(f"/audit/{auditor.study.token}/")
    expect(page.locator("#audit")).to_be_visible()
    if is_open:
        opened(page)
    return page


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def stage(page: Page) -> str:
    return page.locator("#audit").get_attribute("data-stage") or ""


def touch(page: Page, answer: str) -> None:
    page.locator(".ask.is-active").get_by_role("radio", name=answer, exact=True).tap()


def saved(page: Page) -> None:
    expect(page.locator("#status")).to_have_text("Saved ✓")


def test_ten_images_by_keyboard_half_of_them_lists_first_and_the_second_auditor_disagrees(
    new_context: NewContext, live_site: str
) -> None:
    study = make_audited_study(n_images=10, n_claims=2)
    plan = make_open_plan(study, lists_first_share=0.5)
    first, second, third = (make_auditor(study) for _ in range(3))
    page = at_audit(new_context(), first, live_site)
    n_lists = 0

    for n_done in range(10):
        expect(page.locator("#progress-text")).to_contain_text(f"{n_done} of 10")
        opened(page)
        press(page, "y n c")
        if stage(page) == "list":
            n_lists += 1
            # An error in words, with a box: two steps right and one down of where the cursor starts.
            press(page, "a")
            page.keyboard.type("the square has no corner")
            press(page, "Escape m Space Shift+ArrowRight Shift+ArrowRight Shift+ArrowDown Enter Enter")
            expect(page.locator(".listed-row")).to_have_count(1)
            press(page, "Escape")
            with page.expect_navigation():
                press(page, "n")
            expect(page.locator("#audit")).to_have_attribute("data-stage", "claims")
            opened(page)
        if n_done == 0:
            assert_accessible(page)
        press(page, "w 2")  # wrong: it misread the image
        press(page, "r 1")  # right, and minor
        expect(page.locator("#missed")).to_be_visible()
        with page.expect_navigation():
            press(page, "n")

    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    assert n_lists == 5
    audits = Audit.objects.filter(auditor=first)
    assert [audit.state for audit in audits] == ["finished"] * 10
    assert all(audit.opened_at and audit.finished_at and audit.opened_at < audit.finished_at for audit in audits)
    verdicts = Verdict.objects.filter(auditor=first)
    said = verdicts.filter(is_current=True).values_list("value", "reason", "severity")
    assert sorted(said) == [("right", "", "minor")] * 10 + [("wrong", "misread", "")] * 10
    assert all(verdict.active_ms is not None for verdict in verdicts)
    errors = MissedError.objects.filter(auditor=first)
    assert [(error.stage, error.x, error.y) for error in errors] == [("before", 0.5, 0.5)] * 5
    assert [(round(e.width or 0, 3), round(e.height or 0, 3)) for e in errors] == [(0.2, 0.1)] * 5
    assert set(ElementCheck.objects.values_list("element", "answer")) == {
        ("e1", "present"),
        ("e2", "absent"),
        ("r1", "cannot_tell"),
    }

    # The second auditor, on a phone: agrees but for one claim, and marks a missed error by touch.
    Audit.objects.filter(auditor=second).delete()
    plan.items.exclude(pk=audits[0].item_id).update(wanted=1)
    phone = at_audit(new_context(**PHONE), second, live_site)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    for label in ("There", "Not there", "Cannot tell"):
        touch(phone, label)
    if stage(phone) == "list":
        with phone.expect_navigation():
            phone.get_by_role("button", name="No errors: show the claims").tap()
        expect(phone.locator("#audit")).to_have_attribute("data-stage", "claims")
        opened(phone)
    for _ in range(2):
        touch(phone, "Right")
        touch(phone, "Minor")
    phone.get_by_label("In your words").fill("a hole in the circle")
    phone.get_by_role("button", name="Mark it on the image").tap()
    box = phone.locator(".canvas").bounding_box()
    assert box
    side = min(box["width"], box["height"])
    phone.touchscreen.tap(box["x"] + box["width"] / 2 + side / 4, box["y"] + box["height"] / 2 - side / 4)
    expect(phone.locator("#mark-text")).to_have_text("Marked: a point at 75% from the left, 25% from the top")
    phone.get_by_role("button", name="Add to the list").tap()
    assert_accessible(phone)
    phone.get_by_role("button", name="That is all: finish").tap()
    expect(phone.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    error = MissedError.objects.get(auditor=second)
    assert (error.stage, error.text, error.width) == ("after", "a hole in the circle", None)
    assert (error.x, error.y) == (pytest.approx(0.75, abs=0.01), pytest.approx(0.25, abs=0.01))

    # One of the two claims of that image is disputed now: it goes to a third auditor, who sees only the claim.
    disputed = Adjudication.objects.get()
    assert disputed.item == audits[0].item
    decider = at_audit(new_context(), third, live_site)
    expect(decider.get_by_role("heading", name="Others disagree on this claim. What do you see?")).to_be_visible()
    begun = decider.evaluate("performance.now()")
    assert_accessible(decider)
    press(decider, "p 2")
    taken_ms = decider.evaluate("performance.now()") - begun
    press(decider, "Enter")
    expect(decider.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    standing = Verdict.objects.filter(claim=disputed.claim, is_current=True)
    assert sorted(standing.values_list("value", "is_adjudication")) == [
        ("partly", True),
        ("right", False),
        ("wrong", False),
    ]
    assert standing.get(is_adjudication=True).active_ms >= taken_ms  # all of it, not only what followed the answer


def test_before_and_after_side_by_side_by_keyboard(new_context: NewContext, live_site: str) -> None:
    study = make_audited_study(n_images=1, n_claims=2)
    baseline = queries.study_images(study).get()
    refined = make_image(parent=baseline)
    plan = make_open_plan(study, with_repair=True, pairs=[(baseline.pk, refined.pk)], placebo_share=0)
    auditor = make_auditor(study)
    alone = work.reserve(auditor=auditor, plan=plan)
    assert alone
    do_audit(alone)
    page = at_audit(new_context(), auditor, live_site)
    assert_accessible(page)

    press(page, "l b n")  # the parts: left, both, neither
    press(page, "b 3 r")  # the claims: in both, worse on the right; on the right only
    press(page, "a")
    page.keyboard.type("a third eye")
    press(page, "Escape m r Enter Enter")  # a point on the right image
    expect(page.locator(".listed-row")).to_contain_text("right")
    press(page, "Escape n")

    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    audit = Audit.objects.get(item__kind="repair")
    left, right = ("refined", "baseline") if audit.is_mirrored else ("baseline", "refined")
    checks = dict(ElementCheck.objects.filter(audit=audit).values_list("element", "answer"))
    assert checks == {"e1": left, "e2": "both", "r1": "none"}
    outcomes = [
        RepairJudgement.objects.get(audit=audit, claim=claim, is_current=True).outcome for claim in audit.claim_order
    ]
    assert outcomes == (["worse", "worse"] if right == "refined" else ["improved", "fixed"])
    error = MissedError.objects.get()
    assert error.image == (refined if right == "refined" else baseline)
    assert (error.x, error.y, error.is_in_refined) == (0.5, 0.5, right == "refined")


def test_a_box_by_mouse_zoom_and_taking_back(new_context: NewContext, live_site: str) -> None:
    study = make_audited_study(n_images=1, n_claims=0)
    make_open_plan(study, with_elements=False)
    page = at_audit(new_context(), make_auditor(study), live_site)
    canvas = page.locator(".canvas")
    press(page, "z")
    expect(canvas).to_have_attribute("viewBox", "2 2 4 4")
    press(page, "ArrowRight")
    expect(canvas).to_have_attribute("viewBox", "2.4 2 4 4")
    press(page, "z z")
    expect(canvas).to_have_attribute("viewBox", "0 0 8 8")

    box = canvas.bounding_box()
    assert box
    side = min(box["width"], box["height"])
    left, top = box["x"] + (box["width"] - side) / 2, box["y"] + (box["height"] - side) / 2
    page.mouse.move(left + 0.6 * side, top + 0.7 * side)
    page.mouse.down()
    page.mouse.move(left + 0.2 * side, top + 0.3 * side, steps=4)
    page.mouse.up()
    expect(page.locator("#mark-text")).to_contain_text(
        "a box at 20% from the left, 30% from the top, 40% wide, 40% high"
    )
    page.get_by_label("In your words").fill("smudge")
    press(page, "Enter")
    page.get_by_label("In your words").fill("taken back")
    press(page, "Enter")
    expect(page.locator(".listed-row")).to_have_count(2)
    page.get_by_role("button", name="Take back: taken back").click()
    expect(page.locator(".listed-row")).to_have_count(1)
    saved(page)
    page.reload()
    expect(page.locator(".listed-row")).to_have_count(1)
    expect(page.locator(".mark text")).to_have_text("1")

    error = MissedError.objects.get(withdrawn_at=None)
    assert (error.x, error.y, error.width) == tuple(pytest.approx(v, abs=0.01) for v in (0.2, 0.3, 0.4))


def test_nothing_is_lost_while_the_network_is_gone(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble("ERR_INTERNET_DISCONNECTED")
    study = make_audited_study(n_images=1, n_claims=1)
    make_open_plan(study, with_elements=False)
    context = new_context()
    page = at_audit(context, make_auditor(study), live_site)
    page.wait_for_load_state("networkidle")

    context.set_offline(True)
    press(page, "r 2 a")
    page.keyboard.type("no tail")
    press(page, "Enter Escape n")  # finished, as far as the auditor is concerned
    expect(page.locator("#status")).to_have_text("Waiting to send (2)")
    assert not Verdict.objects.exists()
    context.set_offline(False)

    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    assert list(Verdict.objects.filter(is_current=True).values_list("value", "severity")) == [("right", "major")]
    assert MissedError.objects.get().text == "no tail"
    assert Audit.objects.get().state == Audit.State.FINISHED


def test_a_window_closed_without_network_sends_when_it_is_opened_again(
    new_context: NewContext, live_site: str, watch: Watch
) -> None:
    watch.expect_trouble("ERR_INTERNET_DISCONNECTED")
    study = make_audited_study(n_images=1, n_claims=1)
    make_open_plan(study, with_elements=False)
    auditor = make_auditor(study)
    context = new_context()
    page = at_audit(context, auditor, live_site)
    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    press(page, "w 4")
    expect(page.locator("#status")).to_have_text("Waiting to send (1)")
    page.close(run_before_unload=False)
    context.set_offline(False)

    again = context.new_page()
    again.goto(f"/audit/{study.token}/")

    expect(again.locator(".given-text")).to_have_text("Wrong · It contradicts the prompt")
    assert Verdict.objects.get(is_current=True).reason == "contradicts"


def test_undo_and_what_is_still_open(new_context: NewContext, live_site: str) -> None:
    study = make_audited_study(n_images=2, n_claims=2)
    make_open_plan(study, with_elements=False)
    page = at_audit(new_context(), make_auditor(study), live_site)
    press(page, "c")
    saved(page)  # what is taken back before it was sent never reaches the server
    press(page, "u p Enter")  # back to the first claim: partly, its severity left open
    page.get_by_role("button", name="Nothing was missed: finish").click()
    expect(page.get_by_role("alert")).to_have_text("This one is not answered yet.")
    press(page, "r Enter n")

    expect(page.locator("#progress-text")).to_contain_text("1 of 2")
    values = Verdict.objects.order_by("pk").values_list("value", "is_current")
    assert list(values) == [("cannot_tell", False), ("partly", True), ("right", True)]


def test_a_key_that_bounces_answers_once_and_finishes_nothing(new_context: NewContext, live_site: str) -> None:
    study = make_audited_study(n_images=1, n_claims=0)
    make_open_plan(study)
    page = at_audit(new_context(), make_auditor(study), live_site)
    page.evaluate(
        """() => {
            for (const key of ["y", "y", "n", "n"]) {
                document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            }
        }"""
    )
    expect(page.locator("#missed")).to_be_visible()
    saved(page)
    assert Audit.objects.get().state == Audit.State.LEASED
    page.wait_for_timeout(450)  # the time within which a second press is a bounce
    press(page, "n")
    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()


def test_help_and_pause(new_context: NewContext, live_site: str) -> None:
    study = make_audited_study(n_images=1, instructions="Look at the hands.")
    make_open_plan(study)
    page = at_audit(new_context(), make_auditor(study), live_site)
    press(page, "?")
    expect(page.get_by_role("dialog", name="Instructions")).to_contain_text("Look at the hands.")
    assert_accessible(page)
    press(page, "Escape")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    assert Audit.objects.get().state == Audit.State.RETURNED
    page.get_by_role("link", name="Continue judging").click()
    expect(page.locator("#audit")).to_be_visible()


def test_without_a_script(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble("400")  # a wrong claim without its reason
    study = make_audited_study(n_images=1, n_claims=1)
    make_open_plan(study, lists_first_share=1.0)
    page = at_audit(new_context(java_script_enabled=False), make_auditor(study), live_site)
    page.get_by_label("In your words").fill("no tail")
    page.get_by_label("Where, roughly").select_option(label="bottom right")
    page.get_by_role("button", name="Add to the list").click()
    expect(page.locator(".listed-row")).to_contain_text("no tail")
    for _ in range(3):
        page.locator(".ask:not(.is-given) .option", has_text="Not there").first.click()
        page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="I’m done: show the claims").click()
    page.locator(".option", has_text="Wrong").click()
    page.get_by_role("button", name="That is all: finish").click()
    expect(page.get_by_role("alert")).to_contain_text("a wrong one its reason")
    page.locator(".option", has_text="It misread the image").click()
    page.get_by_role("button", name="That is all: finish").click()

    expect(page.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
    assert Verdict.objects.get(is_current=True).reason == "misread"
    assert MissedError.objects.get().stage == "before"
    assert Audit.objects.get().finished_at <= timezone.now()
