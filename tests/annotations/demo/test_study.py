"""The demo study: made once, labelled as simulated, with room for real people, and true to its own record."""

import io
from collections import Counter
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotations.models import (
    Adjudication,
    Audit,
    AuditItem,
    Auditor,
    ElementCheck,
    Item,
    Membership,
    MissedError,
    Rater,
    RepairJudgement,
    Response,
    Study,
    Verdict,
)
from annotations.services.audits.work import auditor_for, reserve
from annotations.services.demo.audit import N_AUDITORS, ROOM_FOR_AUDITORS
from annotations.services.demo.repairs import parts_there, true_place
from annotations.services.demo.study import N_RATERS, ROOM_FOR_PEOPLE, TITLE
from generation.models import Claim, Critique, Image, Method, MetricScore, Prompt
from generation.recipes.scenes import demo as scene_demo
from tests.databases.shared_rows import shared_rows

pytestmark = pytest.mark.django_db
PER_CATEGORY = 4
N_ITEMS = 3 * PER_CATEGORY * 2
SMALL = {"prompts_per_category": PER_CATEGORY}


@pytest.fixture(scope="module")
def printed(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A demo with fewer prompts, made once for all tests: to draw a picture takes a fifth of a second."""
    said = io.StringIO()
    with shared_rows(django_db_blocker):
        call_command("demo", base_url="http://testserver/", **SMALL, stdout=said)
        yield said.getvalue()


def links(printed: str) -> dict[str, str]:
    return {words[0]: words[1] for line in printed.splitlines() if len(words := line.split()) == 2 and "/s/" in line}


def test_it_is_made_whole_and_open(printed: str) -> None:
    study = Study.objects.get()
    assert (study.title, study.state, study.is_simulated) == (TITLE, Study.State.OPEN, True)
    assert study.items.count() == N_ITEMS
    assert set(Item.objects.values_list("taken", "wanted")) == {(N_RATERS, N_RATERS + ROOM_FOR_PEOPLE)}
    assert Response.objects.count() == N_ITEMS * N_RATERS
    assert Prompt.objects.count() == 3 * PER_CATEGORY
    assert Image.objects.filter(round=1, parent=None).count() == 0
    assert MetricScore.objects.count() == 3 * N_ITEMS
    assert "decomposition" in Prompt.objects.all()[0].metadata


def test_everything_simulated_says_so(printed: str) -> None:
    assert not Method.objects.filter(is_simulated=False).exists()
    assert not Image.objects.exclude(provenance__is_simulated=True).exists()
    assert not Critique.objects.exclude(provenance__is_simulated=True).exists()
    assert not MetricScore.objects.exclude(provenance__is_simulated=True).exists()
    auditors = Auditor.objects.all()
    assert len(auditors) == N_AUDITORS + 1
    assert {(auditor.kind, auditor.name.split()[0]) for auditor in auditors} == {(Rater.Kind.SIMULATED, "simulated")}
    simulated = Rater.objects.filter(kind=Rater.Kind.SIMULATED)
    assert simulated.count() == N_RATERS
    assert all(name.startswith("simulated") for name in simulated.values_list("name", flat=True))


def test_better_pictures_are_rated_better(printed: str) -> None:
    answers = Response.objects.filter(level__isnull=False).select_related("image")
    quality = [answer.image.provenance["truth"]["quality"] for answer in answers if answer.image]
    levels = [answer.level for answer in answers]
    assert np.corrcoef(quality, np.array(levels, dtype=float))[0, 1] > 0.4


def test_every_claim_is_judged_and_most_verdicts_are_true(printed: str) -> None:
    claims = list(Claim.objects.select_related("critique"))
    verdicts = Verdict.objects.filter(is_adjudication=False).select_related("claim__critique", "audit__item")
    per_claim = Counter(verdict.claim_id for verdict in verdicts)
    assert set(per_claim) == {claim.pk for claim in claims}
    assert set(per_claim.values()) == {2, N_AUDITORS}
    right = 0
    for verdict in verdicts:
        truth = verdict.claim.critique.provenance["truth"]["claims_right"][verdict.claim.rank - 1]
        right += truth == (verdict.value in (Verdict.Value.RIGHT, Verdict.Value.PARTLY))
        assert verdict.audit is not None
        assert verdict.claim_id in verdict.audit.claim_order
        assert verdict.audit.item.image_id == verdict.claim.critique.image_id
    assert right / len(verdicts) > 0.8
    sources = {(critique.source, critique.shown_image is None) for critique in Critique.objects.all()}
    assert sources == {(Critique.Source.CRITIC, True), (Critique.Source.WRONG_IMAGE, False)}


def test_listed_errors_are_true_ones_and_hold_the_claims_that_name_them(printed: str) -> None:
    listed = MissedError.objects.exclude(group=None).select_related("group", "image")
    assert listed
    for missed in listed:
        [error] = [e for e in missed.image.provenance["truth"]["errors"] if e["text"] == missed.text]
        assert missed.group is not None
        assert (missed.group.image_id, missed.group.text) == (missed.image_id, missed.text)
        named = missed.group.claims.filter(critique__source=Critique.Source.CRITIC)
        assert named.exists() == error["is_claimed"]
        if missed.stage == MissedError.Stage.AFTER:
            assert not error["is_claimed"]


def test_what_auditors_are_tied_on_was_settled_by_one_who_worked_on_no_image(printed: str) -> None:
    decided = Adjudication.objects.select_related("adjudicator")
    assert decided
    assert {(row.state, row.adjudicator and row.adjudicator.name) for row in decided} == {
        (Adjudication.State.DECIDED, f"simulated auditor {N_AUDITORS + 1:02d}")
    }
    assert set(decided.values_list("claim", flat=True)) == set(
        Verdict.objects.filter(is_adjudication=True).values_list("claim", flat=True)
    )
    assert not Audit.objects.filter(auditor__adjudications__isnull=False).exists()


def test_the_truth_about_pairs_is_that_of_the_recipe(printed: str) -> None:
    study = scene_demo.demo(0, PER_CATEGORY)
    images = {image.key: image for image in Image.objects.select_related("prompt")}
    rows = {
        (claim.critique.image.key, claim.rank): claim
        for claim in Claim.objects.filter(critique__source=Critique.Source.CRITIC).select_related("critique__image")
    }
    places: Counter[str] = Counter()
    for link, said in zip(study.links, study.critiques, strict=True):
        baseline, refined = images[link.baseline_key], images[link.refined_key]
        newly = {error.same_as for error in link.broken}
        for claim in said.claims:
            place = true_place(rows[said.image_key, claim.rank], baseline, refined)
            places[place] += 1
            assert (place in ("baseline", "both")) == claim.is_right
            if claim.is_right:
                assert (place == "baseline") == link.repaired(claim)
        spoiled = {part for part, is_there in parts_there(refined).items() if not is_there}
        assert spoiled >= {part for _kind, part, _detail in newly if part != "extra"}
        assert {e.about for e in link.unchanged if e.about != "extra"} <= spoiled
        assert (spoiled == set()) == all(e.about == "extra" for e in (*link.unchanged, *link.broken))
    assert min(places["baseline"], places["both"], places["none"]) > 0


def test_pairs_are_judged_mostly_by_the_truth_placebos_too(printed: str) -> None:
    pairs = AuditItem.objects.filter(kind=AuditItem.Kind.REPAIR)
    placebos = pairs.filter(control=AuditItem.Control.PLACEBO).select_related("image", "refined")
    assert len(pairs) == 3 * PER_CATEGORY + len(placebos)
    assert len(placebos) == 3
    assert all(pair.refined and pair.refined.sha256 == pair.image.sha256 for pair in placebos)
    judged = RepairJudgement.objects.select_related("claim", "audit__item__image", "audit__item__refined")
    true = 0
    for row in judged:
        item = row.audit.item
        assert item.refined is not None
        assert row.claim.critique.image_id == item.image_id
        true += row.place == true_place(row.claim, item.image, item.refined)
    assert true / len(judged) > 0.8
    checks = ElementCheck.objects.filter(audit__item__kind=AuditItem.Kind.CLAIMS).select_related(
        "audit__item__image__prompt"
    )
    agree = [(check.answer == "present") == parts_there(check.audit.item.image)[check.element] for check in checks]
    assert np.mean(agree) > 0.8


def test_the_demo_auditor_finds_single_images_and_then_pairs(printed: str, client: Client) -> None:
    study = Study.objects.get()
    items = AuditItem.objects.all()
    assert all(item.wanted - item.taken >= ROOM_FOR_AUDITORS for item in items)
    user = User.objects.get(username="demo-auditor")
    client.force_login(user)
    page = reverse("audit", args=[study.token])
    assert client.get(page, follow=True).status_code == 200
    auditor = auditor_for(study=study, user=user)
    kinds = []
    while audit := reserve(auditor=auditor, plan=study.audit_plan):
        if audit.item.kind not in kinds:
            answer = client.get(page, follow=True)
            assert (answer.status_code, audit.token in answer.content.decode()) == (200, True)
        kinds.append(audit.item.kind)
        audit.state, audit.lease_until, audit.finished_at = Audit.State.FINISHED, None, study.created_at
        audit.save()
    n_single = 3 * PER_CATEGORY
    assert kinds == [AuditItem.Kind.CLAIMS] * n_single + [AuditItem.Kind.REPAIR] * (len(items) - n_single)


def test_each_persona_comes_in_by_its_link_and_finds_its_work(printed: str, client: Client) -> None:
    study = Study.objects.get()
    assert set(links(printed)) == {"annotator", "auditor", "researcher"}
    for persona, link in links(printed).items():
        client.get(link.removeprefix("http://testserver"))
        home = client.get(reverse("home")).content.decode()
        assert study.title in home, persona
    researcher = User.objects.get(username="demo-researcher")
    assert researcher.has_perm("annotations.add_study")
    assert study.owner == researcher
    assert Membership.objects.get().role == Membership.Role.AUDITOR
    annotator = study.raters.get(user__username="demo-annotator")
    assert annotator.consented_at is not None
    client.force_login(User.objects.get(username="demo-annotator"))
    assert client.get(reverse("rate", args=[study.token]), follow=True).status_code == 200
    assert annotator.assignments.exists()


def test_again_it_changes_nothing_and_prints_fresh_links(printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    kept = (Study, Image, Response, User, AuditItem, Audit, Verdict, RepairJudgement, Adjudication, MissedError)
    before = [model.objects.count() for model in kept]
    with mock.patch("generation.services.demo.store_image", side_effect=AssertionError("drawn again")):
        call_command("demo", base_url="http://other:8001", **SMALL)
    again = capsys.readouterr().out
    assert [model.objects.count() for model in kept] == before
    assert all(link.startswith("http://other:8001/s/?sesame=") for link in links(again).values())
    assert "Drawing" not in again


def test_another_seed_is_another_study(printed: str) -> None:
    call_command("demo", seed=1, verbosity=0, **SMALL)
    assert Study.objects.count() == 2
    assert Prompt.objects.values("prompt_set").distinct().count() == 2
