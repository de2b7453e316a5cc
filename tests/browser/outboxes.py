"""Answers that wait in a browser for the network."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.browsing import opened

OFFLINE = "ERR_INTERNET_DISCONNECTED"
STORED = "() => Object.keys(localStorage).filter((key) => key.startsWith('evalsite-')).length"
NOTHING_STORED = f"() => ({STORED})() === 0"


def answer(page: Page, keys: str) -> None:
    for key in keys:
        opened(page)
        page.keyboard.press(key)


def answered_offline(context: BrowserContext, page: Page, keys: str) -> None:
    """Answer with the cards that are in the browser, the network gone."""
    page.wait_for_load_state("networkidle")
    context.set_offline(True)
    answer(page, keys)
    expect(page.locator("#status")).to_have_text(f"Waiting to send ({len(keys)})")


def closed(page: Page) -> None:
    """Close the window as a person does who is asked whether to leave, and says yes."""
    page.on("dialog", lambda dialog: dialog.accept())
    with page.expect_event("close"):
        page.close(run_before_unload=True)
