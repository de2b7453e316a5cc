"""Whole audits that are stored at once equal those that people gave."""

import pytest
from django.db import IntegrityError

from annotations.models import Adjudication, Audit, Auditor, ElementCheck, MissedErrorGroup, RepairJudgement, Verdict
from annotations.queries.audits import overview as overviews
from annotations.queries.audits import work as queries
from annotations.services import deletion
from annotations.services.audits import (
    SimulatedAudit,
    SimulatedGroup,
    SimulatedListing,
    SimulatedVerdict,
    make_plan,
    record_simulated_adjudications,
    record_simulated_audits,
    record_simulated_groups,
)
from annotations.services.audits.answers import Mark, RepairGiven
from generation.models import Claim
from tests.annotations.audits.audit_rows import make_audited_study
from tests.factories import make_image

pytestmark = pytest.mark.django_db


def test_audits_disagreements_decisions_and_groups() -> None:
    study = make_audited_study(n_images=2, n_claims=2)
    first, second = queries.study_images(study).order_by("pk")
    refined = make_image(parent=first)
    plan = make_plan(study=study, with_repair=True, pairs=[(first.pk, refined.pk)], placebo_share=0)
    claims = {image.pk: list(Claim.objects.filter(critique__image=image)) for image in (first, second)}
    audits = []
    for auditor, value in (("simulated auditor 01", "right"), ("simulated auditor 02", "wrong")):
        for image in (first, second):
            verdicts = [SimulatedVerdict(claims[image.pk][0].pk, value, reason="misread" if value == "wrong" else "")]
            verdicts.append(SimulatedVerdict(claims[image.pk][1].pk, "partly", severity="major", active_ms=900))
            listed = [SimulatedListing(f"hat-{image.pk}", "no hat", "before", mark=Mark(0.1, 0.2, 0.3, 0.4))]
            audits.append(
                SimulatedAudit(
                    auditor, image.pk, lists_first=True, verdicts=verdicts, listed=listed, elements={"e1": "present"}
                )
            )
    audits.append(
        SimulatedAudit(
            "simulated auditor 01",
            first.pk,
            refined.pk,
            repairs=[RepairGiven(claims[first.pk][0].pk, "baseline"), RepairGiven(claims[first.pk][1].pk, "both")],
            listed=[SimulatedListing("new", "a third eye", "repair", is_in_refined=True)],
            elements={"r1": "both"},
        )
    )

    made = record_simulated_audits(plan=plan, audits=audits)

    figures = overviews.figures(plan)
    assert (figures.n_finished, figures.n_wanted, figures.n_verdicts, figures.n_listed) == (5, 6, 8, 4)
    assert figures.n_waiting == 2
    assert figures.n_to_match == 2
    assert [audit.sequence for audit in made] == [0, 1, 0, 1, 2]
    assert set(Auditor.objects.values_list("kind", "next_sequence")) == {("simulated", 3), ("simulated", 2)}
    assert all(set(audit.claim_order) == {c.pk for c in claims[audit.item.image_id]} for audit in made)
    assert list(RepairJudgement.objects.order_by("pk").values_list("outcome", flat=True)) == ["fixed", "unchanged"]
    assert ElementCheck.objects.get(element="r1").text == "red circle above blue square"

    disputed = [claims[image.pk][0].pk for image in (first, second)]
    decisions = {
        disputed[0]: SimulatedVerdict(disputed[0], "right"),
        claims[first.pk][1].pk: SimulatedVerdict(0, "right"),
    }
    assert record_simulated_adjudications(plan=plan, adjudicator="simulated adjudicator", decisions=decisions) == 1
    assert Verdict.objects.get(is_adjudication=True).claim_id == disputed[0]
    assert Adjudication.objects.filter(state="decided").count() == 1

    names = ["simulated auditor 01", "simulated auditor 02"]
    group = SimulatedGroup(
        first.pk, "no hat", claim_ids=[disputed[0]], listed=[(name, f"hat-{first.pk}") for name in names]
    )
    for _ in range(2):  # again: in place of what was decided before
        record_simulated_groups(plan=plan, groups=[group])
    stored = MissedErrorGroup.objects.get()
    assert stored.missed_errors.count() == 2
    assert list(stored.claims.values_list("pk", flat=True)) == [disputed[0]]
    assert overviews.figures(plan).n_to_match == 1


def test_places_count_as_for_people() -> None:
    study = make_audited_study(n_images=1)
    image = queries.study_images(study).get()
    plan = make_plan(study=study, auditors_per_image=1)
    with pytest.raises(IntegrityError):
        record_simulated_audits(plan=plan, audits=[SimulatedAudit("a", image.pk), SimulatedAudit("b", image.pk)])
    assert not Audit.objects.exists()


def test_a_study_with_an_audit_can_be_deleted() -> None:
    study = make_audited_study(n_images=1, n_claims=1)
    image, claim = queries.study_images(study).get(), Claim.objects.get()
    plan = make_plan(study=study)
    audits = [
        SimulatedAudit(
            name, image.pk, verdicts=[SimulatedVerdict(claim.pk, value)], listed=[SimulatedListing(name, "x")]
        )
        for name, value in (("a", "right"), ("b", "cannot_tell"))
    ]
    record_simulated_audits(plan=plan, audits=[*audits])
    record_simulated_groups(
        plan=plan, groups=[SimulatedGroup(image.pk, "x", listed=[("a", "a")], claim_ids=[claim.pk])]
    )
    deletion.ask_deletion(study=study)
    deletion.delete_study(study=study, typed_title=study.title)
    assert not Audit.objects.exists()
    assert not Auditor.objects.exists()
    assert Claim.objects.filter(pk=claim.pk).exists()
