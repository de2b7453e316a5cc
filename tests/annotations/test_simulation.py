"""Simulated raters and auditors: do they answer as their profiles say?"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from annotations.simulation import (
    CUTS,
    VERDICTS,
    WRONG_REASONS,
    AuditorProfile,
    RaterProfile,
    SimulatedAudits,
    auditor_panel,
    level_probabilities,
    rater_panel,
    simulate_audits,
    simulate_ratings,
)

QUALITY = -0.5 * np.random.default_rng(0).integers(0, 6, 4000)
PLAIN = RaterProfile("simulated rater", severity=0.0, spread=0.25, lapse=0.0, unable=0.0, median_ms=4000)


def within(successes: int, trials: int, probability: float) -> bool:
    """Inside the central 99.9% of the exact binomial distribution."""
    low, high = binom.interval(0.999, trials, probability)
    return bool(low <= successes <= high)


def audits(n_claims: int = 3000, n_errors: int = 3000, seed: int = 0, **profile: float) -> SimulatedAudits:
    plain = {"error": 0.0, "cannot_tell": 0.0, "partly": 0.0, "detection": 0.7, "spurious": 0.0, "median_ms": 5000.0}
    panel = [AuditorProfile(name=f"simulated auditor {i}", **{**plain, **profile}) for i in range(2)]
    return simulate_audits(
        claim_is_right=np.arange(n_claims) % 4 != 0,
        error_image=np.arange(n_errors) % 1000,
        error_is_claimed=np.arange(n_errors) % 3 != 0,
        n_images=1000,
        panel=panel,
        seed=seed,
    )


def test_ratings_repeat_with_the_seed_and_only_with_it() -> None:
    panel = rater_panel(4, 1)
    first, again, other = (simulate_ratings(QUALITY, panel, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.value, again.value)
    np.testing.assert_array_equal(first.active_ms, again.active_ms)
    assert not np.array_equal(first.value, other.value, equal_nan=True)


def test_an_answer_does_not_depend_on_later_items_or_raters() -> None:
    few = simulate_ratings(QUALITY[:50], rater_panel(3, 1, careless=False), 1).matrix()
    many = simulate_ratings(QUALITY, rater_panel(6, 1, careless=False), 1).matrix()
    np.testing.assert_array_equal(few, many[:3, :50])


def test_a_quality_at_a_cut_is_as_likely_below_as_above() -> None:
    for level, cut in enumerate(CUTS, start=1):
        assert level_probabilities([cut], PLAIN)[0, :level].sum() == pytest.approx(0.5)


def test_level_probabilities_by_hand() -> None:
    # At quality 0: P(level ≤ 4) = logistic(−0.25 / 0.25) = 1 / (1 + e) = 0.268941…; a lapse of 0.1 mixes in 0.1 / 5.
    assert level_probabilities([0.0], PLAIN)[0, 4] == pytest.approx(1 - 0.2689414213699951)
    lapsing = RaterProfile("simulated rater", 0.0, 0.25, 0.1, 0.0, 4000)
    assert level_probabilities([0.0], lapsing)[0, 4] == pytest.approx(0.9 * (1 - 0.2689414213699951) + 0.02)
    np.testing.assert_allclose(level_probabilities(QUALITY, lapsing).sum(axis=1), 1)


def test_answers_are_as_frequent_as_their_probabilities() -> None:
    rater = RaterProfile("simulated rater", 0.2, 0.3, 0.05, 0.0, 4000)
    answers = simulate_ratings(np.full(4000, -0.75), [rater], 3).value
    expected = level_probabilities([-0.75], rater)[0]
    for level in range(1, 6):
        assert within(int(np.sum(answers == level)), 4000, expected[level - 1])


def test_unable_is_frequent_as_stated_and_never_a_number() -> None:
    rater = RaterProfile("simulated rater", 0.0, 0.3, 0.0, 0.05, 4000)
    ratings = simulate_ratings(QUALITY, [rater], 4)
    assert within(int(ratings.unable.sum()), len(QUALITY), 0.05)
    assert set(np.unique(ratings.value[~ratings.unable])) <= {1.0, 2.0, 3.0, 4.0, 5.0}


def test_a_harsher_rater_answers_lower() -> None:
    harsh = RaterProfile("simulated rater", 0.5, 0.25, 0.0, 0.0, 4000)
    assert simulate_ratings(QUALITY, [harsh], 5).value.mean() < simulate_ratings(QUALITY, [PLAIN], 5).value.mean() - 0.3


def test_the_last_of_a_panel_straight_lines_fast() -> None:
    panel = rater_panel(5, 2)
    ratings = simulate_ratings(QUALITY, panel, 2)
    careless = ratings.rater == 4
    assert within(int(np.sum(ratings.value[careless] == 4)), len(QUALITY), 0.94 + 0.06 / 5)
    assert np.median(ratings.active_ms[careless]) < 0.5 * np.median(ratings.active_ms[~careless])
    assert [rater.straight_line for rater in panel] == [None] * 4 + [4]
    assert [rater.name for rater in panel[:2]] == ["simulated rater 01", "simulated rater 02"]


def test_raters_differ_in_severity_around_none() -> None:
    severity = np.array([rater.severity for rater in rater_panel(400, 3, careless=False)])
    assert abs(severity.mean()) < 4 * 0.2 / np.sqrt(400)
    assert severity.std() == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(("n_items", "n_raters", "each"), [(100, 7, 3), (61, 5, 5), (10, 4, 1)])
def test_work_is_shared_evenly_and_nobody_gets_an_item_twice(n_items: int, n_raters: int, each: int) -> None:
    ratings = simulate_ratings(QUALITY[:n_items], rater_panel(n_raters, 1), 1, raters_per_item=each)
    assert len(ratings.item) == n_items * each
    assert set(np.bincount(ratings.item)) == {each}
    assert np.ptp(np.bincount(ratings.rater, minlength=n_raters)) <= 1
    assert len(set(zip(ratings.item.tolist(), ratings.rater.tolist(), strict=True))) == n_items * each


def test_ratings_refuse_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="must lie in 1…3"):
        simulate_ratings(QUALITY, rater_panel(3, 0), 0, raters_per_item=4)
    with pytest.raises(ValueError, match="finite"):
        simulate_ratings([0.0, np.nan], rater_panel(3, 0), 0)
    with pytest.raises(ValueError, match="attentive"):
        rater_panel(1, 0)


def test_verdicts_err_at_the_stated_rate() -> None:
    result = audits(error=0.1)
    right = np.arange(3000) % 4 != 0
    wrong_verdicts = (result.verdict == "right") != right[result.claim]
    assert within(int(wrong_verdicts.sum()), 6000, 0.1)


def test_an_auditor_without_error_is_right_with_reasons_for_wrong_claims_only() -> None:
    result = audits()
    right = (np.arange(3000) % 4 != 0)[result.claim]
    np.testing.assert_array_equal(result.verdict, np.where(right, "right", "wrong"))
    assert set(result.reason[~right]) == set(WRONG_REASONS)
    assert set(result.reason[right]) == {""}


def test_partly_right_and_cannot_tell_come_at_the_stated_rates() -> None:
    result = audits(partly=0.2, cannot_tell=0.1)
    right = (np.arange(3000) % 4 != 0)[result.claim]
    assert within(int(np.sum(result.verdict == "cannot tell")), 6000, 0.1)
    assert within(int(np.sum(result.verdict[right] == "partly right")), int(right.sum()), 0.2 * 0.9)
    assert set(result.verdict) == set(VERDICTS)


def test_missed_errors_are_listed_at_the_detection_rate() -> None:
    result = audits()
    missed = np.arange(3000) % 3 == 0
    for auditor in range(2):
        listed = result.listed_error[result.listed_auditor == auditor]
        assert within(int(missed[listed].sum()), 1000, 0.7)
        np.testing.assert_array_equal(result.listed_image[result.listed_auditor == auditor], listed % 1000)


def test_claimed_errors_are_listed_only_by_those_who_list_first() -> None:
    result = audits()
    claimed = np.arange(3000) % 3 != 0
    of_claimed = claimed[result.listed_error]
    assert of_claimed.any()
    assert result.lists_first[result.listed_auditor, result.listed_image][of_claimed].all()
    assert within(int(result.lists_first.sum()), result.lists_first.size, 0.5)


def test_auditors_find_independently_so_that_capture_recapture_holds() -> None:
    result = audits()
    missed = np.arange(3000) % 3 == 0
    one, two = (
        {int(e) for e in result.listed_error[result.listed_auditor == auditor] if missed[e]} for auditor in range(2)
    )
    assert within(len(one & two), 1000, 0.49)


def test_spurious_listings_name_no_true_error() -> None:
    result = audits(spurious=0.5)
    # Poisson with mean 0.5 × 1000 images × 2 auditors: 1000 ± 4 × sqrt(1000).
    assert abs(int(np.sum(result.listed_error == -1)) - 1000) < 127


def test_no_claims_and_no_errors_give_empty_arrays() -> None:
    result = simulate_audits(
        claim_is_right=[], error_image=[], error_is_claimed=[], n_images=0, panel=auditor_panel(2, 0), seed=0
    )
    assert len(result.claim) == len(result.verdict) == len(result.listed_error) == 0


def test_audits_refuse_what_cannot_be() -> None:
    panel = auditor_panel(1, 0)
    with pytest.raises(ValueError, match="differ in length"):
        simulate_audits(claim_is_right=[], error_image=[0], error_is_claimed=[], n_images=1, panel=panel, seed=0)
    with pytest.raises(ValueError, match="outside 0…0"):
        simulate_audits(claim_is_right=[], error_image=[1], error_is_claimed=[True], n_images=1, panel=panel, seed=0)


def test_it_imports_only_the_ground_floor() -> None:
    """Neither Django nor the generation app comes with it."""
    code = "import sys, annotations.simulation; print(sorted({'django', 'generation'} & set(sys.modules)))"
    root = Path(__file__).parents[2]
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
