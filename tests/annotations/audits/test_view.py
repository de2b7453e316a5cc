"""Auditing pages as an auditor's browser meets them, with and without a script."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from annotations.models import (
    Adjudication,
    Audit,
    Auditor,
    AuditPlan,
    ElementCheck,
    Membership,
    MissedError,
    RepairJudgement,
    Study,
    Verdict,
)
from annotations.queries.audits import work as queries
from annotations.services.audits import work
from generation.models import Claim, Decomposition, Prompt
from tests.annotations.audits.audit_rows import (
    do_audit,
    make_audited_study,
    make_auditor,
    make_critique,
    make_open_plan,
    user_of,
)
from tests.factories import make_image, make_member, make_reference, make_user

pytestmark = pytest.mark.django_db
JSON = {"accept": "application/json"}


def signed_in(auditor: Auditor) -> Client:
    client = Client()
    client.force_login(user_of(auditor))
    return client


def page_of(client: Client, study: Study) -> str:
    return client.get(reverse("audit", args=[study.token])).content.decode()


def save_url(study: Study) -> str:
    return reverse("audit-save", args=[study.token, Audit.objects.get().token])


def all_answers(audit: Audit) -> dict[str, str]:
    elements = {f"e{place}": "present" for place in range(3)}
    return elements | {f"c{place}": "right" for place in range(len(audit.claim_order))}


class TestPage:
    def test_it_shows_prompt_image_parts_and_claims(self) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study)
        page = page_of(signed_in(make_auditor(study)), study)
        for claim in Claim.objects.all():
            assert claim.text in page
        assert queries.study_images(study).get().prompt.text in page
        assert "red circle above blue square" in page
        assert "0 of 1" in page

    def test_claims_wait_until_the_own_list_is_closed(self) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study, lists_first_share=1.0)
        client = signed_in(make_auditor(study))
        page = page_of(client, study)
        assert not [claim.text for claim in Claim.objects.all() if claim.text in page]

        refused = client.post(save_url(study), {"c0": "right"}, headers=JSON)
        assert refused.status_code == 400
        assert "own list first" in refused.json()["problem"]
        assert not Verdict.objects.exists()

        client.post(save_url(study), {"then": "seal"})
        page = page_of(client, study)
        assert all(claim.text in page for claim in Claim.objects.all())

    def test_a_pair_is_described_in_terms_of_baseline_and_refined_whatever_the_sides(self) -> None:
        study = make_audited_study(n_images=1, n_claims=1)
        baseline = queries.study_images(study).get()
        refined = make_image(parent=baseline)
        pairs = [(baseline.pk, refined.pk)]
        plan = make_open_plan(study, with_repair=True, pairs=pairs, placebo_share=0, auditors_per_image=20)
        sides = set()
        for _ in range(8):
            auditor = make_auditor(study)
            audit = work.reserve(auditor=auditor, plan=plan)
            assert audit
            do_audit(audit)
            client = signed_in(auditor)
            page_of(client, study)
            pair = Audit.objects.get(auditor=auditor, item__refined=refined)
            sides.add(pair.is_mirrored)
            shown = b"".join(client.get(reverse("audit-image", args=[pair.token, 0])).streaming_content)  # type: ignore[attr-defined]
            assert shown == (refined if pair.is_mirrored else baseline).shown.open("rb").read()
            where_baseline = "right" if pair.is_mirrored else "left"
            url = reverse("audit-save", args=[study.token, pair.token])
            answers = {"e0": where_baseline, "e1": "both", "e2": "none", "c0": where_baseline}
            client.post(url, answers, headers=JSON)
            client.post(
                reverse("audit-missed", args=[study.token, pair.token]),
                {"key": "k", "text": "a third eye", "side": where_baseline, "x": "0.5", "y": "0.5"},
                headers=JSON,
            )
            assert RepairJudgement.objects.get(audit=pair).outcome == "fixed"
            checks = ElementCheck.objects.filter(audit=pair).order_by("element").values_list("answer", flat=True)
            assert list(checks) == ["baseline", "both", "none"]
            assert MissedError.objects.get(audit=pair).image == baseline
            # The page gives back the side on which it was answered.
            assert re.search(rf'name="c0" value="{where_baseline}"[^>]* checked', page_of(client, study))
        assert sides == {True, False}

    def test_there_is_nothing_before_it_is_open_and_thanks_at_the_end(self) -> None:
        study = make_audited_study(n_images=1)
        auditor = make_auditor(study)
        client = signed_in(auditor)
        assert "Nothing to judge yet" in page_of(client, study)
        plan = make_open_plan(study)
        audit = work.reserve(auditor=auditor, plan=plan)
        assert audit
        do_audit(audit)
        assert "You are done" in page_of(client, study)
        AuditPlan.objects.update(state="closed")
        assert "closed" in page_of(client, study)

    def test_an_auditor_waits_while_another_holds_the_last_one(self) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study, auditors_per_image=1)
        page_of(signed_in(make_auditor(study)), study)
        assert "Nothing to do right now" in page_of(signed_in(make_auditor(study)), study)


class TestSaving:
    def test_by_script_one_answer_at_a_time(self) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study)
        client = signed_in(make_auditor(study))
        page_of(client, study)
        sent = {"c1": "wrong", "c1-reason": "misread", "answered_ms_ago": "5000", "active_ms": "4200"}

        outcomes = [client.post(save_url(study), sent, headers=JSON).json()["outcome"] for _ in range(2)]

        assert outcomes == ["saved", "unchanged"]
        verdict = Verdict.objects.get()
        assert (verdict.value, verdict.reason, verdict.active_ms) == ("wrong", "misread", 4200)
        assert verdict.claim_id == Audit.objects.get().claim_order[1]
        assert verdict.received_at is not None
        assert 4 < (verdict.received_at - verdict.answered_at).total_seconds() < 6

    def test_a_severity_belongs_to_an_error_and_a_reason_to_a_wrong_claim(self) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study)
        client = signed_in(make_auditor(study))
        page_of(client, study)
        leftover = {"c0-severity": "major", "c0-reason": "misread"}
        for value, expected in (("partly", ("major", "")), ("wrong", ("", "misread")), ("cannot_tell", ("", ""))):
            client.post(save_url(study), leftover | {"c0": value}, headers=JSON)
            verdict = Verdict.objects.get(is_current=True)
            assert (verdict.severity, verdict.reason) == expected

    @pytest.mark.parametrize(
        "sent",
        [{"c0": "maybe"}, {"e0": "left"}, {"c0": "wrong", "c0-reason": "7"}, {"c0": "right", "c0-severity": "x"}],
    )
    def test_what_was_not_offered_is_refused(self, sent: dict[str, str]) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study)
        client = signed_in(make_auditor(study))
        page_of(client, study)
        assert client.post(save_url(study), sent, headers=JSON).status_code == 400
        assert not Verdict.objects.exists()
        assert not ElementCheck.objects.exists()

    def test_a_plain_form_finishes_and_is_led_on(self) -> None:
        study = make_audited_study(n_images=2)
        make_open_plan(study)
        client = signed_in(make_auditor(study))
        page_of(client, study)
        audit = Audit.objects.get()

        response = client.post(save_url(study), all_answers(audit) | {"then": "finish"}, follow=True)

        assert "Saved ✓" in response.content.decode()
        assert "1 of 2" in response.content.decode()
        audit.refresh_from_db()
        assert audit.state == Audit.State.FINISHED

    def test_finishing_with_something_open_says_what_and_keeps_the_rest(self) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study)
        client = signed_in(make_auditor(study))
        page_of(client, study)
        answers = all_answers(Audit.objects.get()) | {"c1": "wrong", "then": "finish"}

        response = client.post(save_url(study), answers)

        page = response.content.decode()
        assert response.status_code == 400
        assert "1 answer is missing" in page
        assert re.search(r'class="ask[^"]* is-open" data-name="c1"', page)
        assert Verdict.objects.count() == 2
        assert Audit.objects.get().state == Audit.State.LEASED

    def test_back_leads_to_the_last_image_where_a_verdict_can_be_changed(self) -> None:
        study = make_audited_study(n_images=2, n_claims=1)
        plan = make_open_plan(study)
        auditor = make_auditor(study)
        audit = work.reserve(auditor=auditor, plan=plan)
        assert audit
        do_audit(audit)
        client = signed_in(auditor)
        page_of(client, study)
        page = client.get(reverse("audit-back", args=[study.token]), follow=True).content.decode()
        assert audit.token in page
        url = reverse("audit-save", args=[study.token, audit.token])
        client.post(url, {"c0": "partly", "then": "finish"})
        assert list(Verdict.objects.order_by("pk").values_list("value", flat=True)) == ["right", "partly"]


class TestListing:
    def test_an_error_with_a_box_a_point_or_a_rough_place(self) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study)
        client = signed_in(make_auditor(study))
        page_of(client, study)
        url = reverse("audit-missed", args=[study.token, Audit.objects.get().token])
        for sent in (
            {"key": "1", "text": " no  hat ", "x": "0.9", "y": "0.2", "width": "0.3", "height": "0.1", "about": "r1"},
            {"key": "2", "text": "point", "x": "0.25", "y": "0.5", "kind": "relation", "severity": "major"},
            {"key": "3", "text": "rough", "where": "6"},
            {"key": "4", "text": "nowhere", "kind": "no such kind", "about": "no such part"},
        ):
            assert client.post(url, sent, headers=JSON).json() == {"outcome": "saved"}

        box, point, rough, nowhere = MissedError.objects.order_by("pk")
        assert (box.text, box.about) == ("no hat", "r1")
        assert (box.x, box.y, box.height) == (0.9, 0.2, 0.1)
        assert box.width == pytest.approx(0.1)  # cut at the image's edge
        assert (point.x, point.width, point.kind, point.severity) == (0.25, None, "relation", "major")
        assert (rough.x, rough.y) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
        assert (nowhere.x, nowhere.kind, nowhere.about) == (None, "", "")

    @pytest.mark.parametrize(
        "sent", [{"key": "1", "text": " "}, {"text": "x"}, {"key": "1", "text": "x", "x": "2", "y": "0"}]
    )
    def test_what_cannot_be_stored_is_refused_with_the_words_kept(self, sent: dict[str, str]) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study)
        client = signed_in(make_auditor(study))
        page_of(client, study)
        url = reverse("audit-missed", args=[study.token, Audit.objects.get().token])
        assert client.post(url, sent, headers=JSON).status_code == 400
        page = client.post(url, sent)
        assert page.status_code == 400
        assert f'value="{sent["text"]}"' in page.content.decode()
        assert not MissedError.objects.exists()

    def test_taking_one_back(self) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study, lists_first_share=1.0)
        client = signed_in(make_auditor(study))
        page_of(client, study)
        token = Audit.objects.get().token
        for key in ("1", "2"):
            client.post(reverse("audit-missed", args=[study.token, token]), {"key": key, "text": f"error {key}"})
        url = reverse("audit-withdraw", args=[study.token, token])
        client.post(url, {"key": "1"})
        client.post(save_url(study), {"then": "seal"})
        assert client.post(url, {"key": "2"}, headers=JSON).status_code == 400
        assert [error.text for error in queries.listed_errors(Audit.objects.get())] == ["error 2"]


def test_a_third_auditor_decides_without_seeing_what_was_said() -> None:
    study = make_audited_study(n_images=1, n_claims=1)
    plan = make_open_plan(study)
    for value in ("right", "wrong"):
        audit = work.reserve(auditor=make_auditor(study), plan=plan)
        assert audit
        do_audit(audit, value=value)
    third = make_auditor(study)
    client = signed_in(third)
    page = page_of(client, study)
    assert "Others disagree on this claim" in page
    assert " checked" not in page
    token = Adjudication.objects.get().token
    url = reverse("audit-decide-save", args=[study.token, token])
    assert client.get(reverse("audit-image", args=[token, 0])).status_code == 200
    assert client.post(url, {"c0": "wrong"}).status_code == 400

    response = client.post(url, {"c0": "wrong", "c0-reason": "elsewhere"}, follow=True)

    assert "You are done" in response.content.decode()
    verdict = Verdict.objects.get(is_adjudication=True)
    assert (verdict.auditor, verdict.value, verdict.reason) == (third, "wrong", "elsewhere")


class TestRights:
    def test_others_find_nothing(self) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study)
        page_of(signed_in(make_auditor(study)), study)
        token = Audit.objects.get().token
        urls = [reverse("audit-work", args=[study.token, token]), reverse("audit-image", args=[token, 0])]
        others = [user_of(make_auditor(study)), study.owner, make_member(study), make_user()]
        for other in others:
            client = Client()
            client.force_login(other)
            assert {client.get(url).status_code for url in urls} == {404}
            assert client.post(reverse("audit-save", args=[study.token, token]), {"c0": "right"}).status_code == 404
        for other in others[1:]:
            client = Client()
            client.force_login(other)
            assert client.get(reverse("audit", args=[study.token])).headers["Location"] == reverse("home")
        assert Client().get(urls[0]).headers["Location"].startswith(reverse("sign-in"))

    def test_who_is_an_auditor_no_more_gets_nothing_more(self) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study)
        auditor = make_auditor(study)
        client = signed_in(auditor)
        page_of(client, study)
        token = Audit.objects.get().token
        Membership.objects.all().delete()
        assert client.get(reverse("audit-work", args=[study.token, token])).status_code == 404
        assert client.get(reverse("audit-image", args=[token, 0])).status_code == 404

    def test_auditors_are_not_raters(self) -> None:
        study = make_audited_study(n_images=1)
        make_open_plan(study)
        client = signed_in(make_auditor(study))
        page_of(client, study)
        assert not study.raters.exists()
        assert client.get(reverse("rate", args=[study.token])).headers["Location"] == reverse("home")


def test_a_new_decomposition_changes_the_lists_of_later_audits_alone() -> None:
    """Answers name parts by their ids: under way, "e1" must not come to mean something else."""
    running, planned = make_audited_study(n_images=1), make_audited_study(n_images=1)
    made = {"entities": [{"id": "e1", "text": "a lighthouse"}], "relations": []}
    make_open_plan(running)
    for prompt in Prompt.objects.all():
        Decomposition.objects.create(prompt=prompt, graph=made, digest="made")
    make_open_plan(planned)
    before, after = (page_of(signed_in(make_auditor(study)), study) for study in (running, planned))
    assert "red circle above blue square" in before
    assert "a lighthouse" not in before
    assert "a lighthouse" in after
    assert "red circle above blue square" not in after


def test_the_queries_of_a_page_do_not_grow(django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    study = make_audited_study(n_images=1, n_claims=3)
    for i in range(20):
        make_critique(queries.study_images(study).get(), [f"More {i}.", f"Still more {i}."], critic=f"critic {i}")
    make_open_plan(study)
    client = signed_in(make_auditor(study))
    page_of(client, study)
    with django_assert_max_num_queries(18):
        page_of(client, study)


def test_the_reference_image_of_a_study_s_cards_is_shown_to_auditors() -> None:
    study = make_audited_study(n_images=2)
    first, second = study.items.order_by("position")
    reference = make_reference(first.prompt, size=(64, 32))
    make_reference(second.prompt)  # imported after the study was made: no card shows it
    first.frozen = {"reference": {"id": reference.pk, "width": 64, "height": 32, "sha256": reference.sha256}}
    first.save()
    plan = make_open_plan(study)
    auditor = make_auditor(study)
    client = signed_in(auditor)
    met = set()
    for shows_reference, is_last in ((False, False), (True, True), (True, True)):
        Study.objects.filter(pk=study.pk).update(shows_reference=shows_reference)
        page = page_of(client, study)
        audit = Audit.objects.get(state=Audit.State.LEASED)
        address = reverse("audit-image", args=[audit.token, 1])
        is_shown = shows_reference and audit.item.image.prompt == first.prompt
        assert (f'<img src="{address}" width="64" height="32"' in page) == is_shown
        assert client.get(address).status_code == (200 if is_shown else 404)
        if is_shown:
            shown = client.get(address)
            assert b"".join(shown.streaming_content) == reference.shown.open("rb").read()  # type: ignore[attr-defined]
        if is_last:
            met.add(audit.item.image.prompt_id)
            do_audit(Audit.objects.select_related("plan__study", "item__image__prompt").get(pk=audit.pk))
    assert met == {first.prompt_id, second.prompt_id}
    assert plan.items.count() == 2
