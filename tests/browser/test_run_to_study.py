"""A run in a real browser: designed, started, paused, drawn by a real worker while one watches, and made a study of."""

import re
from collections.abc import Callable
from importlib.util import find_spec

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect

from annotations.models import Study
from generation import tasks
from generation.models import Image, Prompt, Run
from tests.browsing import Watch, follow, sign_in
from tests.conftest import unavailable
from tests.factories import make_prompt, make_prompt_set, make_user
from tests.servers import Server

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
# Engines are loaded and all is drawn, on a machine that may have too much to do; it takes some seconds.
DRAWN_MS = 120_000


@pytest.fixture
def researcher(live_site: str) -> User:
    return make_user("ruth", researcher=True)


@pytest.fixture
def prompts(live_site: str) -> list[Prompt]:
    prompt_set = make_prompt_set("animals at work")
    texts = ("A fox stirs a stew in a pot.", "A hedgehog paints a pumpkin with a brush.", "A heron holds a lantern.")
    return [make_prompt(text, prompt_set=prompt_set, category="functional") for text in texts]


def estimated(page: Page, what: str, n: int) -> None:
    row = page.get_by_role("row", name=re.compile(rf"^{what} [\d,]+$"))
    expect(row.get_by_role("cell")).to_have_text(str(n))


def pictures_of(page: Page) -> int:
    """How many pictures of the grid the browser has drawn. Those below the window wait until they are scrolled to."""
    for picture in page.locator(".shots img").all():
        picture.scroll_into_view_if_needed()
    page.wait_for_function("() => [...document.querySelectorAll('.shots img')].every(one => one.complete)")
    return int(page.evaluate("[...document.querySelectorAll('.shots img')].filter(one => one.naturalWidth).length"))


@pytest.mark.worker
def test_a_researcher_designs_starts_pauses_watches_and_makes_a_study(
    new_context: NewContext,
    live_site: str,
    celery_worker_process: Callable[..., Server],
    researcher: User,
    prompts: list[Prompt],
) -> None:
    if find_spec("torch") is None:
        unavailable("no images can be drawn here: the extra `generation` is not installed")
    context = new_context()
    sign_in(context, researcher, live_site)
    page = context.new_page()

    # From an empty list to the small preset; what it takes is counted anew with every change, before anything starts.
    page.goto("/runs/")
    follow(page, page.get_by_role("link", name="Try the machinery"))
    estimated(page, "Images", 9)
    page.get_by_label("How many").fill("2")
    page.get_by_label("How many").blur()
    estimated(page, "Images", 6)
    for metric in ("CLIPScore", "ImageReward"):  # the third is asked by the critic anyhow: nothing more is loaded
        page.get_by_role("checkbox", name=metric, exact=True).uncheck()
    estimated(page, "Scores", 6)
    assert not Run.objects.exists()
    follow(page, page.get_by_role("button", name="Start the run"))
    run = Run.objects.get()
    state = page.locator("#run").get_by_role("status")
    expect(state).to_have_text("being planned")

    # It is planned and waits for a worker; nothing below reloads the page but the buttons.
    tasks.plan_run(run.pk)
    expect(page.get_by_text("The run is waiting for a worker.")).to_be_visible()
    follow(page, page.get_by_role("button", name="Pause"))
    expect(state).to_have_text("paused")
    # One worker for both queues, and the clock that reminds it: the site of the tests has another broker.
    celery_worker_process(queues="cpu,gpu")
    assert tasks.resume_runs() == 0
    assert not Image.objects.exists()
    follow(page, page.get_by_role("button", name="Resume"))
    expect(state).to_have_text("running")
    page.evaluate("window.stayed = true")
    assert tasks.resume_runs() > 0

    expect(page.locator(".shots img").first).to_be_visible(timeout=DRAWN_MS)
    expect(state).to_have_text("done", timeout=DRAWN_MS)
    assert page.evaluate("window.stayed") is True
    assert pictures_of(page) == 6

    follow(page, page.get_by_role("button", name="Make a study of these images"))
    expect(page.get_by_text("The study was created.")).to_be_visible()
    study = Study.objects.get()
    assert page.url.endswith(f"/study/{study.token}/")
    assert study.owner == researcher
    assert set(study.items.values_list("images", flat=True)) == set(Image.objects.values_list("pk", flat=True))


def test_without_scripts_it_is_counted_and_started_by_buttons(
    new_context: NewContext, live_site: str, researcher: User, prompts: list[Prompt], watch: Watch
) -> None:
    watch.expect_trouble("422")  # what is sent without a name
    context = new_context(java_script_enabled=False)
    sign_in(context, researcher, live_site)
    page = context.new_page()
    page.goto("/runs/new/?preset=tiny")
    page.get_by_label("How many").fill("1")
    follow(page, page.get_by_role("button", name="Update the estimate"))
    estimated(page, "Images", 3)
    page.get_by_role("textbox", name="Name", exact=True).fill("")
    follow(page, page.get_by_role("button", name="Start the run"))
    expect(page.get_by_role("alert")).to_contain_text("Nothing you typed is lost.")
    expect(page.get_by_label("How many")).to_have_value("1")
    assert not Run.objects.exists()
    page.get_by_role("textbox", name="Name", exact=True).fill("by hand")
    follow(page, page.get_by_role("button", name="Start the run"))
    expect(page.get_by_role("heading", name="by hand")).to_be_visible()
    follow(page, page.get_by_role("button", name="Cancel"))
    expect(page.locator("#run").get_by_role("status")).to_have_text("cancelled")
