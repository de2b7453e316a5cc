"""Texts from files and forms are shown as texts: in pages, in reports, in charts, in downloads."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotations import dispatch
from annotations.models import Assignment, Dimension, Item, Rater, Study
from annotations.queries.audits import work as queries
from annotations.services.audits import answers, work
from annotations.services.audits.answers import ErrorListed
from annotations.services.rating import reserve
from generation.models import Image, ImportRun, Method, MetricScore, Prompt
from tests.annotations.audits.audit_rows import (
    do_audit,
    make_audited_study,
    make_auditor,
    make_critique,
    make_open_plan,
)
from tests.factories import add_items, make_answer, make_image, make_rater, make_user
from tests.security.crawling import crawl

pytestmark = pytest.mark.django_db
EVIL = "\"'><script>evil()</script><img src=x onerror=evil()><svg/onload=evil()>{{7*7}}"
FORMULA = '=HYPERLINK("http://evil.example")'


class Elements(HTMLParser):
    """Notes every element and attribute that one of our own texts would have become."""

    def __init__(self) -> None:
        super().__init__()
        self.evil: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if any(name.startswith("on") for name in names) or ("src", "x") in attrs:
            self.evil.append(f"{tag} {attrs}")
        if tag == "script" and not dict(attrs).get("src", "").startswith("/static/"):  # type: ignore[union-attr]
            self.evil.append(f"{tag} {attrs}")


def evil_study() -> Study:
    """A study in which every text that anybody may choose is an attack."""
    owner = make_user(f"olga{EVIL}"[:150], researcher=True, first_name=EVIL)
    study = make_audited_study(n_images=2, owner=owner, title=EVIL[:200], notes=EVIL, consent=EVIL, instructions=EVIL)
    add_items(study, n_items=2)
    Dimension.objects.filter(study=study).update(
        question=EVIL, levels=[{"value": str(i), "label": EVIL[:100]} for i in range(1, 6)]
    )
    for i, method in enumerate(Method.objects.all()):
        Method.objects.filter(pk=method.pk).update(name=f"{i}{EVIL}")
    for i, prompt in enumerate(Prompt.objects.all()):
        Prompt.objects.filter(pk=prompt.pk).update(
            text=f"{i}{EVIL}", category=f"{i % 2}{EVIL}"[:100], sub_category=EVIL[:100], key=f"{i}{EVIL}"
        )
    for i, image in enumerate(Image.objects.all()):
        Image.objects.filter(pk=image.pk).update(key=f"{i}{EVIL}", provenance={"facets": {EVIL: f"{i % 2}{EVIL}"}})
        MetricScore.objects.create(image=image, metric=EVIL[:100], version=EVIL[:100], value=i)
    for i, item in enumerate(Item.objects.all()):
        Item.objects.filter(pk=item.pk).update(key=f"{i}{EVIL}")
    raters = [make_rater(study, name=f"{i}{EVIL}") for i in range(2)]
    for i, item in enumerate(study.items.all()[:3]):
        for j, rater in enumerate(raters):
            make_answer(item, rater, level=(i + j) % 5)
    Assignment.objects.update(flag=FORMULA)
    for rater in raters:
        reserve(rater=Rater.objects.get(pk=rater.pk))
    for image in queries.study_images(study):
        make_critique(image, [f"{EVIL} claimed"], critic=f"critic {EVIL}"[:200])
    first = queries.study_images(study)[0]
    plan = make_open_plan(study, with_repair=True, pairs=[(first.pk, make_image(parent=first).pk)])
    for name, value in (("bea", "right"), ("cleo", "wrong")):
        auditor = make_auditor(study, f"{name}{EVIL}"[:150])
        while audit := work.reserve(auditor=auditor, plan=plan):
            listed = ErrorListed(key=f"k{audit.pk}", text=EVIL)
            answers.list_error(audit=audit, listed=listed, answered_at=timezone.now())
            do_audit(audit, value=value)
    reject = {"file": EVIL, "row": 1, "field": EVIL, "value": EVIL, "problem": EVIL, "cure": EVIL}
    ImportRun.objects.create(
        kind="prompts",
        owner=owner,
        file_name=EVIL,
        options={"options": {"prompt_set": EVIL}},
        state=ImportRun.State.DONE,
        ended_at=timezone.now(),
        message=EVIL,
        n_rejected=1,
        first_rejects=[reject],
    )
    dispatch.find_report(study=study, comparisons=[], user=owner)
    return study


def test_no_text_becomes_markup_and_no_cell_a_formula() -> None:
    study = evil_study()
    client = Client()
    client.force_login(study.owner)
    found = crawl(client, [reverse("home")])
    rater = study.raters.exclude(user=None)[0]
    assert rater.user is not None
    client.force_login(rater.user)
    found |= crawl(client, [reverse("rate", args=[study.token])])
    found |= crawl(Client(), [reverse("join", args=[study.invitation])])
    auditor = study.auditors.all()[0]
    assert auditor.user is not None
    client.force_login(auditor.user)
    found |= crawl(client, [reverse("audit", args=[study.token]), reverse("audit-back", args=[study.token])])

    assert not [url for url, answer in found.items() if answer.status >= 500]
    pages = {url: one for url, one in found.items() if re.search("^Content-Type: text/html", one.headers, re.MULTILINE)}
    for url, page in pages.items():
        parser = Elements()
        parser.feed(page.body.decode())
        assert not parser.evil, (url, parser.evil[:2])
    shown = [url for url, page in pages.items() if "evil()" in page.body.decode()]
    kinds = ("/items/", "/raters/", "/results/", "/critic/", "/claims/", "/settings/", "/rate/", "/audit/", "/join/")
    missing = [kind for kind in (*kinds, "/imports/", "report.html") if not any(kind in url for url in shown)]
    assert not missing, sorted(found)

    tables = {url: one.body.decode() for url, one in found.items() if "Content-Type: text/csv" in one.headers}
    assert any(FORMULA[1:].replace('"', '""') in text for text in tables.values())
    risky = [(url, line) for url, text in tables.items() for line in re.findall(r'(?m)(?:^|,)"?[=+@][A-Z].*', text)]
    assert risky == []
    for answer in found.values():
        for line in answer.headers.splitlines():
            if line.startswith("Content-Disposition"):
                assert re.fullmatch(r'[ -~]*filename="[\w.-]+"', line), line
