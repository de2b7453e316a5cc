"""An auditor crawls all they can reach: nothing names a critic, a method, a control, or another's verdict."""

import re
from collections.abc import Collection
from urllib.parse import urljoin

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from annotations.models import Adjudication, Audit, Auditor
from annotations.queries.audits import work as queries
from annotations.services.audits import adjudication, work
from generation.models import Critique, Image
from tests.annotations.audits.audit_rows import do_audit, make_audited_study, make_auditor, make_open_plan, user_of
from tests.factories import make_image, make_method
from tests.security.crawling import LINKS

pytestmark = pytest.mark.django_db


def crawl(client: Client, start: list[str], known: Collection[str] = ()) -> dict[str, str]:
    """Every address that can be reached by GET from the given ones → all that it answers, headers and bytes.

    Of those that are known, only the start page and the pages of audits are asked again: no other depends on the work.
    """
    answered: dict[str, str] = {}
    queue = list(start)
    while queue:
        url = queue.pop()
        path = url.split("#")[0]
        if path in answered or not path.startswith("/") or path.startswith("/static/"):
            continue
        if path in known and path != "/" and not path.startswith("/audit/"):
            continue
        response = client.get(path)
        body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
        text = body.decode("utf-8", "replace")
        answered[path] = f"{response.status_code} {dict(response.headers)} {text}"
        if "Location" in response.headers:
            queue.append(urljoin(path, response.headers["Location"]))
        if response.headers.get("Content-Type", "").startswith("text/html"):
            queue += [urljoin(path, link.replace("&amp;", "&")) for link in LINKS.findall(text)]
    return answered


def telling(auditor: Auditor) -> list[str]:
    """Words that would give a critic, a method, a control, a file or another auditor away."""
    words: set[str] = set()
    for critique in Critique.objects.all():
        words |= {critique.critic, critique.get_source_display(), critique.source, critique.critic_version}
    for image in Image.objects.select_related("method"):
        words |= {image.method.name, image.sha256, image.digest, image.file.name, image.shown.name, image.key}
    words |= {"placebo", "baseline", "refined", "wrong_image", "planted", "known_defects", "is_mirrored"}
    words |= set(Auditor.objects.exclude(pk=auditor.pk).values_list("name", flat=True))
    # "critic" is the name of a kind of claims in the database, and an English word on the page.
    return sorted(words - {"", "critic"})


def test_no_page_header_address_or_file_reveals_it() -> None:
    study = make_audited_study(n_images=2, n_claims=2, with_controls=True)
    first, second = queries.study_images(study).order_by("pk")
    baseline_method, refined_method = make_method("Method Alpha-1"), make_method("Method Omega-9")
    Image.objects.filter(pk__in=[first.pk, second.pk]).update(method=baseline_method)
    refined = make_image(parent=first, method=refined_method)
    plan = make_open_plan(
        study,
        with_repair=True,
        lists_first_share=0.5,
        clean=[second.pk],
        pairs=[(first.pk, refined.pk)],
        placebo_pairs=[(second.pk, second.pk)],
    )
    auditor, other, third = (make_auditor(study, name) for name in ("audrey-1", "bea-2", "cleo-3"))
    client = Client()
    client.force_login(user_of(auditor))
    answered: dict[str, str] = {}
    n_audits = 0
    while audit := work.reserve(auditor=auditor, plan=plan):
        n_audits += 1
        answered |= crawl(client, [reverse("audit", args=[study.token]), reverse("home")], answered)
        url = reverse("audit-missed", args=[study.token, audit.token])
        listed = client.post(url, {"key": f"k{n_audits}", "text": "an arm too many", "x": "0.5", "y": "0.5"})
        saved = client.post(
            reverse("audit-save", args=[study.token, audit.token]),
            {"e0": "nonsense"},
            headers={"accept": "application/json"},
        )
        answered |= {f"{url} {n_audits}": str(dict(listed.headers)), f"save {n_audits}": saved.content.decode()}
        do_audit(audit, value="wrong")
    answered |= crawl(
        client, [reverse("audit", args=[study.token]), reverse("audit-back", args=[study.token])], answered
    )
    assert n_audits == 4
    assert Audit.objects.filter(item__kind="repair", item__control="placebo").exists()

    # The other disagrees; the third decides, and sees no more than the first did.
    while audit := work.reserve(auditor=other, plan=plan):
        do_audit(audit, value="right")
    client.force_login(user_of(third))
    held = adjudication.reserve_adjudication(auditor=third, plan=plan, now=timezone.now())
    assert held
    assert Adjudication.objects.count() == 8
    decision = crawl(client, [reverse("audit-decide", args=[study.token, held.token])])

    assert len([path for path in answered if "/image/" in path]) == 6
    assert len([path for path in decision if "/image/" in path]) == 1
    for reader, pages in ((auditor, answered), (third, decision)):
        words = telling(reader)
        for path, text in pages.items():
            revealed = [word for word in words if word in path + text]
            assert not revealed, (path, revealed)


