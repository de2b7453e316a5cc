"""What programs need, as a researcher finds it: the page of the API, webhooks, and methods that join a study."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from annotations.models import Extension, Study, Webhook
from generation.models import Image, PromptSet
from tests.browsing import Watch, assert_accessible, follow, sign_in
from tests.factories import make_image, make_method, make_study, make_user

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def test_the_api_is_read_and_tried(new_context: NewContext, live_site: str, watch: Watch) -> None:
    watch.expect_trouble("400")
    context = new_context()
    sign_in(context, make_user("ruth", researcher=True), live_site)
    page = context.new_page()
    page.goto("/me/")
    follow(page, page.get_by_role("link", name="Read and try the API"))
    call = page.locator("details", has_text="POST /api/v1/prompt-sets/").first
    call.locator("summary").click()
    call.get_by_label("Body").fill('{"name": "from the page"}')
    call.get_by_role("button", name=re.compile("Send")).click()
    expect(call.get_by_role("status")).to_contain_text("201")
    expect(call.get_by_role("status")).to_contain_text("from the page")
    assert PromptSet.objects.get().owner.username == "ruth"
    listed = page.locator("details", has_text="GET /api/v1/prompt-sets/").first
    listed.locator("summary").click()
    listed.get_by_label("mine").fill("perhaps")
    listed.get_by_role("button", name=re.compile("Send")).click()
    expect(listed.get_by_role("status")).to_contain_text("urn:evalsite:problem:invalid")
    assert_accessible(page)


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
def test_webhooks_and_a_method_that_joins(options: dict[str, object], new_context: NewContext, live_site: str) -> None:
    ruth = make_user("ruth", researcher=True)
    study = make_study(owner=ruth, n_items=4, state=Study.State.OPEN)
    image = Image.objects.all()[0]
    make_image(prompt=image.prompt, method=make_method("a later method"))
    context = new_context(**options)
    sign_in(context, ruth, live_site)
    page = context.new_page()
    page.goto(f"/study/{study.token}/settings/")
    follow(page, page.get_by_role("link", name="Methods that join later"))
    page.get_by_label("a later method").check()
    page.get_by_label("Note").fill("the second try")
    assert_accessible(page)
    follow(page, page.get_by_role("button", name="Add their items"))
    expect(page.get_by_role("row", name=re.compile("the second try"))).to_be_visible()
    assert Extension.objects.get().n_items == 1

    page.goto(f"/study/{study.token}/webhooks/")
    page.get_by_role("textbox", name="Address").fill("https://hooks.example.org/evalsite")
    follow(page, page.get_by_role("button", name="Add an address"))
    expect(page.get_by_role("textbox", name="Secret")).to_have_value(re.compile("^whsec_"))
    assert Webhook.objects.get().events == ["study.closed", "study.completed"]
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
