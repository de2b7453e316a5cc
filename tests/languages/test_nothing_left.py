"""What a rater or an auditor sees in Arabic holds no English but what people wrote, keys and names."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from annotations.models import Assignment, Study
from annotations.questions import ALIGNMENT, PREFERENCE
from evalsite.accounts.links import link_to
from tests.annotations.audits.audit_rows import make_audited_study, make_auditor, make_open_plan
from tests.factories import make_answer, make_rater, make_study, make_user

pytestmark = pytest.mark.django_db
SILENT = {"script", "style", "kbd", "code", "samp", "svg"}
NAMES = {"evalsite", "API", "JSON", "Authorization", "Token", "KEY", "Enter", "Escape", "Shift", "UTC"}
SPOKEN = ("alt", "title", "aria-label", "placeholder", "aria-valuetext")
NOT_WORDS = {
    *("outbox", "user", "csrf", "session", "home", "upcoming", "answer", "widths", "token"),
    *("stage", "next", "here"),
}
"""Attributes of a card that hold addresses and numbers for the scripts; the others hold what the scripts say."""
DATA = {"study", "circle", "square", "number", "red", "blue", "above", "ruth", "rob"}
ASKED = set(f"{ALIGNMENT.question} {PREFERENCE.question}".replace("?", "").casefold().split())


class Words(HTMLParser):
    """Latin words of a page that are not in an element for data: `dir="auto"`, `bdi`, or another language."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_silent = tag in SILENT or tag == "bdi" or given.get("dir") == "auto" or given.get("lang") not in (None, "ar")
        if tag not in ("br", "img", "input", "link", "meta", "path", "circle", "hr"):
            self.open.append((tag, is_silent))
        if not is_silent:
            self.found += [word for name in SPOKEN for word in latin(given.get(name) or "")]
        if given.get("id") in ("stage", "audit"):
            names = [name for name in given if name.startswith("data-") and name[5:] not in NOT_WORDS]
            self.found += [word for name in names for word in latin(re.sub(r"{\w+}", "", given[name] or ""))]

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(is_silent for _tag, is_silent in self.open):
            self.found += latin(data)


def latin(text: str) -> Iterator[str]:
    return (word for word in re.findall(r"[A-Za-z]{3,}", text) if word not in NAMES)


def left(page: str) -> list[str]:
    reader = Words()
    reader.feed(page)
    return [word for word in reader.found if word.casefold() not in DATA | ASKED]


def in_arabic(user: object = None) -> Client:
    client = Client(headers={"accept-language": "ar"})
    if user is not None:
        client.force_login(user)  # type: ignore[arg-type]  # a rater's user is there
    return client


def test_a_word_that_is_left_is_found() -> None:
    assert left('<html lang="ar"><p>مرحبا hello <b dir="auto">data</b><img alt="a picture"></p>') == [
        "hello",
        "picture",
    ]


def test_pages_before_signing_in() -> None:
    study, draft = make_study(), make_study(state=Study.State.DRAFT)
    make_user("ruth")
    addresses = ["/", "/sign-in/", "/password/forgotten/", "/password/sent/", "/no/such/page/", "/s/?secret=wrong"]
    addresses += [f"/join/{study.invitation}/", f"/join/{draft.invitation}/", f"/join/{study.invitation}/declined/"]
    for address in addresses:
        assert left(in_arabic().get(address).content.decode()) == [], address
    refused = in_arabic().post(f"/join/{study.invitation}/", {"name": ""})
    assert left(refused.content.decode()) == []


def test_pages_of_a_rater() -> None:
    for kind, presets in ((Study.ItemKind.IMAGE, {}), (Study.ItemKind.PAIR, {"presets": (PREFERENCE,)})):
        rater = make_rater(make_study(item_kind=kind, **presets))
        client = in_arabic(rater.user)
        token = rater.study.token
        pages = {address: client.get(address) for address in ("/", f"/rate/{token}/", "/me/", "/me/link/", "/my-data/")}
        pages["refused"] = client.post(reverse("rate-answer", args=[token, Assignment.objects.latest("pk").token]))
        pages["withdraw"] = client.get(f"/my-data/{token}/erase/")
        pages["paused"] = client.post(f"/rate/{token}/pause/")
        for name, page in pages.items():
            assert left(page.content.decode()) == [], (name, page.status_code)


def test_the_end_of_a_study() -> None:
    study = make_study(n_items=1, k=1)
    rater = make_rater(study)
    make_answer(study.items.get(), rater, level=1)
    client = in_arabic(rater.user)
    assert left(client.get(f"/rate/{study.token}/").content.decode()) == []
    Study.objects.update(state=Study.State.CLOSED)
    assert left(client.get(f"/rate/{study.token}/").content.decode()) == []


def test_pages_of_an_auditor() -> None:
    study = make_audited_study(n_images=1, n_claims=2)
    make_open_plan(study)
    client = in_arabic(make_auditor(study).user)
    for address in ("/", f"/audit/{study.token}/"):
        assert left(client.get(address).content.decode()) == [], address


def test_a_personal_link_of_somebody_else() -> None:
    link = link_to(make_user("ruth"), "http://testserver")
    client = in_arabic(make_user("rob"))
    assert left(client.get(link, follow=True).content.decode()) == []
    assert settings.LANGUAGE_COOKIE_NAME not in client.cookies
