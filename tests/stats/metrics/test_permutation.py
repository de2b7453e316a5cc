"""Tests of differences between metrics have the size they claim, in the world they claim it for."""

import numpy as np
import pytest
import scipy.stats

from annotations.stats.metrics.permutation import (
    clusters_of_metrics,
    correlation_differences,
    holm,
    prompt_differences,
    prompt_p,
    williams_test,
)
from annotations.stats.metrics.prompt_intervals import Clusters
from annotations.stats.metrics.sign_flips import flipped_sums, random_signs
from tests.stats.metrics.metric_data import simulated


def test_williams_of_the_published_example_with_its_sign() -> None:
    # mt-metrics-eval @68a481a, stats_test.py: one-sided p .019 (r .9994005 and .9868635).
    gold = [1, 2, 3, 4, 5]
    r = np.corrcoef([gold, [1.1, 2, 3.1, 4, 5.1], [1.5, 2, 3.1, 4, 5.5]])
    assert r[0, 1:] == pytest.approx([0.9994005, 0.9868635], abs=5e-8)
    t, p = williams_test(r[0, 1], r[0, 2], r[1, 2], 5)
    assert t > 0
    assert scipy.stats.t.sf(t, 2) == pytest.approx(0.0190737, abs=5e-8)
    assert p == pytest.approx(2 * 0.0190737, abs=1e-7)
    turned, same = williams_test(r[0, 2], r[0, 1], r[1, 2], 5)
    assert turned == pytest.approx(-t)
    assert same == pytest.approx(p)
    assert scipy.stats.t.sf(turned, 2) == pytest.approx(1 - 0.0190737, abs=5e-8)


@pytest.mark.parametrize("arguments", [(0.5, 0.4, 0.3, 3), (np.nan, 0.4, 0.3, 50), (1.0, 1.0, 1.0, 50)])
def test_williams_is_undefined_where_it_must_be(arguments: tuple[float, float, float, int]) -> None:
    assert np.isnan(williams_test(*arguments)).all()


