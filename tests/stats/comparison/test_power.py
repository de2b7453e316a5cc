import numpy as np
import pytest
from numpy.typing import NDArray

from annotations.stats.comparison.compare import compare
from annotations.stats.comparison.power import (
    VarianceComponents,
    pilot_components,
    plan,
    plan_table,
    plans_around,
    required_prompts,
    variance_components,
)
from annotations.stats.ratings import Ratings
from tests.stats.comparison.comparison_data import dsg_consistency, paired_scores


def test_balanced_components_equal_the_mean_squares() -> None:
    # Shrout and Fleiss (1979), 6 targets × 4 judges: BMS 11.24, JMS 32.49, EMS 1.02 (published), so that
    # σ²_targets = (BMS − EMS)/4 = 2.556, σ²_judges = (JMS − EMS)/6 = 5.244, σ²_E = 1.019.
    table = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    target, judge = np.indices(table.shape)
    got = variance_components(table.ravel(), target.ravel(), judge.ravel())
    assert (got.prompts, got.raters, got.residual) == pytest.approx((2.5556, 5.2444, 1.0194), abs=1e-4)
    assert (got.n_prompts, got.n_raters, got.n_pairs) == (6, 4, 24)


def preferences(
    rng: np.random.Generator, n: int, total: int, k: int, mean: float = 0.3
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Preferences of k of `total` raters on n prompts: σ²_P = 1, σ²_R = 0.25, σ²_E = 0.64."""
    rater = np.argsort(rng.random((n, total)), axis=1)[:, :k].ravel()
    prompt = np.repeat(np.arange(n), k)
    d = mean + rng.normal(0, 1, n)[prompt] + rng.normal(0, 0.5, total)[rater] + rng.normal(0, 0.8, n * k)
    return d, prompt, rater


def test_components_of_gappy_data_are_unbiased() -> None:
    rng = np.random.default_rng(0)
    got = []
    for _ in range(200):
        d, prompt, rater = preferences(rng, 60, 12, 5)
        kept = rng.random(len(d)) < np.where(prompt < 30, 0.4, 0.95)
        one = variance_components(d[kept], prompt[kept], rater[kept])
        got.append((one.prompts, one.raters, one.residual))
    error = np.std(got, axis=0, ddof=1) / np.sqrt(200)
    assert np.all(np.abs(np.mean(got, axis=0) - (1, 0.25, 0.64)) < 4 * error)


def test_the_variance_of_the_mean_is_what_simulation_gives() -> None:
    truth = VarianceComponents(1.0, 0.25, 0.64, 0.3, 0, 0, 0)
    rng = np.random.default_rng(1)
    means = [np.mean(preferences(rng, 30, 8, 2)[0]) for _ in range(3000)]
    # The sample variance of 3,000 normal means has a relative standard error of √(2/2999) = 2.6%.
    assert np.var(means) == pytest.approx(truth.variance_of_mean(30, 2, 8), rel=0.11)


def test_power_is_what_simulated_comparisons_find() -> None:
    """Fixed raters: 500 studies of 40 prompts, 2 of 4 raters each; rejections by the paired t against the forecast."""
    truth = VarianceComponents(1.0, 0.0, 0.64, 0.5, 0, 0, 0)
    forecast = plan(truth, n_prompts=40, raters_per_prompt=2, n_raters=4, effect=0.5, generality="prompts")
    rng = np.random.default_rng(2)
    rejected = 0
    for _ in range(500):
        d = 0.5 + rng.normal(0, 1, 40) + rng.normal(0, 0.8, (40, 2)).mean(axis=1)
        rejected += abs(d.mean()) / (d.std(ddof=1) / np.sqrt(40)) > 2.0227  # t(39, .975)
    assert 0.5 < forecast.power < 0.95
    assert abs(rejected / 500 - forecast.power) < 4 * np.sqrt(0.25 / 500)


def test_a_pilot_foretells_its_own_intervals() -> None:
    """The forecast for the published study's own size against the intervals that the comparison gives it."""
    (ratings, prompt, method), models, _ = dsg_consistency()
    codes = {"baseline": models.index("sd1dot1"), "refined": models.index("sd2dot1")}
    pilot = pilot_components(ratings, prompt=prompt, method=method, **codes)
    assert (pilot.n_prompts, pilot.n_raters, pilot.n_pairs) == (160, 5, 797)
    got = compare(ratings, prompt=prompt, method=method, rng=np.random.default_rng(0), n_resamples=10, **codes)
    for generality in ("prompts", "prompts and raters"):
        interval = got.mean_diff.interval(generality)
        assert interval is not None
        size = plan(pilot, n_prompts=160, raters_per_prompt=5, n_raters=5, generality=generality)
        assert size.half_width == pytest.approx((interval.high - interval.low) / 2, rel=0.1)


def test_the_smallest_study_is_the_smallest() -> None:
    truth = VarianceComponents(1.0, 0.05, 0.64, 0.3, 0, 0, 0)
    got = required_prompts(truth, raters_per_prompt=3, n_raters=30, half_width=0.2)
    assert got is not None
    assert got.half_width <= 0.2
    assert np.isnan(got.power)
    assert got.n_ratings == got.n_prompts * 6
    smaller = plan(truth, n_prompts=got.n_prompts - 1, raters_per_prompt=3, n_raters=30)
    assert smaller.half_width > 0.2
    powered = required_prompts(truth, raters_per_prompt=3, n_raters=30, effect=0.3, power=0.8)
    assert powered is not None
    assert powered.power >= 0.8
    assert plan(truth, n_prompts=powered.n_prompts - 1, raters_per_prompt=3, n_raters=30, effect=0.3).power < 0.8


def test_worked_example() -> None:
    """The example of docs/methods/comparison.md."""
    truth = VarianceComponents(1.0, 0.25, 0.64, 0.3, 0, 0, 0)
    # 1/100 + 0.25/20 + 0.64/300
    assert truth.variance_of_mean(100, 3, 20) == pytest.approx(0.01 + 0.0125 + 0.0021333, abs=1e-7)
    got = plan(truth, n_prompts=100, raters_per_prompt=3, n_raters=20, effect=0.5)
    assert (got.half_width, got.power) == pytest.approx((0.3137, 0.8803), abs=5e-5)
    wanted = required_prompts(truth, raters_per_prompt=3, n_raters=20, half_width=0.35)
    assert wanted is not None
    assert wanted.n_prompts == 67


def test_two_more_raters_may_narrow_an_interval_more_than_forty_prompts() -> None:
    """σ² .01, .25 and .09 for prompts, raters and the rest, all raters on all 40 prompts: the variance is
    (.01 + .09/5)/40 + .25/5 = .0507, with 80 prompts .05035, and with seven raters .03629. Student's quantiles of 4.11,
    4.06 and 6.19 degrees of freedom are 2.747, 2.761 and 2.429."""
    pilot = VarianceComponents(0.01, 0.25, 0.09, 0.5, 40, 5, 200)
    found = plans_around(pilot, n_raters=5, raters_per_prompt=5)
    own, width = found[0], {(one.n_prompts, one.n_raters): one.half_width for one in found}
    assert (own.n_prompts, own.n_raters, own.raters_per_prompt) == (40, 5, 5)
    assert own.half_width == pytest.approx(0.6185, abs=5e-5)
    assert width[80, 5] == pytest.approx(0.6196, abs=5e-5)
    assert width[40, 7] == pytest.approx(0.4626, abs=5e-5)
    assert {n for n, _ in width} >= {10, 20, 40, 80, 160}
    assert {n for _, n in width} == {5, 7, 10, 20}


def test_where_each_prompt_has_some_of_the_raters_it_keeps_their_number() -> None:
    pilot = VarianceComponents(0.5, 0.1, 0.4, 0.5, 40, 8, 120)
    found = plans_around(pilot, n_raters=8, raters_per_prompt=3.2)
    assert {one.raters_per_prompt for one in found} == {3}
    assert plans_around(VarianceComponents(0.0, 0.0, 0.0, 0.5, 40, 8, 120), n_raters=8, raters_per_prompt=3) == ()


def test_no_number_of_prompts_makes_up_for_few_raters() -> None:
    truth = VarianceComponents(1.0, 0.25, 0.64, 0.3, 0, 0, 0)
    # t(4, .975) · √(0.25/5) = 0.62: the floor with 5 raters.
    assert required_prompts(truth, raters_per_prompt=5, n_raters=5, half_width=0.5) is None
    assert required_prompts(truth, raters_per_prompt=5, n_raters=100, half_width=0.5) is not None
    rows = plan_table(truth, half_widths=[0.5], raters_per_prompt=[2, 8], n_raters=[5, 100])
    assert [(k, total, size is None) for _, k, total, size in rows] == [(2, 5, True), (2, 100, False), (8, 100, False)]


def test_raters_who_like_refined_equally_give_zero_and_a_note() -> None:
    d, prompt, rater = preferences(np.random.default_rng(3), 40, 5, 3)
    balanced = d - np.bincount(rater, d)[rater] / np.bincount(rater)[rater]
    got = variance_components(balanced, prompt, rater)
    assert got.raters == 0
    assert any("raters: estimated below zero" in note for note in got.notes)


@pytest.mark.parametrize(
    ("prompt", "rater", "reason"),
    [
        ([0, 1, 2], [0, 0, 0], "two prompts and two raters"),
        ([], [], "two prompts and two raters"),
        ([0, 1, 2, 3], [0, 1, 0, 1], "one rater alone"),
    ],
)
def test_a_pilot_that_cannot_tell(prompt: list[int], rater: list[int], reason: str) -> None:
    got = variance_components(
        np.arange(len(prompt), dtype=float), np.array(prompt, dtype=int), np.array(rater, dtype=int)
    )
    assert reason in got.reason
    assert np.isnan(got.prompts)
    assert required_prompts(got, raters_per_prompt=1, n_raters=1, half_width=0.1) is None
    assert np.isnan(plan(got, n_prompts=10, raters_per_prompt=1, n_raters=1).half_width)


def test_only_raters_of_both_methods_make_a_preference() -> None:
    nan = np.nan
    ratings = Ratings.from_matrix([[1, 3, 2, 5], [2, 4, nan, 4], [nan, 1, 1, 1]], (1, 2, 3, 4, 5))
    got = pilot_components(ratings, prompt=np.array([0, 0, 1, 1]), method=np.array([0, 1, 0, 1]), baseline=0, refined=1)
    # Rater 0: +2, +3; rater 1: +2 on prompt 0; rater 2: 0 on prompt 1.
    assert got.n_pairs == 4
    assert got.mean == pytest.approx(7 / 4)


def test_malformed_arguments() -> None:
    ratings, prompt, method = paired_scores([1, 2], [2, 3])
    pilot = pilot_components(ratings, prompt=prompt, method=method, baseline=0, refined=1)
    with pytest.raises(ValueError, match="at most n_raters"):
        plan(pilot, n_prompts=5, raters_per_prompt=3, n_raters=2)
    with pytest.raises(ValueError, match="either half_width or effect"):
        required_prompts(pilot, raters_per_prompt=1, n_raters=2)
