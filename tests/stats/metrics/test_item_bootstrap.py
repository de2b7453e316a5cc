"""A resample by weights is the resample by copies, and the intervals cover what they say."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.metrics.influence import item_level
from annotations.stats.metrics.item_bootstrap import resampled_accuracy, resampled_item_level
from annotations.stats.metrics.prompt_intervals import Clusters, bootstrap_interval, linearised_interval
from annotations.stats.metrics.sign_flips import all_signs, flipped_sums, random_signs
from tests.stats.metrics.metric_data import simulated


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32 - 1))
@pytest.mark.filterwarnings("ignore::scipy.stats.ConstantInputWarning", "ignore:invalid value:RuntimeWarning")
def test_draws_are_those_of_copied_units(seed: int) -> None:
    rng = np.random.default_rng(seed)
    code = np.array([0, 0, 1, 1, 1, 2, 3, 3, 4, 4, 4, 4, 5])
    n = len(code)
    human, metric = rng.integers(0, 4, n), rng.integers(0, 5, n) / 10
    clusters = Clusters.of(code, n)
    drawn = rng.multinomial(6, [1 / 6] * 6, size=4)
    fast = resampled_item_level(human.astype(float), human, metric, clusters, [drawn[:1], drawn[1:]])
    wide = resampled_accuracy(human, metric, 0.2, clusters, [drawn])
    for row in range(4):
        units = np.repeat(np.arange(n), drawn[row][code])
        h, m = human[units], metric[units]
        right = right_wide = pairs = 0
        for i, j in itertools.combinations(range(len(units)), 2):
            if units[i] == units[j]:
                continue
            pairs += 1
            right += np.sign(h[i] - h[j]) == np.sign(m[i] - m[j])
            apart = m[i] - m[j]
            right_wide += np.sign(h[i] - h[j]) == (0 if abs(apart) <= 0.2 + 1e-12 else np.sign(apart))
        assert fast["pairwise_accuracy"][row] == pytest.approx(right / pairs, abs=1e-12)
        assert wide[row] == pytest.approx(right_wide / pairs, abs=1e-12)
        if len(set(h)) == 1 or len(set(m)) == 1:
            assert np.isnan(fast["kendall_tau_b"][row])
            continue
        assert fast["pearson"][row] == pytest.approx(scipy.stats.pearsonr(h, m).statistic, abs=1e-10)
        assert fast["spearman"][row] == pytest.approx(scipy.stats.spearmanr(h, m).statistic, abs=1e-10)
        for variant in ("b", "c"):
            expected = scipy.stats.kendalltau(h, m, variant=variant).statistic
            assert fast[f"kendall_tau_{variant}"][row] == pytest.approx(expected, abs=1e-10)


def test_bootstrap_and_jackknife_agree_on_a_real_size() -> None:
    rng = np.random.default_rng(2)
    human, metrics, prompt, _ = simulated(150, 5, rng)
    clusters = Clusters.of(prompt, len(prompt))
    statistics = item_level(human.astype(float), human, metrics[0])
    drawn = [rng.multinomial(150, [1 / 150] * 150, size=2000)]
    draws = resampled_item_level(human.astype(float), human, metrics[0], clusters, drawn)
    for name, statistic in statistics.items():
        scale = "logit" if name == "pairwise_accuracy" else "fisher z"
        boot = bootstrap_interval(statistic.value, draws[name], clusters, scale=scale)
        knife = linearised_interval(statistic, clusters, scale=scale)
        assert boot.high - boot.low == pytest.approx(knife.high - knife.low, rel=0.1)
        assert "bootstrap over prompts" in boot.method
        assert "infinitesimal jackknife over prompts" in knife.method


def test_intervals_over_prompts_cover_and_those_over_units_do_not() -> None:
    # 300 studies of 60 prompts × 5 methods: a true 95% interval covers at least 91% of them but once in 2,000.
    true = item_level_of(simulated(40_000, 5, np.random.default_rng(99)))
    rng = np.random.default_rng(1)
    covered = dict.fromkeys(true, 0)
    ignoring_prompts = 0
    for _ in range(300):
        human, metrics, prompt, _ = simulated(60, 5, rng)
        found = item_level(human.astype(float), human, metrics[0])
        for name, statistic in found.items():
            scale = "logit" if name == "pairwise_accuracy" else "fisher z"
            interval = linearised_interval(statistic, Clusters.of(prompt, len(prompt)), scale=scale)
            covered[name] += interval.low <= true[name] <= interval.high
        lone = linearised_interval(found["spearman"], Clusters.of(None, len(prompt)), scale="fisher z")
        ignoring_prompts += lone.low <= true["spearman"] <= lone.high
    for name, count in covered.items():
        assert 0.91 <= count / 300 <= 0.985, (name, count / 300)
    assert ignoring_prompts / 300 < 0.9


def item_level_of(study: tuple[np.ndarray, ...]) -> dict[str, float]:
    human, metrics, _, _ = study
    return {name: one.value for name, one in item_level(human.astype(float), human, metrics[0]).items()}


def test_degenerate_intervals_give_reasons() -> None:
    perfect = item_level(np.array([1.0, 2, 3]), np.array([0, 1, 2]), np.array([1.0, 2, 3]))["pearson"]
    assert "end of its range" in linearised_interval(perfect, Clusters.of(None, 3), scale="fisher z").reason
    some = item_level(np.array([1.0, 2, 3]), np.array([0, 1, 2]), np.array([1.0, 3, 2]))["pearson"]
    one_prompt = linearised_interval(some, Clusters.of(np.zeros(3), 3), scale="fisher z")
    assert "two or more prompts" in one_prompt.reason
    lost = bootstrap_interval(0.5, np.array([np.nan, np.nan, 0.4]), Clusters.of(None, 3), scale="fisher z")
    assert "undefined in at least half" in lost.reason
    kept = bootstrap_interval(0.5, np.array([np.nan, 0.6, 0.4, 0.5]), Clusters.of(None, 3), scale="fisher z")
    assert kept.n_undefined == 1


def test_sign_flips_are_sums_with_signs() -> None:
    columns = np.array([[1.0, 10], [2, 20], [4, 40]])
    every = flipped_sums(columns, all_signs(3))
    assert sorted(every[:, 0]) == [-7, -5, -3, -1, 1, 3, 5, 7]
    assert np.array_equal(every[:, 1], 10 * every[:, 0])
    drawn = flipped_sums(np.ones((50_000, 1)), random_signs(50_000, 200, np.random.default_rng(0)))[:, 0]
    # Sums of 50,000 fair signs: mean 0 and standard deviation 223.6.
    assert abs(drawn.mean()) < 4 * 223.6 / 200**0.5
    assert 190 < drawn.std() < 260
