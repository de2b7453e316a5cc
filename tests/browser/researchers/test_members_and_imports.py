"""A researcher invites somebody without an account, and imports several files at once; at a desk and on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from annotations.models import Study
from tests.browsing import assert_accessible, sign_in
from tests.factories import make_study

pytestmark = pytest.mark.browser
PASSWORD = "quiet-Otter-carves-27"
NewContext = Callable[..., BrowserContext]


@pytest.fixture
def study(live_site: str) -> Study:
    return make_study(n_items=2, title="Foxes and their stews")


@pytest.mark.parametrize(
    ("width", "height", "direction"), [(1280, 800, "ltr"), (390, 844, "ltr"), (844, 390, "ltr"), (390, 844, "rtl")]
)
def test_an_invited_person_makes_an_account_and_takes_part(
    study: Study, new_context: NewContext, live_site: str, width: int, height: int, direction: str
) -> None:
    size = {"viewport": {"width": width, "height": height}}
    context = new_context(**size)
    sign_in(context, study.owner, live_site)
    page = context.new_page()
    page.goto(f"/study/{study.token}/settings/")
    page.evaluate("direction => document.documentElement.dir = direction", direction)
    page.get_by_role("button", name="Create an invitation").click()
    expect(page.get_by_role("button", name="Copy", exact=True)).to_be_visible()
    link = page.get_by_label("Invitation", exact=True).input_value()
    page.evaluate("direction => document.documentElement.dir = direction", direction)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(page)

    invited = new_context(**size).new_page()
    invited.goto(link)
    invited.evaluate("direction => document.documentElement.dir = direction", direction)
    assert invited.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(invited)
    invited.get_by_label("Username").fill("bea")
    invited.get_by_label("Password", exact=True).fill(PASSWORD)
    invited.get_by_label("Password confirmation").fill(PASSWORD)
    invited.get_by_role("button", name="Create the account and take part").click()
    expect(invited.get_by_text("You now take part in this study")).to_be_visible()
    expect(invited.get_by_role("link", name="Foxes and their stews").first).to_be_visible()
    assert study.memberships.get().user.username == "bea"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_several_files_are_chosen_at_once_and_listed_together(
    study: Study, new_context: NewContext, live_site: str, width: int, height: int
) -> None:
    context = new_context(viewport={"width": width, "height": height})
    sign_in(context, study.owner, live_site)
    page = context.new_page()
    page.goto("/imports/new/prompts/")
    with page.expect_download() as example:
        page.get_by_role("link", name="Example: prompts.csv").click()
    assert example.value.suggested_filename.endswith(".csv")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(page)
    files = [
        {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": f"prompt\na {name}\n".encode()}
        for name in ("fox", "hen", "a-file-with-a-rather-long-name-that-says-it-all")
    ]
    page.get_by_label("Prompts", exact=True).set_input_files(files)
    page.get_by_label("Prompt set").fill("several")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Sent together")).to_be_visible()
    expect(page.get_by_role("link", name="hen.csv")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(page)
