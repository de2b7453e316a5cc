"""The demo study: made once, labelled as simulated, with room for real people, and true to its own record."""

from unittest import mock

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotations.models import Audit, Item, Membership, MissedError, Rater, Response, Study, Verdict
from annotations.services.demo import N_RATERS, ROOM_FOR_PEOPLE, TITLE
from annotations.services.demo_audit import N_AUDITORS
from generation.models import Claim, Critique, Image, Method, MetricScore, Prompt
from generation.recipes import scene_demo

pytestmark = pytest.mark.django_db
PER_CATEGORY = 4
N_ITEMS = 3 * PER_CATEGORY * 2


@pytest.fixture(autouse=True)
def _small_demo() -> object:
    """The same demo with fewer prompts: what it draws takes a fifth of a second a picture."""
    whole = scene_demo.demo
    with mock.patch("generation.services.demo.demo", lambda seed: whole(seed, PER_CATEGORY)):
        yield


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> str:
    call_command("demo", base_url="http://testserver/")
    return capsys.readouterr().out


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
    verdicts = Verdict.objects.select_related("claim__critique")
    assert len(verdicts) == len(claims) * N_AUDITORS
    assert Audit.objects.filter(state=Audit.State.FINISHED).count() == 3 * PER_CATEGORY * N_AUDITORS
    right = 0
    for verdict in verdicts:
        truth = verdict.claim.critique.provenance["truth"]["claims_right"][verdict.claim.rank - 1]
        right += truth == (verdict.value in (Verdict.Value.RIGHT, Verdict.Value.PARTLY))
        assert verdict.audit is not None
        assert verdict.claim_id in verdict.audit.claim_order
    assert right / len(verdicts) > 0.8
    sources = {(critique.source, critique.shown_image is None) for critique in Critique.objects.all()}
    assert sources == {(Critique.Source.CRITIC, True), (Critique.Source.WRONG_IMAGE, False)}


def test_listed_errors_are_true_ones_and_hold_the_claims_that_name_them(printed: str) -> None:
    listed = MissedError.objects.exclude(group=None).select_related("group", "image")
    assert listed
    for missed in listed:
        errors = missed.image.provenance["truth"]["errors"]
        assert missed.group is not None
        error = errors[missed.group.number - 1]
        assert missed.text == error["text"]
        named = missed.group.claims.filter(critique__source=Critique.Source.CRITIC)
        assert named.exists() == error["is_claimed"]
        if missed.stage == MissedError.Stage.AFTER:
            assert not error["is_claimed"]


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
    before = (Study.objects.count(), Image.objects.count(), Response.objects.count(), User.objects.count())
    with mock.patch("generation.services.demo.store_image", side_effect=AssertionError("drawn again")):
        call_command("demo", base_url="http://other:8001")
    again = capsys.readouterr().out
    assert (Study.objects.count(), Image.objects.count(), Response.objects.count(), User.objects.count()) == before
    assert all(link.startswith("http://other:8001/s/?sesame=") for link in links(again).values())
    assert "Drawing" not in again


def test_broken_off_it_is_begun_again(capsys: pytest.CaptureFixture[str]) -> None:
    with (
        mock.patch("annotations.services.demo.simulate_audit", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        call_command("demo")
    assert not Study.objects.exists()
    call_command("demo")
    assert Response.objects.count() == N_ITEMS * N_RATERS


def test_another_seed_is_another_study(printed: str) -> None:
    call_command("demo", seed=1, verbosity=0)
    assert Study.objects.count() == 2
    assert Prompt.objects.values("prompt_set").distinct().count() == 2