def test_holm_steps_down() -> None:
    # 3 · .01, max(.03, 2 · .04) = .08, max(.08, .06) = .08; a test that could not be done counts for nothing.
    assert holm([0.06, 0.01, np.nan, 0.04]) == pytest.approx([0.08, 0.03, np.nan, 0.08], nan_ok=True)
    assert holm([0.6, 0.9]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_clusters_open_where_a_metric_differs_from_any_of_the_last() -> None:
    p = np.ones((4, 4))
    p[0, 2] = p[2, 0] = 0.01
    values = [0.9, 0.8, 0.7, np.nan]
    assert clusters_of_metrics(values, p) == ((0, 1), (2,))
    assert clusters_of_metrics(values, np.ones((4, 4))) == ((0, 1, 2),)
    assert clusters_of_metrics([np.nan], np.ones((1, 1))) == ()


def slow_p(human: np.ndarray, a: np.ndarray, b: np.ndarray, prompt: np.ndarray, swaps: np.ndarray) -> float:
    """The definition: standardise, exchange, correlate anew."""
    za, zb = (scipy.stats.zscore(x) for x in (a, b))

    def difference(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.corrcoef(human, x)[0, 1] - np.corrcoef(human, y)[0, 1])

    observed = abs(difference(za, zb))
    reached = 0
    for swap in swaps:
        mask = swap[prompt]
        reached += abs(difference(np.where(mask, zb, za), np.where(mask, za, zb))) >= observed - 1e-9
    return (reached + 1) / (len(swaps) + 1)


@pytest.mark.parametrize("ranks", [False, True])
def test_fast_permutations_are_the_slow_ones(ranks: bool) -> None:
    rng = np.random.default_rng(2)
    human, metrics, prompt, _ = simulated(40, 5, rng, quality=(1.0, 0.8))
    clusters = Clusters.of(prompt, len(prompt))
    h, a, b = human.astype(float), metrics[0], metrics[1]
    difference, p = correlation_differences(
        h, metrics, clusters, rng=np.random.default_rng(4), n_permutations=2000, ranks=ranks
    )
    if ranks:
        h, a, b = (scipy.stats.rankdata(x) for x in (h, a, b))
    assert difference[0, 1] == pytest.approx(np.corrcoef(h, a)[0, 1] - np.corrcoef(h, b)[0, 1], abs=1e-12)
    assert difference[1, 0] == -difference[0, 1]
    slow = slow_p(h, a, b, prompt, rng.integers(0, 2, (2000, 40)).astype(bool))
    # Two independent sets of 2,000 permutations: a standard error of the difference below .016.
    assert p[0, 1] == pytest.approx(slow, abs=0.06)
    few = flipped_signs_of(clusters.n_clusters, 50)
    _, exact = correlation_differences(
        human.astype(float) if not ranks else h,
        np.stack([a, b]),
        clusters,
        rng=np.random.default_rng(9),
        n_permutations=50,
    )
    assert exact[0, 1] == pytest.approx(slow_p(h, a, b, prompt, few))


def flipped_signs_of(n_clusters: int, n_flips: int) -> np.ndarray:
    """The swaps of seed 9, one column a prompt."""
    return flipped_sums(np.eye(n_clusters), random_signs(n_clusters, n_flips, np.random.default_rng(9))) < 0


def test_blocks_of_prompts_give_the_p_of_prompts() -> None:
    rng = np.random.default_rng(8)
    human, metrics, prompt, _ = simulated(3000, 3, rng, quality=(1.0, 0.97))
    prompts = Clusters.of(prompt, len(prompt))
    blocks = prompts.pooled(1000, rng)
    assert blocks.n_clusters == 1000
    assert np.bincount(blocks.code).tolist() == [9] * 1000
    one_block_each = {(p, b) for p, b in zip(prompt.tolist(), blocks.code.tolist(), strict=True)}
    assert len(one_block_each) == 3000
    assert prompts.pooled(3000, rng) is prompts
    p = [
        correlation_differences(human.astype(float), metrics, over, rng=rng, n_permutations=4000)[1][0, 1]
        for over in (prompts, blocks)
    ]
    assert 0.001 < p[0] < 0.9
    assert p[1] == pytest.approx(p[0], abs=4 * np.sqrt(2 * p[0] * (1 - p[0]) / 4000) + 0.1 * p[0])


def test_p_is_never_0_and_identical_metrics_do_not_differ() -> None:
    rng = np.random.default_rng(2)
    human, metrics, prompt, _ = simulated(80, 5, rng, quality=(2.0, 0.0))
    clusters = Clusters.of(prompt, len(prompt))
    _, p = correlation_differences(human.astype(float), metrics, clusters, rng=rng, n_permutations=99)
    assert p[0, 1] == pytest.approx(1 / 100)
    twins = np.stack([metrics[0], 3 * metrics[0] + 1])
    difference, p = correlation_differences(human.astype(float), twins, clusters, rng=rng, n_permutations=99)
    assert difference[0, 1] == pytest.approx(0, abs=1e-12)
    assert p[0, 1] == 1


def test_a_constant_metric_has_no_test() -> None:
    human = np.arange(10.0)
    scores = np.stack([np.ones(10), human])
    difference, p = correlation_differences(human, scores, Clusters.of(None, 10), rng=np.random.default_rng(0))
    assert np.isnan(difference[0, 1])
    assert np.isnan(p[0, 1])


def test_within_prompts_a_pair_uses_the_prompts_that_both_have() -> None:
    values = np.array([[1.0, 0.5, np.nan, 0.2], [0.0, 0.5, 0.3, np.nan], [np.nan] * 4])
    flipped = flipped_sums(prompt_differences(values), random_signs(4, 99, np.random.default_rng(0)))
    first, second, _ = prompt_p(values, flipped)
    assert first[0] == pytest.approx(0.5)
    assert first[2] == 2
    # Differences 1 and 0: every flip has the same absolute sum.
    assert first[1] == 1
    assert second[2] == 0
    assert np.isnan(second[1])


def test_sizes_of_the_permutation_tests() -> None:
    """Metrics of equal quality: exchanging whole prompts keeps the size where they err alike on a prompt's images.

    400 studies: a test of size 5% rejects 2.5% to 8% of them but once in 100. Exchanging single images rejects more
    than 8%; PERM-BOTH keeps its size where no error is shared within prompts.
    """
    rng = np.random.default_rng(11)
    rejected = {"prompts": 0, "images": 0, "ranks": 0, "within": 0, "both, nothing shared": 0}
    for _ in range(400):
        human, metrics, prompt, method = simulated(50, 6, rng, prompt_error=0.9)
        h, clusters = human.astype(float), Clusters.of(prompt, len(prompt))
        for name, over, ranks in (
            ("prompts", clusters, False),
            ("ranks", clusters, True),
            ("images", Clusters.of(None, len(prompt)), False),
        ):
            _, p = correlation_differences(h, metrics, over, rng=rng, n_permutations=99, ranks=ranks)
            rejected[name] += p[0, 1] <= 0.05
        human, metrics, prompt, method = simulated(50, 6, rng, prompt_error=0.0)
        _, p = correlation_differences(
            human.astype(float), metrics, Clusters.of(prompt, len(prompt)), method, rng=rng, n_permutations=99
        )
        rejected["both, nothing shared"] += p[0, 1] <= 0.05
        values = metrics.reshape(2, 50, 6).std(axis=2)
        flipped = flipped_sums(prompt_differences(values), random_signs(50, 99, rng))
        rejected["within"] += prompt_p(values, flipped)[0][1] <= 0.05
    rates = {name: count / 400 for name, count in rejected.items()}
    for name in ("prompts", "ranks", "within", "both, nothing shared"):
        assert 0.025 <= rates[name] <= 0.08, rates
    assert rates["images"] > 0.09, rates
