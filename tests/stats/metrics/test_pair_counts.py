"""Pairs counted in O(n log n) are the pairs that are listed one by one, for any width of ties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.metrics.pair_counts import PairCounts, count_pairs, settle, unit_pairs
from tests.stats.metrics.metric_data import list_pairs


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 30) | st.sampled_from([63, 64, 65, 127, 128, 129]),  # marks are counted by words of 64
    st.sampled_from([0.0, 0.1, 0.2, 0.35, 2.0]),
    st.sampled_from([0, 255]),
    st.booleans(),
)
def test_counts_are_those_of_listed_pairs(seed: int, n: int, epsilon: float, few: int, large: bool) -> None:
    rng = np.random.default_rng(seed)
    human = rng.integers(0, rng.integers(1, 9 if n < 63 else 60), n) * (10**9 if large else 1)
    metric = rng.integers(-3, 4, n) / 10
    listed = list_pairs(human, metric, epsilon)
    # By a wavelet matrix, or by marks of each level.
    assert count_pairs(human, metric, epsilon=epsilon, most_levels=few) == listed
    assert unit_pairs(human, metric, epsilon=epsilon, most_levels=few).total() == listed


def test_every_unit_s_pairs_are_the_same_by_marks_and_by_a_wavelet_matrix() -> None:
    rng = np.random.default_rng(5)
    human, metric = rng.integers(0, 150, 4000), rng.integers(0, 900, 4000) / 100
    found = [unit_pairs(human, metric, epsilon=0.03, most_levels=few) for few in (0, 255)]
    for name in PairCounts.__dataclass_fields__:
        assert np.array_equal(getattr(found[0], name), getattr(found[1], name))


def test_each_unit_has_its_own_pairs() -> None:
    rng = np.random.default_rng(8)
    human, metric = rng.integers(0, 4, 12), rng.integers(0, 5, 12) / 10
    whole, each = count_pairs(human, metric, epsilon=0.1), unit_pairs(human, metric, epsilon=0.1)
    for unit in range(12):
        others = np.delete(np.arange(12), unit)
        without = count_pairs(human[others], metric[others], epsilon=0.1)
        # The tolerance depends on the largest score, which may leave with the unit; it is far below a score's step.
        assert each.concordant[unit] == whole.concordant - without.concordant
        assert each.tied_both[unit] == whole.tied_both - without.tied_both
        assert each.tied_metric[unit] == whole.tied_metric - without.tied_metric


def test_seven_units_of_the_published_example() -> None:
    # mt-metrics-eval, stats_test.py, testKendallVariants_23: 21 pairs, of which 2 discordant, 3 tied in x only,
    # 2 in y only, 1 in both, so 13 concordant; accuracy (13 + 1)/21.
    counts = count_pairs([1, 1, 1, 2, 2, 3, 4], [1, 1, 2, 2, 4, 3, 3])
    assert counts == PairCounts(13, 2, 3, 2, 1)
    assert counts.correct / counts.pairs == 14 / 21
    # testKendallVariantsWithPositiveEpsilon, ε = 1 on x: x is the metric, 13 pairs tie in it, all 3 ties of y among
    # them, and 1 of the others is discordant, so 21 − 13 − 1 = 7 are concordant.
    wide = count_pairs([1, 1, 2, 2, 4, 3, 3], [1, 1, 1, 2, 2, 3, 4], epsilon=1)
    assert wide == PairCounts(7, 1, 0, 10, 3)


def test_variants_that_the_counts_give() -> None:
    # mt-metrics-eval: τ_23 = (C + T_both − D − T_one)/pairs, .2 on the five units and 7/21 on the seven.
    for gold, metric, expected in (
        ([1, 2, 2, 3, 4], [2, 1, 1.5, 5, 3], 0.2),
        ([1, 1, 1, 2, 2, 3, 4], [1, 1, 2, 2, 4, 3, 3], 7 / 21),
    ):
        counts = count_pairs(gold, metric)
        assert (2 * counts.correct - counts.pairs) / counts.pairs == pytest.approx(expected)
    # testKendallLike: pairs whose gold scores differ by the threshold or more, ties of the metric being wrong: 3/5 at
    # 25 and 2/6 at 1. The width is then on gold's side, just below the threshold.
    for threshold, expected in ((25, 3 / 5), (1, 2 / 6)):
        counts = count_pairs([2, 1, 4, 3], [10, 11, 100, 150], epsilon=threshold - 0.5)
        wrong = counts.discordant + counts.tied_human
        assert (counts.concordant - wrong) / (counts.concordant + wrong) == pytest.approx(expected)


def test_a_width_reaches_differences_that_floating_point_makes_a_little_wider() -> None:
    # 0.3 − 0.2 = 0.09999999999999998 and 0.8 − 0.7 = 0.10000000000000009: both are ties at ε = 0.1.
    assert 0.8 - 0.7 > 0.1
    assert count_pairs([0, 1], [0.7, 0.8], epsilon=0.1).tied_metric == 1
    assert count_pairs([0, 1], [0.2, 0.3], epsilon=0.1).tied_metric == 1


def test_settled_scores_lose_noise_and_nothing_else() -> None:
    assert settle(np.array([0.1 + 0.2]))[0] == 0.3
    kept = np.array([0.0, -1.5, 1e-9, 123456.789012, np.nan, 1e300, 5e-324])
    assert np.array_equal(settle(kept), kept, equal_nan=True)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="epsilon"):
        count_pairs([1, 2], [1.0, 2.0], epsilon=-0.1)
    with pytest.raises(ValueError, match="one length"):
        count_pairs([1, 2], [1.0, 2.0, 3.0])
