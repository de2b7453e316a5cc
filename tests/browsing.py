"""A real Chromium for tests: fails on anything that goes wrong on a page, and judges accessibility."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Playwright,
    Request,
    Response,
    expect,
    sync_playwright,
)

from tests import servers

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WCAG_22_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# How long a machine with too much to do may take; a page that is well never needs it.
WAIT_MS = 15_000
NAVIGATE_MS = 30_000
expect.set_options(timeout=WAIT_MS)


@pytest.fixture(scope="session")
def _playwright() -> Iterator[Playwright]:
    # Playwright's event loop runs in this thread, where Django would then refuse every query as "asynchronous".
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        yield playwright
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser(_playwright: Playwright) -> Iterator[Browser]:
    """The machine's own Chromium, headless."""
    from tests.conftest import unavailable

    try:
        executable = servers.browser_executable()
    except servers.Unavailable as reason:
        unavailable(reason)
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS  # as root, Chromium's sandbox refuses to start
    with _playwright.chromium.launch(executable_path=executable, args=flags, headless=True) as browser:
        yield browser


class Watch:
    """Notes what a person at the page would not see: console errors, uncaught exceptions, requests that failed.

    A test that provokes an error on purpose says so beforehand with `expect_trouble`.
    """

    def __init__(self, site: str) -> None:
        self.site = site
        self.troubles: list[str] = []
        self.expected: list[str] = []

    def follow(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._note("uncaught", str(error)))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def expect_trouble(self, part: str) -> None:
        """Let pass whatever has `part` in its message; the test fails if nothing has."""
        self.expected.append(part)

    def verdict(self) -> None:
        unexpected = [trouble for trouble in self.troubles if not any(part in trouble for part in self.expected)]
        missing = [part for part in self.expected if not any(part in trouble for trouble in self.troubles)]
        if unexpected or missing:
            lines = unexpected + [f"expected, and did not happen: {part}" for part in missing]
            pytest.fail("in the browser:\n  " + "\n  ".join(lines), pytrace=False)

    def _said(self, message: ConsoleMessage) -> None:
        place = message.location["url"]
        # A browser asks for this by itself where a page (the health page, an API's answer) names no icon.
        if message.type == "error" and not place.endswith("/favicon.ico"):
            self._note("console", f"{message.text} [{place}]")

    def _failed(self, request: Request) -> None:
        # A page that is left while it loads aborts its requests: that is not a fault.
        if request.url.startswith(self.site) and request.failure != "net::ERR_ABORTED":
            self._note("request", f"{request.method} {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.url.startswith(self.site) and response.status >= 400:
            self._note("response", f"{response.status} {response.request.method} {response.url}")

    def _note(self, kind: str, text: str) -> None:
        self.troubles.append(f"{kind}: {text}")


@pytest.fixture
def watch(live_site: str) -> Iterator[Watch]:
    watch = Watch(live_site)
    yield watch
    watch.verdict()


@pytest.fixture
def new_context(browser: Browser, live_site: str, watch: Watch) -> Iterator[Callable[..., BrowserContext]]:
    """Call it for one more, separate person at a browser (own cookies); options are Playwright's."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(base_url=live_site, **({"viewport": {"width": 1280, "height": 800}} | options))
        context.set_default_timeout(WAIT_MS)
        context.set_default_navigation_timeout(NAVIGATE_MS)
        context.on("page", watch.follow)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    """A page at the live site (`page.goto("/")` works). The test fails if anything went wrong on it."""
    return new_context().new_page()


def sign_in(context: BrowserContext, user: Any, site: str) -> None:
    """Give the browser a session of this user, without going through the sign-in page."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": site}])


def follow(page: Page, link: Locator) -> None:
    """Click what leads to another page and wait until that one listens: it can be seen before its scripts are there."""
    with page.expect_navigation():
        link.click()


def opened(page: Page) -> None:
    """Wait until a page of ratings or audits takes answers: its image is there and has been seen for a moment."""
    expect(page.locator(":is(#stage, #audit)[aria-busy]")).to_have_count(0)


def assert_accessible(page: Page, *, also: Sequence[str] = ()) -> None:
    """Fail with rule, element and explanation where the page breaks WCAG 2.2, levels A and AA, by axe-core's rules.

    also: further rules, by name
    """
    from axe_playwright_python.sync_playwright import Axe

    # In full only what breaks a rule: of the many elements that keep one, no description is written.
    rules = {rule: {"enabled": True} for rule in also}
    options = {"runOnly": {"type": "tag", "values": WCAG_22_AA}, "rules": rules, "resultTypes": ["violations"]}
    page.wait_for_load_state("load")
    results = Axe().run(page, options=options)
    violations = results.response["violations"]
    if not results.response["passes"]:
        pytest.fail("axe-core checked nothing on this page", pytrace=False)
    if violations:
        lines = [
            f"{violation['id']} ({violation['impact']}): {violation['help']}\n      {node['html']}"
            for violation in violations
            for node in violation["nodes"]
        ]
        pytest.fail(f"{page.url} breaks WCAG 2.2 AA:\n  - " + "\n  - ".join(lines), pytrace=False)
