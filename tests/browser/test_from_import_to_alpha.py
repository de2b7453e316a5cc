"""The main job in a real browser: import pairs, design a study, invite two people, let them rate, read the alpha."""

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import BrowserContext, expect

from annotations.models import Rater, Response, Study
from annotations.reports.numbers import figure
from generation.models import Image
from tests.browsing import assert_accessible, follow, opened, sign_in
from tests.factories import make_user

pytestmark = pytest.mark.browser
NewContext = Callable[..., BrowserContext]
# What each of the two answers, card by card: keys 1 to 5. They see the images in orders of their own.
KEYS = ("1523344251345521", "2433445123554312")


def interval_alpha(units: list[list[int]]) -> Fraction:
    """Krippendorff's alpha with squared differences, as one would by hand: sums over pairs, in exact fractions."""
    values = [value for unit in units for value in unit]
    within = sum(Fraction(sum((a - b) ** 2 for a, b in permutations(unit, 2)), len(unit) - 1) for unit in units)
    observed = within / len(values)
    expected = Fraction(sum((a - b) ** 2 for a, b in permutations(values, 2)), len(values) * (len(values) - 1))
    return 1 - observed / expected


def test_pairs_are_imported_rated_by_two_people_and_their_alpha_is_the_one_by_hand(
    new_context: NewContext, live_site: str, sld_pairs: Path
) -> None:
    call_command("import_images", str(sld_pairs), prompt_set="SLD", verbosity=0)
    assert Image.objects.count() == 16
    assert Image.objects.exclude(parent=None).count() == 8
    researcher = make_user("rita", researcher=True)

    at_desk = new_context()
    sign_in(at_desk, researcher, live_site)
    desk = at_desk.new_page()
    desk.goto("/study/new/")
    desk.get_by_label("Title").fill("Do these match?")
    desk.get_by_label("Raters per item").fill("2")
    desk.get_by_label("Consent").fill("Your answers are kept without your name.")
    desk.get_by_label("Instructions").fill("Look at every part of the prompt.")
    assert_accessible(desk)
    follow(desk, desk.get_by_role("button", name="Create the study"))
    study = Study.objects.get()
    assert desk.url == f"{live_site}/study/{study.token}/"
    follow(desk, desk.get_by_role("button", name=re.compile("Open")))
    expect(desk.get_by_role("textbox", name="Invitation")).to_have_value(f"{live_site}/join/{study.invitation}/")
    assert_accessible(desk)

    for keys in KEYS:
        person = new_context().new_page()
        person.goto(f"/join/{study.invitation}/")
        expect(person.get_by_text("Look at every part of the prompt.")).to_be_visible()
        assert_accessible(person)
        for box in person.get_by_role("checkbox").all():
            box.check()
        follow(person, person.get_by_role("button", name="Agree and begin"))
        for i, key in enumerate(keys):
            expect(person.locator("#progress-text")).to_contain_text(f"{i} of 16")
            opened(person)
            person.keyboard.press(key)
        expect(person.get_by_role("heading", name="You are done. Thank you!")).to_be_visible()
        leaks = [word for word in ("baseline", "refined", "sdxl", "lmdplus") if word in person.content().lower()]
        assert not leaks

    for rater, keys in zip(Rater.objects.order_by("pk"), KEYS, strict=True):
        given = Response.objects.filter(assignment__rater=rater).order_by("assignment__sequence")
        assert [level + 1 for level in given.values_list("level", flat=True)] == [int(key) for key in keys]
    by_image: dict[int, list[int]] = {}
    for image, level in Response.objects.values_list("image_id", "level"):
        by_image.setdefault(image, []).append(level + 1)
    alpha = interval_alpha(list(by_image.values()))

    desk.goto(f"/study/{study.token}/results/")
    assert_accessible(desk)
    agreement = desk.locator("section", has=desk.get_by_role("heading", name="Agreement")).last
    agreement.get_by_text("All figures").click()
    row = agreement.get_by_role("row", name=re.compile("α, interval"))
    expect(row).to_contain_text(figure(float(alpha)))
