"""Assigning audits and taking them back: never too many, never twice, nothing lost."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotations.models import Adjudication, Audit, AuditItem, AuditPlan, ElementCheck, MissedError, Verdict
from annotations.queries.audits import work as queries
from annotations.services.audits import adjudication, answers, make_plan, order, work
from annotations.services.audits.answers import ErrorListed, Mark, Outcome, RepairGiven, VerdictGiven
from generation.models import Critique
from tests.annotations.audits.audit_rows import (
    OTHER_CRITIC,
    do_audit,
    make_audited_study,
    make_auditor,
    make_critique,
    make_open_plan,
)
from tests.factories import make_image

pytestmark = pytest.mark.django_db


def given(auditor, plan: AuditPlan) -> Audit:  # type: ignore[no-untyped-def]
    audit = work.reserve(auditor=auditor, plan=plan)
    assert audit is not None
    return audit


class TestAllocation:
    def test_each_image_gets_as_many_auditors_as_wanted_and_nobody_twice(self) -> None:
        study = make_audited_study(n_images=3)
        plan = make_open_plan(study, auditors_per_image=2)
        auditors = [make_auditor(study) for _ in range(3)]

        for _ in range(3):
            for auditor in auditors:
                if audit := work.reserve(auditor=auditor, plan=plan):
                    do_audit(audit)

        assert set(plan.items.values_list("taken", flat=True)) == {2}
        assert Audit.objects.filter(state="finished").count() == 6
        assert all(work.reserve(auditor=auditor, plan=plan) is None for auditor in auditors)

    def test_the_database_refuses_one_too_many_and_the_same_one_twice(self) -> None:
        study = make_audited_study(n_images=1)
        plan = make_open_plan(study, auditors_per_image=1)
        audit = given(make_auditor(study), plan)
        with pytest.raises(IntegrityError), transaction.atomic():
            AuditItem.objects.update(taken=2)
        with pytest.raises(IntegrityError), transaction.atomic():
            Audit.objects.create(
                plan=plan, item=audit.item, auditor=audit.auditor, sequence=9, lease_until=timezone.now()
            )

    def test_who_comes_again_gets_what_they_hold(self) -> None:
        study = make_audited_study(n_images=2)
        plan = make_open_plan(study)
        auditor = make_auditor(study)
        assert given(auditor, plan).pk == given(auditor, plan).pk

    def test_an_overdue_place_goes_to_another_and_the_first_one_s_work_is_kept_as_late(self) -> None:
        study = make_audited_study(n_images=1)
        plan = make_open_plan(study, auditors_per_image=1)
        slow, quick = make_auditor(study), make_auditor(study)
        late = given(slow, plan)
        Audit.objects.update(lease_until=timezone.now() - timedelta(minutes=1))

        assert do_audit(given(quick, plan)) == Audit.State.FINISHED
        assert do_audit(late) == Audit.State.LATE

        assert plan.items.get().taken == 1
        assert Verdict.objects.filter(audit=late).count() == 2
        assert set(queries.finished_verdicts(plan.items.get())) == set(late.claim_order)
        assert all(len(values) == 1 for values in queries.finished_verdicts(plan.items.get()).values())

    def test_an_overdue_place_that_is_still_free_is_taken_back(self) -> None:
        study = make_audited_study(n_images=1)
        plan = make_open_plan(study, auditors_per_image=1)
        auditor = make_auditor(study)
        audit = given(auditor, plan)
        work.pause(auditor=auditor)
        assert plan.items.get().taken == 0

        assert do_audit(audit) == Audit.State.FINISHED
        assert plan.items.get().taken == 1

    def test_pausing_keeps_the_answers_and_returning_goes_on_with_them(self) -> None:
        study = make_audited_study(n_images=1)
        plan = make_open_plan(study)
        auditor = make_auditor(study)
        audit = given(auditor, plan)
        answers.save_answer(audit=audit, given=VerdictGiven(audit.claim_order[0], "right"), answered_at=timezone.now())
        work.pause(auditor=auditor)

        again = given(auditor, plan)
        assert again.pk == audit.pk
        assert set(queries.verdicts_of(again)) == {audit.claim_order[0]}

    def test_a_plan_that_is_not_open_gives_nothing_but_takes_what_is_out(self) -> None:
        study = make_audited_study(n_images=2)
        plan = make_open_plan(study)
        auditor = make_auditor(study)
        audit = given(auditor, plan)
        plan.state = AuditPlan.State.CLOSED
        assert do_audit(audit) == Audit.State.FINISHED
        assert work.reserve(auditor=auditor, plan=plan) is None

    def test_pairs_come_last_and_a_refined_image_is_not_searched_after_it_was_compared(self) -> None:
        study = make_audited_study(n_images=1)
        baseline = queries.study_images(study).get()
        refined = make_image(parent=baseline)
        make_critique(refined, ["The refined one has three arms."])
        plan = make_open_plan(
            study, with_repair=True, images=[baseline.pk, refined.pk], pairs=[(baseline.pk, refined.pk)]
        )
        auditor = make_auditor(study)
        kinds = []
        while audit := work.reserve(auditor=auditor, plan=plan):
            kinds.append(audit.item.kind if audit.item.control == "" else audit.item.control)
            do_audit(audit)
        assert kinds[:2] == ["claims", "claims"]
        assert sorted(kinds[2:]) == ["placebo", "repair"]

        other = make_auditor(study)
        pair = plan.items.get(kind="repair", control="")
        Audit.objects.create(plan=plan, item=pair, auditor=other, sequence=0, lease_until=timezone.now())
        left = set(queries.open_items(plan, other).values_list("image", "kind"))
        assert (refined.pk, "claims") not in left
        assert (baseline.pk, "claims") not in left


class TestOrders:
    def test_half_of_any_ten_images_ask_for_the_list_first_in_no_fixed_pattern(self) -> None:
        patterns = {
            tuple(order.lists_first(share=0.5, seed=1, auditor=auditor, n_before=n) for n in range(10))
            for auditor in range(30)
        }
        assert {sum(pattern) for pattern in patterns} == {5}
        assert len(patterns) > 20

    @pytest.mark.parametrize(("share", "n"), [(0.0, 0), (1.0, 40), (0.25, 10), (0.33, 13)])
    def test_other_shares_come_out_too(self, share: float, n: int) -> None:
        assert sum(order.lists_first(share=share, seed=3, auditor=8, n_before=i) for i in range(40)) == n

    def test_claims_of_all_critics_and_controls_are_mixed_in_an_order_of_the_auditor_s_own(self) -> None:
        study = make_audited_study(n_images=1, n_claims=3, with_controls=True)
        make_critique(queries.study_images(study).get(), ["And one more."], critic=OTHER_CRITIC)
        plan = make_open_plan(study, auditors_per_image=9)
        orders = [tuple(given(make_auditor(study), plan).claim_order) for _ in range(8)]
        assert {frozenset(ids) for ids in orders} == {
            frozenset(queries.claims_of_plan(plan).values_list("pk", flat=True))
        }
        assert len(orders[0]) == 6
        assert len(set(orders)) > 3

    def test_the_plan_says_whose_claims_and_which_controls(self) -> None:
        study = make_audited_study(n_images=1, with_controls=True)
        make_critique(queries.study_images(study).get(), ["And one more."], critic=OTHER_CRITIC)
        plan = make_open_plan(study, critics=[OTHER_CRITIC], with_wrong_image=False)
        sources = queries.claims_of_plan(plan).values_list("critique__critic", "critique__source")
        assert set(sources) == {(OTHER_CRITIC, "critic"), ("planted by hand", "planted")}

    def test_an_image_without_a_claim_is_also_audited(self) -> None:
        study = make_audited_study(n_images=1, n_claims=0)
        plan = make_open_plan(study)
        assert given(make_auditor(study), plan).claim_order == []

    def test_nothing_to_audit_is_said(self) -> None:
        from django.core.exceptions import ValidationError

        study = make_audited_study(n_images=1)
        Critique.objects.update(source="planted")
        with pytest.raises(ValidationError, match="No image"):
            make_plan(study=study)
        assert not AuditPlan.objects.exists()


class TestAnswers:
    def test_the_same_again_changes_nothing_and_another_is_a_revision(self) -> None:
        study = make_audited_study(n_images=1)
        audit = given(make_auditor(study), make_open_plan(study))
        claim, now = audit.claim_order[0], timezone.now()
        outcomes = [
            answers.save_answer(audit=audit, given=VerdictGiven(claim, value, reason=reason), answered_at=now)
            for value, reason in (("wrong", "misread"), ("wrong", "misread"), ("wrong", "not_there"), ("right", ""))
        ]
        assert outcomes == [Outcome.SAVED, Outcome.UNCHANGED, Outcome.CHANGED, Outcome.CHANGED]
        rows = Verdict.objects.order_by("revision").values_list("value", "reason", "is_current")
        assert list(rows) == [("wrong", "misread", False), ("wrong", "not_there", False), ("right", "", True)]

    def test_an_audit_cannot_be_finished_while_something_is_open(self) -> None:
        study = make_audited_study(n_images=1)
        audit = given(make_auditor(study), make_open_plan(study))
        now = timezone.now()
        answers.save_answer(audit=audit, given=VerdictGiven(audit.claim_order[0], "wrong"), answered_at=now)
        with pytest.raises(work.Unfinished) as problem:
            work.finish(audit=audit, now=now)
        assert problem.value.names == ["e0", "e1", "e2", "c0", "c1"]
        assert Audit.objects.get().state == Audit.State.LEASED

    def test_a_list_is_before_the_claims_until_it_is_sealed_and_stays_as_it_was(self) -> None:
        study = make_audited_study(n_images=1)
        audit = given(make_auditor(study), make_open_plan(study, lists_first_share=1.0))
        now = timezone.now()
        assert queries.open_questions(audit) == ["seal"]
        answers.list_error(audit=audit, listed=ErrorListed("k1", "no hat", mark=Mark(0.25, 0.5)), answered_at=now)
        answers.list_error(audit=audit, listed=ErrorListed("k2", "no dog"), answered_at=now)
        answers.withdraw_error(audit=audit, key="k2", now=now)
        work.seal(audit=audit, now=now)
        audit.refresh_from_db()
        answers.list_error(audit=audit, listed=ErrorListed("k3", "no tree"), answered_at=now)
        with pytest.raises(answers.Sealed):
            answers.withdraw_error(audit=audit, key="k1", now=now)

        rows = MissedError.objects.order_by("pk").values_list("text", "stage", "withdrawn_at")
        assert list(rows) == [("no hat", "before", None), ("no dog", "before", now), ("no tree", "after", None)]
        assert [error.text for error in queries.listed_errors(audit)] == ["no hat", "no tree"]

    def test_a_line_sent_twice_is_one_line(self) -> None:
        study = make_audited_study(n_images=1)
        audit = given(make_auditor(study), make_open_plan(study))
        listed = ErrorListed("k", "no hat")
        first = answers.list_error(audit=audit, listed=listed, answered_at=timezone.now())
        second = answers.list_error(audit=audit, listed=listed, answered_at=timezone.now())
        assert (first, second) == (Outcome.SAVED, Outcome.UNCHANGED)
        assert MissedError.objects.count() == 1

    @pytest.mark.parametrize(
        ("place", "worse_in", "outcome"),
        [
            ("baseline", "", "fixed"),
            ("refined", "", "worse"),
            ("both", "", "unchanged"),
            ("both", "refined", "worse"),
            ("both", "baseline", "improved"),
            ("none", "", "no_error"),
            ("cannot_tell", "", "cannot_tell"),
        ],
    )
    def test_where_an_error_is_says_what_refinement_did(self, place: str, worse_in: str, outcome: str) -> None:
        assert RepairGiven(1, place, worse_in).outcome == outcome

    def test_what_is_newly_broken_belongs_to_the_image_it_is_in(self) -> None:
        study = make_audited_study(n_images=1)
        baseline = queries.study_images(study).get()
        refined = make_image(parent=baseline)
        plan = make_open_plan(study, with_repair=True, pairs=[(baseline.pk, refined.pk)], placebo_share=0)
        auditor = make_auditor(study)
        do_audit(given(auditor, plan))
        audit = given(auditor, plan)
        listed = ErrorListed("k", "a third arm", is_in_refined=True)
        answers.list_error(audit=audit, listed=listed, answered_at=timezone.now())
        error = MissedError.objects.get()
        assert (error.image, error.stage, error.is_in_refined) == (refined, "repair", True)
        do_audit(audit)
        assert set(ElementCheck.objects.filter(audit=audit).values_list("answer", flat=True)) == {"both"}


class TestAdjudication:
    @pytest.mark.parametrize(
        ("values", "is_settled"),
        [
            ([], True),
            (["right", "right"], True),
            (["right", "wrong"], False),
            (["right", "partly"], False),
            (["right", "cannot_tell"], True),
            (["cannot_tell", "cannot_tell"], True),
            (["right", "right", "wrong"], True),
            (["right", "partly", "wrong"], False),
            (["right", "right", "wrong", "wrong", "partly"], False),
        ],
    )
    def test_only_a_tie_needs_a_third(self, values: list[str], is_settled: bool) -> None:
        assert adjudication.is_settled(values) is is_settled

    def test_a_third_auditor_decides_and_the_originals_stay(self) -> None:
        study = make_audited_study(n_images=1)
        plan = make_open_plan(study)
        first, second, third = (make_auditor(study) for _ in range(3))
        audit = given(first, plan)
        do_audit(audit)
        assert not Adjudication.objects.exists()
        disputed = audit.claim_order[0]
        do_audit(given(second, plan), values={disputed: "wrong"})
        now = timezone.now()

        assert adjudication.reserve_adjudication(auditor=first, plan=plan, now=now) is None
        assert adjudication.reserve_adjudication(auditor=second, plan=plan, now=now) is None
        held = adjudication.reserve_adjudication(auditor=third, plan=plan, now=now)
        assert held is not None
        assert held.claim_id == disputed
        assert adjudication.reserve_adjudication(auditor=make_auditor(study), plan=plan, now=now) is None

        for value in ("right", "right", "partly"):
            assert adjudication.decide(adjudication=held, auditor=third, value=value, answered_at=now)
        assert not adjudication.decide(adjudication=held, auditor=first, value="wrong", answered_at=now)
        rows = Verdict.objects.filter(claim=disputed, is_current=True).order_by("pk")
        assert list(rows.values_list("auditor", "value", "is_adjudication")) == [
            (first.pk, "right", False),
            (second.pk, "wrong", False),
            (third.pk, "partly", True),
        ]
        assert Adjudication.objects.get().state == Adjudication.State.DECIDED

    def test_the_database_lets_nobody_decide_between_their_own_verdict_and_another_s(self) -> None:
        study = make_audited_study(n_images=1)
        plan = make_open_plan(study)
        first = make_auditor(study)
        audit = given(first, plan)
        do_audit(audit)
        with pytest.raises(IntegrityError), transaction.atomic():
            Verdict.objects.create(
                study=study,
                claim_id=audit.claim_order[0],
                auditor=first,
                is_adjudication=True,
                value="wrong",
                answered_at=timezone.now(),
            )

    def test_an_adjudicator_of_an_image_does_not_audit_it_later(self) -> None:
        study = make_audited_study(n_images=1)
        plan = make_open_plan(study, auditors_per_image=2)
        audit = given(make_auditor(study), plan)
        do_audit(audit)
        do_audit(given(make_auditor(study), plan), values={audit.claim_order[0]: "wrong"})
        third = make_auditor(study)
        assert adjudication.reserve_adjudication(auditor=third, plan=plan, now=timezone.now())
        AuditItem.objects.update(wanted=3)
        assert work.reserve(auditor=third, plan=plan) is None

    def test_a_change_of_mind_settles_what_nobody_has_taken_up(self) -> None:
        study = make_audited_study(n_images=1)
        plan = make_open_plan(study)
        audit = given(make_auditor(study), plan)
        do_audit(audit)
        claim = audit.claim_order[1]
        do_audit(given(make_auditor(study), plan), values={claim: "wrong"})
        assert Adjudication.objects.count() == 1
        changed = VerdictGiven(claim, "wrong", reason="misread")
        answers.save_answer(audit=audit, given=changed, answered_at=timezone.now())
        assert not Adjudication.objects.exists()

    def test_an_overdue_disagreement_waits_again(self) -> None:
        study = make_audited_study(n_images=1)
        plan = make_open_plan(study)
        audit = given(make_auditor(study), plan)
        do_audit(audit)
        do_audit(given(make_auditor(study), plan), value="partly")
        now = timezone.now()
        third, fourth = make_auditor(study), make_auditor(study)
        first_held = adjudication.reserve_adjudication(auditor=third, plan=plan, now=now)
        later = now + timedelta(minutes=plan.lease_minutes + 1)
        assert first_held
        taken = {adjudication.reserve_adjudication(auditor=fourth, plan=plan, now=later).claim_id}  # type: ignore[union-attr]
        assert taken <= set(audit.claim_order)
        assert not Adjudication.objects.filter(adjudicator=third, state="leased").exists()
