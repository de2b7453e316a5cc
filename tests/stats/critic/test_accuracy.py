"""The critic's accuracy: by hand, against a slow definition, its conventions, and its coverage."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.critic.accuracy import critic_accuracy
from annotations.stats.critic.audit import CANNOT_TELL, CRITIC, PARTLY, PLANTED, RIGHT, WRONG, WRONG_IMAGE, Audit
from tests.stats.critic.audits import simulate, truth_of


def rng():
    return np.random.default_rng(7)


def worked_example(**more):
    """Four images; claims R R W | R P | W ? | none; missed: one on image 0, two on image 3."""
    return Audit(
        4,
        np.array([0, 0, 0, 1, 1, 2, 2]),
        np.array([RIGHT, RIGHT, WRONG, RIGHT, PARTLY, WRONG, CANNOT_TELL]),
        missed_image=np.array([0, 3, 3]),
        **more,
    )


@pytest.mark.parametrize(
    ("partly", "precision", "recall"),
    # 6 claims with a verdict; 3 right, 1 partly; 4 errors named and 3 missed: 7 errors.
    [("half", 3.5 / 6, 3.5 / 7), ("right", 4 / 6, 4 / 7), ("wrong", 3 / 6, 3 / 7)],
)
def test_by_hand(partly, precision, recall):
    row = critic_accuracy(worked_example(), rng=rng(), partly=partly).overall
    assert row.precision.value == pytest.approx(precision)
    assert row.recall.value == pytest.approx(recall)
    assert row.f1.value == pytest.approx(2 * precision * recall / (precision + recall))
    assert f"counts as {partly}" in row.precision.method
    n = row.precision.n
    assert (n["claims"], n["judged"], n["right"], n["partly"], n["wrong"], n["cannot_tell"]) == (7, 6, 3, 1, 2, 1)
    assert (n["errors"], n["missed"], n["images"]) == (7, 3, 4)
    assert row.precision.seed == 7
    assert {interval.covers for interval in row.precision.intervals} == {"images", "claims"}


def test_cannot_tell_is_reported_and_not_hidden():
    report = critic_accuracy(worked_example(), rng=rng())
    assert report.cannot_tell.value == pytest.approx(1 / 7)


def test_images_that_nobody_searched_stay_out_of_recall():
    audit = worked_example(searched=np.array([True, True, False, False]))
    row = critic_accuracy(audit, rng=rng()).overall
    assert row.recall.value == pytest.approx(3.5 / 5)
    assert row.precision.value == pytest.approx(3.5 / 6)


def test_two_claims_about_one_error_are_one_error_found():
    """Claims 0 and 1 name the same error, and so do 3 (right) and 4 (partly): the better claim counts."""
    audit = worked_example(error=np.array([5, 5, -1, 5, 5, -1, -1]))
    row = critic_accuracy(audit, rng=rng()).overall
    # The code 5 on image 1 is another error than the 5 on image 0: two errors found, three missed.
    assert row.recall.value == pytest.approx(2 / 5)
    assert row.precision.value == pytest.approx(3.5 / 6)


def test_facets_split_claims_and_missed_errors():
    audit = worked_example(
        facets={"kind": np.array(list("aabbabb"))}, missed_facets={"kind": np.array(["a", "c", "c"])}
    )
    rows = {row.label: row for row in critic_accuracy(audit, rng=rng()).by_facet}
    assert list(rows) == ["a", "b", "c"]
    # a: right, right, partly and one missed.
    assert rows["a"].precision.value == pytest.approx(2.5 / 3)
    assert rows["a"].recall.value == pytest.approx(2.5 / 4)
    # c: nothing claimed, two missed; F1 has no precision to go with.
    assert not rows["c"].precision.is_defined
    assert rows["c"].recall.value == 0
    assert not rows["c"].f1.is_defined


def test_a_facet_that_missed_errors_lack_leaves_recall_open():
    audit = worked_example(facets={"severity": np.array(list("1122112"))})
    for row in critic_accuracy(audit, rng=rng()).by_facet:
        assert row.precision.is_defined
        assert not row.recall.is_defined
        assert "missed errors carry no severity" in row.recall.reason


def test_controls_never_reach_the_headline():
    plain = critic_accuracy(worked_example(), rng=rng()).overall
    audit = worked_example()
    mixed = replace(
        audit,
        image=np.append(audit.image, [0, 1, 1, 3]),
        verdict=np.append(audit.verdict, [RIGHT, WRONG, RIGHT, RIGHT]),
        source=np.append(audit.source, [WRONG_IMAGE, WRONG_IMAGE, PLANTED, PLANTED]),
        error=np.append(audit.error, [-1] * 4),
        lists=np.append(audit.lists, [0] * 4),
    )
    report = critic_accuracy(mixed, rng=rng())
    assert report.overall == plain
    assert report.planted_accepted.value == 1
    # Images 0 and 1 carry both kinds: 3.5 of 5 right, and 1 of 2 by the control.
    assert report.above_control.difference.value == pytest.approx(3.5 / 5 - 1 / 2)


def test_false_alarms_on_error_free_images():
    audit = worked_example(error_free=np.array([False, False, True, True]))
    report = critic_accuracy(replace(audit, missed_image=np.array([0]), missed_lists=np.array([1])), rng=rng())
    # Image 2 has two claims, image 3 none.
    assert report.false_alarm_rate.value == pytest.approx(1 / 2)
    assert report.false_claims_per_image.value == pytest.approx(1.0)
    none = critic_accuracy(worked_example(), rng=rng())
    assert not none.false_alarm_rate.is_defined
    assert "free of errors" in none.false_alarm_rate.reason
    assert not none.false_claims_per_image.is_defined


def test_recall_is_corrected_by_what_nobody_listed():
    """One auditor: errors on the critic's list alone 2, on both 2, on the auditor's alone 3."""
    audit = worked_example(lists=np.array([1, 0, 0, 1, 0, 0, 0]), n_auditors=1)
    report = critic_accuracy(audit, rng=rng())
    # z = 2, r = 3, Q2 = 2, m = 2: unseen 2·2·3/(2·3) = 2; recall 3.5 / 9.
    assert report.unseen[0].unseen.value == pytest.approx(2)
    assert report.overall.recall_corrected.value == pytest.approx(3.5 / 9)
    # Chapman is the same with two lists: critic 4, auditor 5, both 2: 5·6/3 − 1 = 9, of which 7 were listed.
    assert report.unseen_two_lists.total.value == pytest.approx(9)
    # Of the auditor's own five errors the critic has two, both right.
    assert report.overall.recall_of_lists.value == pytest.approx(2 / 5)


def test_images_with_different_numbers_of_lists_are_corrected_apart():
    lists = np.array([1, 0, 0, 2, 0, 0, 0])
    audit = worked_example(lists=lists, n_auditors=np.array([1, 2, 1, 2]), missed_lists=np.array([1, 1, 2]))
    report = critic_accuracy(audit, rng=rng())
    # Two lists (images 0, 2): one on both, one on the critic's alone, one on the auditor's: 2·1·1/(2·2) = 1/2.
    # Three lists (1, 3): one on all, one on the critic's alone, one on an auditor's alone, one on both auditors': 1/2.
    assert [each.unseen.value for each in report.unseen] == pytest.approx([1 / 2, 1 / 2])
    assert report.overall.recall_corrected.value == pytest.approx(3.5 / (7 + 1 / 2 + 1 / 2))


def test_without_separate_lists_nothing_is_said_about_unseen_errors():
    report = critic_accuracy(worked_example(), rng=rng())
    assert report.unseen == ()
    assert report.unseen_two_lists is None
    for estimate in (report.overall.recall_corrected, report.overall.recall_of_lists):
        assert not estimate.is_defined
        assert "not kept apart" in estimate.reason


def test_no_claims_and_nothing_missed():
    empty = Audit(3, np.zeros(0, np.int64), np.zeros(0, np.int64))
    report = critic_accuracy(empty, rng=rng())
    row = report.overall
    for estimate in (row.precision, row.recall, row.f1, report.cannot_tell, report.planted_accepted):
        assert not estimate.is_defined
        assert estimate.reason
    assert report.above_control is None


def test_verdicts_alone_know_no_recall():
    """Where nobody looked for missed errors, "none missed" would make recall 1."""
    audit = Audit(3, np.array([0, 1]), np.array([RIGHT, WRONG]))
    row = critic_accuracy(audit, rng=rng()).overall
    assert row.precision.value == pytest.approx(1 / 2)
    for estimate in (row.recall, row.f1):
        assert not estimate.is_defined
    assert "nobody searched" in row.recall.reason
    searched = critic_accuracy(replace(audit, searched=np.ones(3, bool)), rng=rng()).overall
    assert searched.recall.value == 1


def test_a_critic_that_is_never_wrong_has_an_interval_all_the_same():
    audit = Audit(12, np.arange(12), np.full(12, RIGHT))
    precision = critic_accuracy(audit, rng=rng()).overall.precision
    assert precision.value == 1
    assert precision.interval("images").low == pytest.approx(1 / (1 + 1.959964**2 / 12), abs=1e-6)


def test_zero_found_and_zero_right_is_an_f1_of_zero():
    audit = Audit(3, np.array([0, 1]), np.array([WRONG, WRONG]), missed_image=np.array([0, 2]))
    row = critic_accuracy(audit, rng=rng()).overall
    assert (row.precision.value, row.recall.value, row.f1.value) == (0, 0, 0)


@st.composite
def audits(draw):
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_images, n_claims, n_missed = (draw(st.integers(1, 8)), draw(st.integers(0, 30)), draw(st.integers(0, 12)))
    return Audit(
        n_images,
        generator.integers(0, n_images, n_claims),
        generator.integers(0, 4, n_claims),
        source=generator.integers(0, 3, n_claims),
        error=generator.integers(-1, 4, n_claims),
        lists=generator.integers(0, 3, n_claims),
        missed_image=generator.integers(0, n_images, n_missed),
        missed_lists=generator.integers(1, 3, n_missed),
        searched=generator.random(n_images) < 0.8,
        n_auditors=2,
        facets={"kind": generator.choice(["a", "b"], n_claims)},
        missed_facets={"kind": generator.choice(["a", "b", "c"], n_missed)},
    )


def slow_figures(audit, worth):
    """Claim by claim, as a person would count."""
    credit = judged = 0.0
    best: dict = {}
    for claim in range(len(audit.image)):
        if audit.source[claim] != CRITIC or audit.verdict[claim] == CANNOT_TELL:
            continue
        value = {RIGHT: 1.0, PARTLY: worth, WRONG: 0.0}[int(audit.verdict[claim])]
        credit, judged = credit + value, judged + 1
        if audit.verdict[claim] != WRONG and audit.searched[audit.image[claim]]:
            code = audit.error[claim]
            key = (audit.image[claim], code) if code >= 0 else (audit.image[claim], "own", claim)
            best[key] = max(best.get(key, 0.0), value)
    missed = sum(bool(audit.searched[image]) for image in audit.missed_image)
    errors = len(best) + missed
    return (credit / judged if judged else np.nan, sum(best.values()) / errors if errors else np.nan)


@settings(max_examples=60, deadline=None)
@given(audits(), st.sampled_from([("right", 1.0), ("half", 0.5), ("wrong", 0.0)]))
def test_the_slow_definition(audit, convention):
    name, worth = convention
    row = critic_accuracy(audit, rng=rng(), partly=name, n_resamples=40, n_permutations=19).overall
    precision, recall = slow_figures(audit, worth)
    assert row.precision.value == pytest.approx(precision, nan_ok=True)
    assert row.recall.value == pytest.approx(recall, nan_ok=True)
    for estimate in (row.precision, row.recall, row.f1, row.recall_corrected, row.recall_of_lists):
        assert estimate.is_defined or estimate.reason
        for interval in estimate.intervals:
            assert interval.reason or interval.low <= estimate.value <= interval.high


@settings(max_examples=30, deadline=None)
@given(audits(), st.integers(0, 2**32 - 1))
def test_the_order_of_claims_and_images_does_not_matter(audit, seed):
    shuffle = np.random.default_rng(seed)
    order, names = shuffle.permutation(len(audit.image)), shuffle.permutation(audit.n_images)
    shuffled = replace(
        audit,
        image=names[audit.image[order]],
        verdict=audit.verdict[order],
        source=audit.source[order],
        error=audit.error[order],
        lists=audit.lists[order],
        facets={"kind": audit.facets["kind"][order]},
        missed_image=names[audit.missed_image],
        searched=audit.searched[np.argsort(names)],
    )
    first, second = (critic_accuracy(each, rng=rng(), n_resamples=20).overall for each in (audit, shuffled))
    for name in ("precision", "recall", "f1"):
        assert getattr(first, name).value == pytest.approx(getattr(second, name).value, nan_ok=True)


@pytest.mark.slow
def test_intervals_cover_the_truth_and_claims_alone_do_not():
    """250 audits of 80 images with clustered claims: 95% ± 3.6% (2.6 standard errors) over images."""
    truth, n_audits = truth_of(1.0), 250
    generator = np.random.default_rng(2024)
    covered = dict.fromkeys(("precision", "recall", "f1", "recall_corrected", "difference", "wilson"), 0)
    for _ in range(n_audits):
        audit = simulate(generator, 80, clustering=0.5)
        report = critic_accuracy(audit, rng=generator, n_resamples=400, n_permutations=1)
        row = report.overall
        for name, interval, true in (
            ("precision", row.precision.interval("images"), truth.precision),
            ("recall", row.recall.interval("images"), truth.recall),
            ("f1", row.f1.interval("images"), truth.f1),
            ("recall_corrected", row.recall_corrected.interval("images"), truth.recall_of_all),
            ("difference", report.above_control.difference.interval("images"), truth.above_control),
            ("wilson", row.recall.interval("errors"), truth.recall),
        ):
            covered[name] += interval.low <= true <= interval.high
    shares = {name: count / n_audits for name, count in covered.items()}
    naive = shares.pop("wilson")
    assert all(0.914 <= share <= 0.986 for share in shares.values()), shares
    assert naive < 0.88, naive
