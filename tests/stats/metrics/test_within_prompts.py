"""Statistics within prompts equal the same statistics of each prompt alone."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.metrics.within_prompts import LARGE, group_pairs, group_pearson, pooled_differences
from tests.stats.metrics.metric_data import list_pairs


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.1, 0.2]), st.sampled_from([3, LARGE]))
@pytest.mark.filterwarnings("ignore::scipy.stats.ConstantInputWarning")
def test_every_group_is_counted_as_if_alone(seed: int, epsilon: float, large: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    group, human, metric = rng.integers(0, 6, n), rng.integers(0, 4, n), rng.integers(0, 5, n) / 10
    pairs = group_pairs(human, metric, group, 6, epsilon=epsilon, large=large)
    pearson = group_pearson(human.astype(float), metric, group, 6)
    for one in range(6):
        mine = np.flatnonzero(group == one)
        listed = list_pairs(human[mine], metric[mine], epsilon)
        # The tolerance is taken from the largest score of all groups; scores here are steps of 0.1.
        assert pairs.concordant[one] == listed.concordant
        assert pairs.discordant[one] == listed.discordant
        assert pairs.tied_human[one] == listed.tied_human
        assert pairs.tied_metric[one] == listed.tied_metric
        assert pairs.tied_both[one] == listed.tied_both
        if len(mine) < 2:
            assert np.isnan(pairs.accuracy()[one])
        if len(set(human[mine])) < 2 or len(set(metric[mine])) < 2:
            assert np.isnan(pearson[one])
            assert np.isnan(pairs.spearman[one])
            continue
        assert pearson[one] == pytest.approx(scipy.stats.pearsonr(human[mine], metric[mine]).statistic, abs=1e-12)
        rho = scipy.stats.spearmanr(human[mine], metric[mine]).statistic
        assert pairs.spearman[one] == pytest.approx(rho, abs=1e-12)
        if epsilon == 0:
            tau = scipy.stats.kendalltau(human[mine], metric[mine]).statistic
            assert pairs.kendall_tau_b()[one] == pytest.approx(tau, abs=1e-12)


def test_rounding_is_not_variation() -> None:
    # 0.1 + 0.2 and 0.3 differ by 5.6e-17.
    pearson = group_pearson(np.array([1.0, 2.0]), np.array([0.1 + 0.2, 0.3]), np.array([0, 0]), 1)
    assert np.isnan(pearson[0])


def test_pooled_differences_are_those_of_listed_pairs() -> None:
    rng = np.random.default_rng(4)
    group, human, metric = rng.integers(0, 7, 40), rng.integers(0, 4, 40).astype(float), rng.random(40)
    first, second = np.triu_indices(40, 1)
    within = group[first] == group[second]
    dh, dm = (x[first[within]] - x[second[within]] for x in (human, metric))
    expected = (dh @ dm) / np.sqrt((dh @ dh) * (dm @ dm))
    found = pooled_differences(human, metric, group, 7)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.influence.sum() == pytest.approx(0, abs=1e-12)
    assert np.isnan(pooled_differences(np.ones(40), metric, group, 7).value)
    assert "metric's scores" in pooled_differences(human, np.full(40, 0.1), group, 7).reason
