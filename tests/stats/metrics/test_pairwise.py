"""Calibration finds the best of all widths of ties, and what it reports was not fitted to its own pairs."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from annotations.stats.metrics.method_level import soft_pairwise_accuracy
from annotations.stats.metrics.pairwise import calibrate, calibrate_held_out, pair_accuracy, ties_only_accuracy
from annotations.stats.metrics.prompt_intervals import Clusters
from tests.stats.metrics.metric_data import list_pairs, simulated

GOLD, METRIC = np.array([1, 2, 2, 3, 4]), np.array([2, 1, 1.5, 5, 3])


def by_listing(
    human: NDArray[np.int64], metric: NDArray[np.float64], group: NDArray[np.int64], epsilon: float
) -> float:
    accuracies = []
    for one in np.unique(group):
        counts = list_pairs(human[group == one], metric[group == one], epsilon)
        if counts.pairs:
            accuracies.append(counts.correct / counts.pairs)
    return float(np.mean(accuracies))


def test_published_accuracies() -> None:
    # mt-metrics-eval @68a481a, stats_test.py: acc23 .6, at ε = 2 .4, tie-calibrated .7.
    assert pair_accuracy(GOLD, METRIC) == pytest.approx(0.6)
    assert pair_accuracy(GOLD, METRIC, epsilon=2) == pytest.approx(0.4)
    found = calibrate(GOLD, METRIC)
    assert found.accuracy == pytest.approx(0.7)
    assert ties_only_accuracy(GOLD) == pytest.approx(0.1)
    # The human tie 2, 2 has metric scores 1 and 1.5: at ε = 0.5 it is gained and no concordant pair is lost.
    assert found.epsilon == 0.5


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_no_width_is_better(seed: int, in_groups: bool) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 25))
    human, metric = rng.integers(0, 4, n), rng.integers(0, 9, n) / 10
    group = np.unique(rng.integers(0, 4, n), return_inverse=True)[1] if in_groups else np.zeros(n, dtype=np.int64)
    if np.bincount(group).max() < 2:
        return
    found = calibrate(human, metric, group=group if in_groups else None)
    widths = sorted({0.0} | {abs(a - b) for a, b in itertools.combinations(metric, 2)})
    accuracies = [by_listing(human, metric, group, width) for width in widths]
    assert found.accuracy == pytest.approx(max(accuracies), abs=1e-12)
    assert by_listing(human, metric, group, found.epsilon) == pytest.approx(found.accuracy, abs=1e-12)
    first = next(w for w, a in zip(widths, accuracies, strict=True) if a > max(accuracies) - 1e-12)
    assert found.epsilon == pytest.approx(first, abs=1e-12)


def test_held_out_accuracy_is_read_on_the_other_half() -> None:
    human, metrics, prompt, _ = simulated(200, 5, np.random.default_rng(3))
    clusters = Clusters.of(prompt, len(prompt))
    found = calibrate_held_out(human, metrics[0], clusters, rng=np.random.default_rng(1), group=prompt)
    assert found.exact
    again = {width: pair_accuracies(human, metrics[0], prompt, width) for width in found.half_epsilons}
    for one in range(200):
        assert found.by_group[one] in (again[found.half_epsilons[0]][one], again[found.half_epsilons[1]][one])
    assert found.accuracy == pytest.approx(found.by_group.mean())
    assert found.epsilon == calibrate(human, metrics[0], group=prompt).epsilon


def pair_accuracies(
    human: NDArray[np.int64], metric: NDArray[np.float64], group: NDArray[np.int64], epsilon: float
) -> list[float]:
    return [pair_accuracy(human[group == one], metric[group == one], epsilon=epsilon) for one in np.unique(group)]


def test_noise_gains_in_sample_and_not_held_out() -> None:
    # People tie often, the metric is noise without ties: fitted on its own pairs ε can only gain; on other prompts the
    # accuracy is on average that of always tying, the ties-only baseline, or below.
    rng = np.random.default_rng(6)
    gains = []
    for _ in range(60):
        human, metric = rng.integers(0, 3, 60), rng.normal(size=60)
        prompt = np.repeat(np.arange(12), 5)
        held = calibrate_held_out(human, metric, Clusters.of(prompt, 60), rng=rng, group=prompt)
        fitted = calibrate(human, metric, group=prompt)
        gains.append(fitted.accuracy - held.accuracy)
        assert fitted.accuracy >= ties_only_accuracy(human, group=prompt) - 1e-12
    assert np.mean(gains) > 0.02


def test_large_data_seek_epsilon_in_a_part_and_say_so() -> None:
    human, metrics, prompt, _ = simulated(100, 5, np.random.default_rng(3))
    clusters = Clusters.of(prompt, len(prompt))
    assert not calibrate_held_out(human, metrics[0], clusters, rng=np.random.default_rng(1), most_units=40).exact
    rng = np.random.default_rng(1)
    within = calibrate_held_out(human, metrics[0], clusters, rng=rng, group=prompt, most_pairs=200)
    assert not within.exact
    assert np.isfinite(within.by_group).all()


def test_no_pair_is_undefined_with_a_reason() -> None:
    alone = calibrate(np.array([1, 2]), np.array([1.0, 2.0]), group=np.array([0, 1]))
    assert np.isnan(alone.accuracy)
    assert alone.reason
    held = calibrate_held_out(np.array([1]), np.array([1.0]), Clusters.of(None, 1), rng=np.random.default_rng(0))
    assert np.isnan(held.accuracy)
    assert held.reason


def test_soft_pairwise_accuracy_of_the_published_example() -> None:
    # mt-metrics-eval: gold [1, 2, 3 | 2, 3, 4], metric [2, 2, 4 | 1, 3, 5] gives .872 from 1,000 random flips. All 2³
    # flips: people differ by −1, −1, −1, so every flip reaches the sum −3 and p = 1; the metric by 1, −1, −1, so all
    # but one flip reach −1 and p = 7/8. 1 − |1 − 7/8| = .875.
    gold, metric = np.array([[1, 2.0], [2, 3], [3, 4]]), np.array([[2, 1.0], [2, 3], [4, 5]])
    rng = np.random.default_rng(0)
    [found] = soft_pairwise_accuracy([(gold, metric)], rng=rng, mid_p=False)
    assert found.value == pytest.approx(0.875)
    assert found.value == pytest.approx(0.872, abs=0.01)
    # Ties by half: p = 7/8 + 1/16 = 15/16 and 4/8 + 3/16 = 11/16, and the methods' order no longer matters.
    [half] = soft_pairwise_accuracy([(gold, metric)], rng=rng)
    [turned] = soft_pairwise_accuracy([(gold[:, ::-1], metric[:, ::-1])], rng=rng)
    assert half.value == pytest.approx(0.75)
    assert turned.value == pytest.approx(0.75)
    [full_turned] = soft_pairwise_accuracy([(gold[:, ::-1], metric[:, ::-1])], rng=rng, mid_p=False)
    assert full_turned.value != pytest.approx(0.875)


def test_soft_pairwise_accuracy_of_many_prompts_flips_blocks_to_the_same_value() -> None:
    rng = np.random.default_rng(3)
    human = rng.normal(size=(5000, 3)) + np.array([0, 0.02, 0.03])
    metric = human + rng.normal(size=(5000, 3))
    [found] = soft_pairwise_accuracy([(human, metric)], rng=rng, n_permutations=4000)
    # Many flipped sums are normal: p is the upper tail of the difference over the root of its sum of squares.
    tails = []
    for table in (human, metric):
        apart = [table[:, i] - table[:, j] for i, j in ((0, 1), (0, 2), (1, 2))]
        tails.append([scipy.stats.norm.sf(d.sum() / np.sqrt((d**2).sum())) for d in apart])
    assert found.value == pytest.approx(1 - np.abs(np.subtract(*tails)).mean(), abs=0.03)


def test_soft_pairwise_accuracy_leaves_out_prompts_with_gaps() -> None:
    rng = np.random.default_rng(0)
    human, metric = rng.normal(size=(8, 3)), rng.normal(size=(8, 3))
    gap = metric.copy()
    gap[[2, 5], [0, 1]] = np.nan
    kept = np.setdiff1d(np.arange(8), [2, 5])
    [with_gaps] = soft_pairwise_accuracy([(human, gap)], rng=rng)
    [without] = soft_pairwise_accuracy([(human[kept], metric[kept])], rng=rng)
    assert with_gaps.n_prompts == 6
    assert with_gaps.value == pytest.approx(without.value, abs=1e-12)
    [none] = soft_pairwise_accuracy([(human, np.full((8, 3), np.nan))], rng=rng)
    assert np.isnan(none.value)
    assert "no prompt" in none.reason
    [one_method] = soft_pairwise_accuracy([(human[:, :1], metric[:, :1])], rng=rng)
    assert "two or more methods" in one_method.reason
