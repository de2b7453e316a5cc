"""The design page in a real browser: a question has the fields of its kind, and no others."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from annotations.kinds.registry import KINDS
from tests.browsing import sign_in
from tests.factories import make_user

pytestmark = pytest.mark.browser
LABELS = {"is_required": "Needs an answer", "step": "Step", "shows_value": "Show the value", "shape": "Shape"}


def test_each_kind_shows_the_fields_that_it_takes(new_context: Callable[..., BrowserContext], live_site: str) -> None:
    context = new_context()
    sign_in(context, make_user("rita", researcher=True), live_site)
    page = context.new_page()
    page.goto("/study/new/")
    for key, kind in KINDS.items():
        page.get_by_label("The answers are").select_option(key)
        for name, label in LABELS.items():
            expect(page.get_by_label(label, exact=True)).to_be_visible(visible=name in kind.parameters)
