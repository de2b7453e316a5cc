"""Annotator and auditor of the demo study look at everything they can reach: nothing reveals what made an image."""

import io
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.urls.converters import IntConverter
from PIL import Image as PillowImage

from annotations.models import Assignment, Audit, Auditor, Item, Rater, Study
from generation.models import Claim, Critique, Image, Method, MetricScore, Prompt
from tests.annotations.audits.audit_rows import do_audit
from tests.databases.shared_rows import shared_rows
from tests.security.crawling import Answer, answer_of, crawl

pytestmark = pytest.mark.django_db
ROLES = ("baseline", "refined", "refinement", "placebo", "planted", "wrong_image", "wrong image", "provenance", "truth")
SHORT = 4


@pytest.fixture(scope="module")
def images(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The demo with two prompts of each category, made once; its twelve images are in this folder."""
    folder = tmp_path_factory.mktemp("demo") / "images"
    with shared_rows(django_db_blocker):
        call_command("demo", base_url="http://testserver", prompts_per_category=2, stdout=io.StringIO())
        shutil.move(default_storage.location, folder)
        yield folder


@pytest.fixture(autouse=True)
def _small_demo(images: Path, _temporary_storage: None) -> None:
    shutil.copytree(images, default_storage.location, copy_function=os.link, dirs_exist_ok=True)


def telling() -> set[str]:
    """Whatever would give away a method, a critic, a metric, a score, a file, or another person's answer."""
    words = {*ROLES, *Method.objects.values_list("name", flat=True)}
    words |= {*Critique.objects.values_list("critic", flat=True), *MetricScore.objects.values_list("metric", flat=True)}
    for value in MetricScore.objects.values_list("value", flat=True):
        words |= {repr(value), f"{value:.4f}"}
    for row in Image.objects.values_list("key", "sha256", "digest", "file", "shown"):
        words |= set(row)
    words |= {name.rpartition("/")[2] for name in Image.objects.values_list("shown", flat=True)}
    words |= {*Item.objects.values_list("key", flat=True)}
    words |= {*Rater.objects.values_list("name", flat=True), *Auditor.objects.values_list("name", flat=True)}
    return {word.casefold() for word in words if len(word) >= SHORT}


def told(answers: list[Answer], allowed: set[str]) -> list[tuple[str, str]]:
    """(address, word) for every revealing word in an answer."""
    words = "|".join(re.escape(word) for word in sorted(telling() - allowed, key=len, reverse=True))
    pattern = re.compile(rf"(?<!\d)(?:{words})")  # the seconds of a time are not a score
    return [(one.url, found) for one in answers for found in pattern.findall(one.everything.casefold())]


SAME_FOR_ALL = {"api-schema", "api-docs"}
"""Descriptions of the API: they name everything that there may be, and hold nothing of any study."""


def guesses(study: Study) -> list[str]:
    """Every address of the site, filled with what this person knows or may guess."""
    known = {"token": study.token, "study_token": study.token, "invitation": study.invitation, "ending": "csv"}
    numbers = {"image_id": Image.objects.all()[0].pk, "critique_id": Critique.objects.all()[0].pk}
    values = known | numbers | {"place": 0, "kind": "prompts"}
    prompt = Prompt.objects.all()[0]
    values |= {"prompt_id": prompt.pk, "set_id": prompt.prompt_set_id}
    found = []
    resolvers = [get_resolver()]
    while resolvers:
        for entry in resolvers.pop().url_patterns:
            if not isinstance(entry, URLPattern):
                resolvers += [entry] if entry.namespace != "admin" else []
            else:
                given = {
                    key: values.get(key, 1 if isinstance(converter, IntConverter) else "answers")
                    for key, converter in entry.pattern.converters.items()
                }
                if entry.name not in SAME_FOR_ALL:
                    found.append(reverse(str(entry.name), kwargs=given))
    return found


def test_an_annotator_learns_nothing() -> None:
    study, user = Study.objects.get(), User.objects.get(username="demo-annotator")
    client = Client()
    client.force_login(user)
    answers = list(crawl(client, [*guesses(study), reverse("home")]).values())
    n_cards = 0
    while card := Assignment.objects.filter(rater__user=user, state=Assignment.State.LEASED).first():
        n_cards += 1
        ahead = reverse("rate-upcoming", args=[study.token]) + f"?after={card.token}&n=3"
        own_card, image = (
            reverse("rate-card", args=[study.token, card.token]),
            reverse("rate-image", args=[card.token, 0]),
        )
        answers += [answer_of(one, client.get(one)) for one in (ahead, own_card, image)]
        url = reverse("rate-answer", args=[study.token, card.token])
        dimension = study.dimensions.get().pk
        for accept in ("application/json", "text/html"):  # by script, then once more as a plain form
            sent = {f"d{dimension}-0": str(n_cards % 5), "flag": "odd", "after": card.token}
            answers.append(answer_of(url, client.post(url, sent, headers={"accept": accept})))
        answers.append(answer_of(url, client.post(url, {f"d{dimension}-0": "77"})))
        answers.append(answer_of("next", client.get(reverse("rate", args=[study.token]))))
    answers += crawl(client, [reverse("rate-back", args=[study.token]), reverse("home")]).values()

    assert n_cards == study.items.count() == 12
    assert len({one.body for one in answers if "/rate/image/" in one.url}) > 1
    own = {Rater.objects.get(user=user).name.casefold()}
    assert told(answers, own) == []


def held_with_claims(client: Client, study: Study, user: User) -> Audit:
    """The first work of this auditor that has claims; what comes before is done."""
    while True:
        client.get(reverse("audit", args=[study.token]))
        held = Audit.objects.get(auditor__user=user, state=Audit.State.LEASED)
        if held.claim_order:
            return held
        do_audit(held)


def test_an_auditor_learns_nothing() -> None:
    study, user = Study.objects.get(), User.objects.get(username="demo-auditor")
    client = Client()
    client.force_login(user)
    answers = list(crawl(client, [*guesses(study), reverse("home")]).values())
    held = held_with_claims(client, study, user)
    work = [study.token, held.token]
    listed = {"key": "k1", "text": "an arm too many", "where": "5"}
    posts: tuple[tuple[str, dict[str, str]], ...] = (
        ("audit-missed", listed),
        ("audit-save", {"then": "seal"}),
        ("audit-save", {"e0": "present", "c0": "right", "c0-severity": "major"}),
        ("audit-save", {"then": "finish"}),
        ("audit-withdraw", {"key": "k1"}),
        ("audit-save", {"c99": "right", "e0": "nonsense"}),
    )
    for name, sent in posts:
        url = reverse(name, args=work)
        for accept in ("application/json", "text/html"):
            answers.append(answer_of(url, client.post(url, sent, headers={"accept": accept})))
        answers += crawl(client, [reverse("audit-work", args=work)]).values()

    pages = [one for one in answers if one.url == reverse("audit-work", args=work)]
    claims = Claim.objects.filter(pk__in=held.claim_order)
    assert claims
    assert all(claim.text in one.body.decode() for one in pages[-1:] for claim in claims)
    assert told(answers, {str(user).casefold(), "demo-auditor"}) == []


def test_claims_are_nowhere_before_the_auditors_own_list_is_closed() -> None:
    study, user = Study.objects.get(), User.objects.get(username="demo-auditor")
    study.audit_plan.lists_first_share = 1.0
    study.audit_plan.save()
    client = Client()
    client.force_login(user)
    held = held_with_claims(client, study, user)
    assert held.lists_first
    found = crawl(client, [reverse("audit", args=[study.token]), reverse("audit-work", args=[study.token, held.token])])
    texts = {claim.text for claim in Claim.objects.filter(pk__in=held.claim_order)}
    early = client.post(
        reverse("audit-save", args=[study.token, held.token]), {"c0": "right"}, headers={"accept": "application/json"}
    )
    pages = "\n".join(one.everything for one in found.values()) + early.content.decode()
    assert texts
    assert not [text for text in texts if text in pages]


def test_images_are_pixels_alone_in_one_format_under_changing_addresses() -> None:
    """No metadata, no name, no date, no tag of the content; two raters get one image under two addresses."""
    Study.objects.update(batch_size=12)  # so that both get all
    study = Study.objects.get()
    addresses: list[dict[int, str]] = []
    for name in ("demo-annotator", "second"):
        user = User.objects.filter(username=name).first() or User.objects.create_user(name)
        client = Client()
        client.force_login(user)
        client.post(reverse("join", args=[study.invitation]), {"consent": "on"})
        Rater.objects.filter(user=user).update(came_by_invitation=False)  # so that nobody is held to the first few
        client.get(reverse("rate", args=[study.token]))
        seen = {}
        for card in Assignment.objects.filter(rater__user=user):
            url = reverse("rate-image", args=[card.token, 0])
            seen[card.item_id] = url
            response = client.get(url)
            content = response.getvalue()
            picture = PillowImage.open(io.BytesIO(content))
            assert (picture.format, content[12:16]) == ("WEBP", b"VP8L")  # the simple container: no room for more
            assert not picture.getexif()
            assert {"ETag", "Last-Modified"}.isdisjoint(response.headers)
            assert response.headers["Content-Disposition"] == 'inline; filename="image.webp"'
        addresses.append(seen)
    shared = addresses[0].keys() & addresses[1].keys()
    assert shared
    assert all(addresses[0][item] != addresses[1][item] for item in shared)