def test_addresses_an_auditor_might_guess_are_closed() -> None:
    study = make_audited_study(n_images=1, with_controls=True)
    make_open_plan(study)
    auditor = make_auditor(study)
    client = Client()
    client.force_login(user_of(auditor))
    client.get(reverse("audit", args=[study.token]))
    image, critique = queries.study_images(study).get(), Critique.objects.all()[0]
    guesses = [
        reverse("image-file", args=[image.pk]),
        reverse("study", args=[study.token]),
        reverse("study-items", args=[study.token]),
        reverse("study-audit", args=[study.token]),
        reverse("study-audit-claims", args=[study.token]),
        reverse("study-audit-image", args=[study.token, image.pk]),
        reverse("study-audit-matching", args=[study.token]),
        reverse("study-audit-match", args=[study.token, image.pk]),
    ]
    assert {client.get(url).status_code for url in guesses} == {403}
    posts = [
        reverse("study-audit-split", args=[study.token, critique.pk]),
        reverse("study-audit-plant", args=[study.token, image.pk]),
        reverse("study-audit-state", args=[study.token]),
    ]
    assert {client.post(url, {"state": "closed"}).status_code for url in posts} == {403}


def test_a_placebo_and_a_real_pair_cannot_be_distinguished_by_their_page() -> None:
    study = make_audited_study(n_images=1, n_claims=1)
    baseline = queries.study_images(study).get()
    refined = make_image(parent=baseline)
    plan = make_open_plan(
        study, with_repair=True, pairs=[(baseline.pk, refined.pk)], placebo_pairs=[(baseline.pk, baseline.pk)]
    )
    auditor = make_auditor(study)
    client = Client()
    client.force_login(user_of(auditor))
    pages = {}
    while audit := work.reserve(auditor=auditor, plan=plan):
        page = client.get(reverse("audit", args=[study.token])).content.decode()
        # What is random or counts on is the same blank in both.
        page = re.sub(
            r"csrf\w*\W+value=\"\w+\"|data-csrf=\"\w+\"|name=\"key\" value=\"\w+\"", "", page.replace(audit.token, "T")
        )
        pages[audit.item.control or audit.item.kind] = re.sub(r"\d of \d|value=\"\d\" max=\"\d\"", "", page)
        do_audit(audit)
    assert pages["placebo"] == pages["repair"]


def every_address(values: dict[str, object]) -> list[str]:
    """Each address of the site, static files and the sign-out aside, with what an auditor knows put in its places."""
    found: list[str] = []

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> None:
        for pattern in patterns:
            route = before + str(pattern.pattern).lstrip("^").replace("\\Z", "").replace("$", "")
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, route)
                continue
            route = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route)
            filled = re.sub(r"<(?:(\w+):)?(\w+)>", lambda m: str(values.get(m[2], 1 if m[1] == "int" else "x")), route)
            found.append("/" + filled.replace("\\.", ".").replace("/?", "/"))

    walk(get_resolver().url_patterns, "")
    return [address for address in found if not address.startswith(("/static", "/sign-out"))]


def test_no_address_of_the_whole_site_reveals_it_to_an_auditor() -> None:
    study = make_audited_study(n_images=1, n_claims=2, with_controls=True)
    image = queries.study_images(study).get()
    Image.objects.filter(pk=image.pk).update(method=make_method("Method Alpha-1"))
    plan = make_open_plan(study)
    auditor, other = make_auditor(study, "audrey-1"), make_auditor(study, "bea-2")
    seen = work.reserve(auditor=other, plan=plan)
    audit = work.reserve(auditor=auditor, plan=plan)
    assert seen
    assert audit
    do_audit(seen)
    client = Client(raise_request_exception=False)
    client.force_login(user_of(auditor))
    claim = audit.claim_order[0]
    names = {
        word for word in telling(auditor) if word not in {"baseline", "refined", "placebo", "planted", "wrong_image"}
    }
    names -= {"known_defects", "is_mirrored", *Critique.Source.labels}

    n_pages = 0
    asked: set[str] = set()
    for audit_token in (audit.token, seen.token):
        values = {
            "token": study.token,
            "study_token": study.token,
            "image_id": image.pk,
            "critique_id": Critique.objects.all()[0].pk,
            "claim_id": claim,
            "invitation": study.invitation,
            "pk": image.pk,
            "id": image.pk,
        }
        addresses = every_address(values) + every_address(values | {"token": audit_token, "place": 0})
        new = [address for address in dict.fromkeys(addresses) if address not in asked]
        asked.update(new)
        for address in new:
            response = client.get(address)
            body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
            text = f"{address} {dict(response.headers)} {body.decode('utf-8', 'replace')}"
            assert response.status_code < 500, address
            told = [name for name in names if name in text]
            assert not told, (address, response.status_code, told)
            n_pages += response.status_code == 200
    assert n_pages >= 8
