"""What researchers write for raters: lists and emphasis, and nothing that leads away or runs."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from annotations.templatetags.formatted import formatted
from tests.factories import make_rater, make_study, make_user

pytestmark = pytest.mark.django_db


def test_lists_emphasis_paragraphs_and_line_breaks() -> None:
    html = formatted("Look *first*.\nThen **count**:\n\n* things\n* colours\n\n1. one\n2. two")

    assert html == (
        "<p>Look <em>first</em>.<br>\nThen <strong>count</strong>:</p>\n"
        "<ul>\n<li>things</li>\n<li>colours</li>\n</ul>\n"
        "<ol>\n<li>one</li>\n<li>two</li>\n</ol>\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[here](javascript:alert(1))",
        "![method](https://elsewhere.example/a.png)",
        "<https://elsewhere.example>",
        "[a]: javascript:alert(1)\n\n[a]",
        "- <b onclick=x>",
        "&lt;script&gt;",
        "`<svg/onload=x>`",
    ],
)
def test_nothing_runs_leads_away_or_loads(text: str) -> None:
    tags = set(re.findall(r"<[^>]*>", str(formatted(text))))

    assert tags <= {"<p>", "</p>", "<ul>", "</ul>", "<li>", "</li>"}


def test_the_invitation_and_the_rating_page_show_it(client: Client) -> None:
    study = make_study(instructions="* Count things\n* Check the colours", consent="You agree to **this**.")
    rater = make_rater(study)
    assert rater.user is not None

    invitation = client.get(f"/join/{study.invitation}/").content.decode()
    client.force_login(rater.user)
    page = client.get(f"/rate/{study.token}/").content.decode()

    assert "<li>Count things</li>" in invitation
    assert "<strong>this</strong>" in invitation
    assert "<li>Check the colours</li>" in page


def test_the_design_page_previews_both(client: Client) -> None:
    client.force_login(make_user(researcher=True))

    live = client.post(
        "/study/new/",
        {
            "instructions": "- Look first",
            "consent": "*Free* to stop",
            "form-TOTAL_FORMS": "0",
            "form-INITIAL_FORMS": "0",
        },
        headers={"hx-request": "true"},
    ).content.decode()

    assert "<li>Look first</li>" in live
    assert "<em>Free</em> to stop" in live
    assert "Nothing to rate yet" in live


def test_the_welcome_page_says_how_to_begin_while_there_is_no_account(client: Client) -> None:
    User.objects.all().delete()
    empty = client.get("/").content.decode()
    assert "manage.py createsuperuser" in empty
    assert "/bin/python" in empty  # the interpreter that runs this site, not whatever is first on the path

    make_user()

    assert "createsuperuser" not in client.get("/").content.decode()
