"""People's words run as their own language does, on researchers' pages too: prompts, claims, titles and names."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext

from annotations.models import Dimension, Rater
from generation.models import Claim, Image, Method, Prompt, PromptSet
from tests.annotations.audits.audit_rows import make_audited_study
from tests.browsing import sign_in
from tests.factories import make_answer, make_rater

pytestmark = pytest.mark.browser
ARABIC = "قطة سوداء تجلس على كرسي أحمر، وعمرها 3 سنوات!"
LAID_OUT = """words => {
    const found = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const parent = texts.currentNode.parentElement;
        const style = getComputedStyle(parent);
        const isOwn = style.direction === "rtl" || style.unicodeBidi === "plaintext";
        if (texts.currentNode.data.trim().startsWith(words) && !parent.closest("script, style, option, title"))
            found.push([isOwn, parent.outerHTML.slice(0, 160)]);
    }
    return found;
}"""


def test_words_of_a_language_from_right_to_left_are_laid_out_so(
    new_context: Callable[..., BrowserContext], live_site: str
) -> None:
    study = make_audited_study(n_images=2, n_claims=1)
    rater = make_rater(study)
    make_answer(study.items.first(), rater)
    Prompt.objects.update(text=ARABIC)
    Claim.objects.update(text=ARABIC)
    PromptSet.objects.update(name=ARABIC, owner=study.owner)
    Method.objects.filter(pk=Method.objects.earliest("pk").pk).update(name=ARABIC)
    Rater.objects.update(name=ARABIC)
    Dimension.objects.update(question=ARABIC)
    study.title = study.notes = study.instructions = study.consent = ARABIC
    study.save()
    prompt, image = Prompt.objects.earliest("pk"), Image.objects.earliest("pk")
    context = new_context()
    sign_in(context, study.owner, live_site)
    page = context.new_page()
    pages = {
        reverse("home"): 1,
        reverse("study", args=[study.token]): 3,
        reverse("study-items", args=[study.token]): 2,
        reverse("study-raters", args=[study.token]): 2,
        reverse("study-audit-image", args=[study.token, image.pk]): 2,
        reverse("prompt-sets"): 1,
        reverse("prompt-set", args=[prompt.prompt_set_id]): 2,
        reverse("prompt", args=[prompt.pk]): 2,
        reverse("image", args=[image.pk]): 2,
    }
    for address, n_least in pages.items():
        page.goto(address)
        found = page.evaluate(LAID_OUT, ARABIC)
        assert len(found) >= n_least, address
        assert all(is_own for is_own, _ in found), (address, found)

    visitor = new_context().new_page()
    visitor.goto(reverse("join", args=[study.invitation]))
    found = visitor.evaluate(LAID_OUT, ARABIC)
    assert len(found) >= 3, "title, instructions and consent"
    assert all(is_own for is_own, _ in found), found
    rating = new_context()
    sign_in(rating, rater.user, live_site)
    card = rating.new_page()
    card.goto(reverse("rate", args=[study.token]))
    assert all(is_own for is_own, _ in card.evaluate(LAID_OUT, ARABIC))
    assert card.locator("#help [dir=auto]").count() == 1
