"""A run in a real browser: a preset, its estimate, its images as they arrive, its failures, its end."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from generation.models import Run
from generation.services.runs.planning import claim_planning, plan_run
from tests.browsing import assert_accessible, follow, sign_in
from tests.factories import make_prompt, make_prompt_set, make_user
from tests.generation.runs.planned_runs import break_down, finish, steps_of

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_researcher_tries_the_machinery(
    new_context: Callable[..., BrowserContext], live_site: str, width: int, scheme: str
) -> None:
    researcher = make_user("rita", researcher=True)
    prompt_set = make_prompt_set("animals")
    for animal in ("fox", "hen"):
        make_prompt(f"A {animal} stirs a stew.", prompt_set=prompt_set)
    context = new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    sign_in(context, researcher, live_site)
    page = context.new_page()

    page.goto("/")
    follow(page, page.get_by_role("link", name="Runs", exact=True))
    assert_accessible(page)
    follow(page, page.get_by_role("link", name="Try the machinery"))
    estimate = page.get_by_role("complementary", name="What it will take")
    expect(estimate.get_by_role("row", name="Images 6")).to_be_visible()
    critic = page.get_by_role("group", name="Criticised by")
    expect(critic).to_be_hidden()
    page.get_by_role("checkbox", name="DetailScribe switch 2 After three steps.").uncheck()
    expect(estimate.get_by_role("row", name="Images 4")).to_be_visible()
    page.get_by_role("combobox", name="Criticised by").select_option("chat")
    expect(estimate.get_by_text("No endpoint is known here.")).to_be_visible()
    expect(critic.get_by_label("Endpoint")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("combobox", name="Criticised by").select_option("questions")
    follow(page, page.get_by_role("button", name="Start the run"))

    expect(page.get_by_role("heading", name="Try the machinery")).to_be_visible()
    run = Run.objects.get()
    assert page.url == f"{live_site}/runs/{run.pk}/"
    expect(page.get_by_text("being planned")).to_be_visible()
    claimed = claim_planning(run.pk)
    assert claimed is not None
    plan_run(run=claimed)
    expect(page.get_by_text("0 of")).to_be_visible()
    expect(page.get_by_text("waiting", exact=True)).to_have_count(4)
    first, *others = steps_of(run, "draw")
    finish(first, size=(64, 64))
    # It comes by itself, without a look at another page.
    expect(page.get_by_role("link", name="baseline").get_by_role("img")).to_be_visible()
    expect(page.get_by_text("waiting", exact=True)).to_have_count(3)
    break_down(*steps_of(run, "critique")[:1], message="The answer is not a probability.")
    expect(page.get_by_text("The answer is not a probability.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(page)

    follow(page, page.get_by_role("button", name="Pause"))
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    follow(page, page.get_by_role("link", name="Every failure"))
    expect(page.get_by_role("cell", name="Use another seed.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="All failures as CSV").click()
    assert download.value.suggested_filename == f"run-{run.pk}-failures.csv"
    follow(page, page.get_by_role("button", name="Retry failed steps"))
    follow(page, page.get_by_role("button", name="Resume"))

    finish(*others, *run.steps.exclude(kind="draw").select_related("prompt", "method"), size=(64, 64))
    Run.objects.filter(pk=run.pk).update(state="done", ended_at=timezone.now())
    expect(page.get_by_role("status").filter(has_text="done")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    # What asks every two seconds has gone, and its clock with it.
    expect(page.locator("[hx-trigger^=every]")).to_have_count(0)
    follow(page, page.get_by_role("link", name="Runs", exact=True).first)
    expect(page.get_by_role("link", name="Try the machinery")).to_be_visible()
    assert_accessible(page)
