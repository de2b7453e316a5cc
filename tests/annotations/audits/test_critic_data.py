"""A study's audit as arrays: what counts and what does not, and that the demo's truth comes out of the database."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest
from django.utils import timezone

from annotations.models import Audit, AuditItem, AuditPlan, MissedError, MissedErrorGroup, Study, Verdict
from annotations.queries.audits.critic import critic_data
from annotations.queries.audits.ledger import LEDGER, LedgerFilter, ledger, ledger_rows
from annotations.reports.critic.analysis import CriticResults, analyse_critics
from annotations.reports.critic.audits import settled
from annotations.reports.critic.data import CLEAN, DEFECT
from annotations.reports.critic.figures import Options
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
from annotations.services.audits.answers import RepairGiven
from annotations.services.demo.study import make_demo_study
from generation.models import Claim, Image
from generation.queries.demo import demo_set_name
from generation.services.demo import make_demo_material
from tests.annotations.audits.audit_rows import CRITIC, OTHER_CRITIC, make_audited_study, make_critique
from tests.benchmarks.coverage.demo_critic import PANEL
from tests.factories import make_image, undrawn

pytestmark = pytest.mark.django_db
FAST = Options(n_resamples=100, n_permutations=19)
X, Y = "auditor x", "auditor y"


def analysed(study: Study) -> CriticResults:
    return analyse_critics(critic_data(study), FAST)


def claims_of(image: Image, source: str = "critic") -> list[int]:
    rows = Claim.objects.filter(critique__image=image, critique__source=source).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def audited_study(*, n_images: int = 4, **plan: Any) -> tuple[Study, AuditPlan, list[Image]]:
    """Two claims and two controls per image; the plan wants three auditors."""
    study = make_audited_study(n_images=n_images, with_controls=True)
    made = make_plan(study=study, auditors_per_image=3, state=AuditPlan.State.OPEN, **plan)
    return study, made, list(Image.objects.filter(audit_items__plan=made).distinct().order_by("pk"))


def audit(
    auditor: str, image: Image, said: dict[int, str], *, errors: tuple[str, ...] = (), first: bool = False
) -> Any:
    return SimulatedAudit(
        auditor=auditor,
        image_id=image.pk,
        lists_first=first,
        verdicts=[SimulatedVerdict(c, v, reason="misread" if v == "wrong" else "") for c, v in said.items()],
        listed=[
            SimulatedListing(f"{image.pk}-{text}", text, "before" if first else "after", kind="count")
            for text in errors
        ],
    )


def worked_example() -> tuple[Study, AuditPlan, list[Image]]:
    """Image 0: right, wrong; 1: a tie that is adjudicated wrong, right; 2: right by one; 3: nothing judged right.

    Controls: x takes one of the wrong-image claims for right and no planted one.
    """
    study, plan, images = audited_study()
    a, b, c, d = (claims_of(image) for image in images)
    wrong_image = [claims_of(image, "wrong_image")[0] for image in images]
    planted = [claims_of(image, "planted")[0] for image in images]
    control = [{w: "wrong", p: "wrong"} for w, p in zip(wrong_image, planted, strict=True)]
    control[0][wrong_image[0]] = "right"
    rows = [
        audit(X, images[0], {a[0]: "right", a[1]: "wrong", **control[0]}, errors=("one", "two"), first=True),
        audit(Y, images[0], {a[0]: "right", a[1]: "wrong"}, errors=("two again",)),
        audit(X, images[1], {b[0]: "right", b[1]: "right", **control[1]}, first=True),
        audit(Y, images[1], {b[0]: "wrong", b[1]: "right"}),
        audit(X, images[2], {c[0]: "right", c[1]: "cannot_tell", **control[2]}, errors=("three",)),
        audit(X, images[3], {d[0]: "wrong", d[1]: "wrong", **control[3]}),
    ]
    record_simulated_audits(plan=plan, audits=rows)
    record_simulated_adjudications(
        plan=plan, adjudicator="z", decisions={b[0]: SimulatedVerdict(b[0], "wrong", reason="misread")}
    )
    keys = {"one": (X, f"{images[0].pk}-one"), "two": (X, f"{images[0].pk}-two"), "y": (Y, f"{images[0].pk}-two again")}
    record_simulated_groups(
        plan=plan,
        groups=[
            SimulatedGroup(images[0].pk, "one", claim_ids=[a[0]], listed=[keys["one"]]),
            SimulatedGroup(images[0].pk, "two", listed=[keys["two"], keys["y"]]),
        ],
    )
    return study, plan, images


def test_the_figures_of_a_small_audit_by_hand() -> None:
    study, _plan, images = worked_example()

    results = analysed(study)

    [critic] = results.critics
    overall = critic.report.overall
    # Judged: right, wrong | wrong (adjudicated), right | right | wrong, wrong: 3 of 7.
    assert critic.name == CRITIC
    assert (overall.precision.value, overall.precision.n["judged"]) == (pytest.approx(3 / 7), 7)
    # Errors: three named rightly; "two" (both auditors' words for it are one) and "three" missed: 3 of 5.
    assert overall.recall.value == pytest.approx(3 / 5)
    # On x's own lists of images 0 and 1: "one" (named) and "two".
    assert overall.recall_of_lists.value == pytest.approx(1 / 2)
    assert critic.floor.value == pytest.approx(1 / 4)
    assert results.planted.value == 0.0
    assert (int(results.settled.adjudicated.sum()), int(results.settled.open.sum())) == (1, 0)
    # Four claims have two verdicts: on three both agree, one was decided.
    shares = {one.statistic: one.value for _name, all_of in results.agreement for one in all_of}
    assert (shares["unanimous_share"], shares["adjudicated_share"], shares["open_share"]) == (0.75, 0.25, 0.0)
    assert results.data.images == sorted(image.key or f"image-{image.pk}" for image in images)
    assert results.data.n_simulated == 3


def test_only_what_is_finished_current_and_not_taken_back_counts() -> None:
    study, plan, images = worked_example()
    before = critic_data(study)
    x = study.auditors.get(name=X)
    first, other = claims_of(images[0])[0], images[3]
    now = timezone.now()
    # An earlier revision, work that is not finished, work that came too late, and errors taken back.
    Verdict.objects.create(
        study=study, claim_id=first, auditor=x, value="partly", is_current=False, answered_at=now, revision=9
    )
    leased = {"state": Audit.State.LEASED, "lease_until": now}
    late = {"state": Audit.State.LATE, "finished_at": now}
    for n, fields in enumerate((leased, late)):
        auditor = study.auditors.create(name=f"late {n}")
        open_audit = Audit.objects.create(
            plan=plan, item=plan.items.get(image=other), auditor=auditor, sequence=0, **fields
        )
        claim = claims_of(other)[0]
        Verdict.objects.create(
            study=study, audit=open_audit, claim_id=claim, auditor=auditor, value="right", answered_at=now
        )
        MissedError.objects.create(
            study=study, audit=open_audit, image=other, auditor=auditor, text="unfinished", answered_at=now
        )
    MissedError.objects.create(study=study, image=other, auditor=x, text="gone", answered_at=now, withdrawn_at=now)
    MissedError.objects.create(study=study, image=other, auditor=x, text="pair", stage="repair", answered_at=now)
    data = critic_data(study)
    assert settled(data).verdict.tolist() == settled(before).verdict.tolist()
    assert (len(data.verdicts), len(data.lists.group), len(data.lists.image)) == (
        len(before.verdicts),
        len(before.lists.group),
        len(before.lists.image),
    )
    assert len(data.auditors) == len(before.auditors) + 2


def test_imported_verdicts_and_lists_count_without_an_audit() -> None:
    study = make_audited_study(n_images=2)
    [one, two] = Image.objects.filter(critiques__isnull=False).distinct().order_by("pk")
    auditor = study.auditors.create(name="elsewhere", kind="imported")
    for claim, value in zip((*claims_of(one), *claims_of(two)), ("right", "right", "partly", "wrong"), strict=True):
        Verdict.objects.create(study=study, claim_id=claim, auditor=auditor, value=value, answered_at=timezone.now())
    MissedError.objects.create(
        study=study, image=one, auditor=auditor, text="e", stage="before", answered_at=timezone.now()
    )

    overall = analysed(study).critics[0].report.overall

    assert overall.precision.value == pytest.approx(2.5 / 4)
    # Only the first image was searched, as far as anybody knows: two named and one missed.
    assert overall.recall.value == pytest.approx(2 / 3)
    assert np.isfinite(overall.recall_corrected.value)


def test_control_images_stay_out_of_the_headline() -> None:
    study = make_audited_study(n_images=3)
    images = list(Image.objects.filter(critiques__isnull=False).distinct().order_by("pk"))
    plan = make_plan(
        study=study,
        state=AuditPlan.State.OPEN,
        clean=[images[1].pk],
        defects={images[2].pk: [{"text": "a hole", "about": "r1"}]},
    )
    a, b, c = (claims_of(image) for image in images)
    rows = [(images[0], a, "right"), (images[1], b, "wrong"), (images[2], c, "right")]
    record_simulated_audits(plan=plan, audits=[audit(X, i, dict.fromkeys(ids, v)) for i, ids, v in rows])

    data = critic_data(study)
    [critic] = analyse_critics(data, FAST).critics

    assert sorted(data.control.tolist()) == [0, CLEAN, DEFECT]
    assert (critic.report.overall.precision.value, critic.report.overall.precision.n["judged"]) == (1.0, 2)
    assert critic.clean is not None
    assert (critic.clean.false_alarm_rate.value, critic.clean.false_claims_per_image.value) == (1.0, 2.0)
    assert critic.defects_found.value == 1.0


def test_repairs_side_by_side() -> None:
    study = make_audited_study(n_images=2)
    images = list(Image.objects.filter(critiques__isnull=False).distinct().order_by("pk"))
    refined = [make_image(parent=image, method=images[0].method) for image in images]
    pairs = [(old.pk, new.pk) for old, new in zip(images, refined, strict=True)]
    plan = make_plan(
        study=study,
        state=AuditPlan.State.OPEN,
        with_repair=True,
        pairs=pairs,
        placebo_pairs=[(images[0].pk, images[0].pk)],
    )
    a, b = (claims_of(image) for image in images)
    work = [audit(X, images[0], dict.fromkeys(a, "right")), audit(X, images[1], {b[0]: "right", b[1]: "wrong"})]
    work.append(
        SimulatedAudit(
            X,
            *pairs[0],
            repairs=[RepairGiven(a[0], "baseline"), RepairGiven(a[1], "both")],
            elements={"r1": "refined", "e1": "both", "e2": "none"},
        )
    )
    work.append(SimulatedAudit(X, *pairs[1], repairs=[RepairGiven(b[0], "baseline"), RepairGiven(b[1], "none")]))
    work.append(
        SimulatedAudit(X, images[0].pk, images[0].pk, repairs=[RepairGiven(a[0], "baseline")], is_mirrored=True)
    )
    record_simulated_audits(plan=plan, audits=work)

    found = analysed(study).repairs

    assert found is not None
    assert (found.rows[0].rate.value, found.rows[0].rate.n["claims"], found.n_pairs) == (pytest.approx(2 / 3), 3, 2)
    assert found.gains is not None
    # Both claims are about r1, which the refined image has and the baseline has not.
    assert (found.gains.gained, found.gains.lacking) == ((1, 0, 0), (1, 0, 1))
    # The refined image was on the left, so "in the baseline alone" is on the right.
    assert (found.placebo_differences.value, found.placebo_left.value) == (1.0, 0.0)


def test_versions_of_a_critic_are_critics_of_their_own() -> None:
    study = make_audited_study(n_images=1, n_claims=1)
    image = Image.objects.filter(critiques__isnull=False).distinct().get()
    for name, version in ((CRITIC, "2"), (OTHER_CRITIC, "1")):
        make_critique(image, [f"said by {name} {version}"], critic=name, critic_version=version)
    make_critique(image, ["guess"], critic=f"{OTHER_CRITIC}, wrong image", source="wrong_image")
    plan = make_plan(study=study, state=AuditPlan.State.OPEN)
    ids = [*claims_of(image), *claims_of(image, "wrong_image")]
    record_simulated_audits(plan=plan, audits=[audit(X, image, dict.fromkeys(ids, "right"))])

    data = critic_data(study)

    assert data.critics == [OTHER_CRITIC, CRITIC, f"{CRITIC} 2"]
    assert data.claims.critic.tolist() == [1, 2, 0, 0]
    assert data.seen.all()


def test_a_study_without_an_audit_has_nothing() -> None:
    data = critic_data(make_audited_study())
    assert (len(data.claims), len(data.verdicts), data.images) == (0, 0, [])


@pytest.mark.parametrize("n", [2, 12])
def test_the_number_of_queries_is_the_same_for_every_size(
    n: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    study, plan, images = audited_study(n_images=n)
    rows = [
        audit(who, image, dict.fromkeys(claims_of(image), "right"), errors=("e",), first=who == X)
        for image in images
        for who in (X, Y)
    ]
    record_simulated_audits(plan=plan, audits=rows)
    with django_assert_num_queries(13):
        critic_data(study)
    with django_assert_num_queries(6):
        assert len(list(ledger_rows(study, LedgerFilter()))) == 2 * n


def test_the_ledger_settles_as_the_statistics_do() -> None:
    study, _plan, images = worked_example()
    extra = claims_of(images[3])[1]
    Verdict.objects.filter(claim=extra).update(value="partly", reason="")
    data = critic_data(study)
    by_claim = {row[7]: row for row in ledger_rows(study, LedgerFilter())}
    names = ("right", "partly", "wrong", "cannot_tell")
    codes = settled(data).verdict
    # The arrays are in the order of the claims' keys.
    for claim, code in zip(sorted(by_claim), codes.tolist(), strict=True):
        said = by_claim[claim][14]
        assert said == ("unjudged" if code < 0 else names[code])
    for verdict in names:
        found = set(ledger(study, LedgerFilter(settled=verdict)))
        assert found == {claim for claim, row in by_claim.items() if row[14] == verdict}
    columns = [column.name for column in LEDGER]
    row = dict(zip(columns, by_claim[claims_of(images[1])[0]], strict=True))
    assert (row["settled"], row["adjudicated"], row["n_right"], row["n_wrong"]) == ("wrong", "wrong", 1, 1)
    assert [one["adjudication"] for one in row["verdicts"]] == [False, False, True]
    named = dict(zip(columns, by_claim[claims_of(images[0])[0]], strict=True))
    assert named["error"] == MissedErrorGroup.objects.get(text="one").number


def test_the_demo_studys_truth_comes_out_of_the_database() -> None:
    """With auditors who make no errors, precision and the floor are the study's own; recall is within its interval."""
    make_demo_material(seed=4, say=lambda line: None, draw=undrawn)
    with mock.patch("annotations.services.demo.audit.simulation.auditor_panel", lambda count, seed: PANEL[:count]):
        study, _people = make_demo_study(prompt_set=demo_set_name(4), seed=4, say=lambda line: None)

    results = analysed(study)

    [critic] = results.critics
    right = {"critic": 0, "wrong_image": 0}
    n_claims = {"critic": 0, "wrong_image": 0}
    for claim in Claim.objects.select_related("critique"):
        right[claim.critique.source] += claim.critique.provenance["truth"]["claims_right"][claim.rank - 1]
        n_claims[claim.critique.source] += 1
    errors = [
        error
        for item in AuditItem.objects.filter(plan__study=study).select_related("image")
        for error in item.image.provenance["truth"]["errors"]
    ]
    overall = critic.report.overall
    assert overall.precision.value == pytest.approx(right["critic"] / n_claims["critic"])
    assert critic.floor.value == pytest.approx(right["wrong_image"] / n_claims["wrong_image"])
    true_recall = sum(error["is_claimed"] for error in errors) / len(errors)
    for one in (overall.recall, overall.recall_corrected):
        interval = one.interval("images")
        assert interval is not None
        assert interval.low <= true_recall <= interval.high
    assert abs(overall.recall_corrected.value - true_recall) < 0.08
