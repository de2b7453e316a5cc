"""The three levels give the published values, say what they rest on, and never depend on the order of anything."""

import numpy as np
import pytest
from numpy.typing import NDArray

from annotations.stats.estimate import Estimate
from annotations.stats.exact_means import unit_means
from annotations.stats.metrics.correlation import correlate
from annotations.stats.ratings import Ratings
from tests.stats.metrics.metric_data import of_one_rater, read_dsg_tifa, simulated


def figures(
    human: Ratings,
    metric: NDArray[np.float64],
    prompt: NDArray[np.int64] | None = None,
    method: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    found = correlate(
        unit_means(human), metric, prompt=prompt, method=method, rng=np.random.default_rng(seed), n_resamples=200
    )
    return {one.statistic: one for one in found}


def test_published_averages_over_systems_and_items() -> None:
    # mt-metrics-eval @68a481a, stats_test.py: 2 systems × 3 items. Pearson .776 over all, .760 by system, 1 by item;
    # Kendall τ-b .552, .575, 1. "Prompt" is here what is grouped by: first the system, then the item.
    gold, metric = of_one_rater([1, 2, 3, 4, 5, 6]), np.array([2.0, 1, 4, 3, 3, 7])
    by_system = figures(gold, metric, prompt=np.array([0, 0, 0, 1, 1, 1]))
    by_item = figures(gold, metric, prompt=np.array([0, 1, 2, 0, 1, 2]))
    assert by_system["pearson"].value == pytest.approx(0.776, abs=5e-4)
    assert by_system["pearson_grouped_by_prompt"].value == pytest.approx(0.760, abs=5e-4)
    assert by_item["pearson_grouped_by_prompt"].value == pytest.approx(1, abs=1e-12)
    assert by_system["kendall_tau_b"].value == pytest.approx(0.552, abs=5e-4)
    assert by_system["kendall_tau_b_grouped_by_prompt"].value == pytest.approx(0.575, abs=5e-4)
    assert by_item["kendall_tau_b_grouped_by_prompt"].value == pytest.approx(1, abs=1e-12)
    # PDP by item .926: gold differences 3, 3, 3 and metric 1, 2, 3, so 18/√(27 · 14).
    assert by_item["pearson_of_differences_in_prompts"].value == pytest.approx(18 / np.sqrt(27 * 14), abs=1e-12)
    assert by_item["pearson_of_differences_in_prompts"].value == pytest.approx(0.926, abs=5e-4)
    # testKendallC: τ-c .556 over all.
    assert by_system["kendall_tau_c"].value == pytest.approx(0.556, abs=5e-4)


@pytest.mark.parametrize(
    ("dimension", "published", "spearman"),
    [
        ("consistency", "correlations_vs_dsg5", "spearman"),
        ("consistency_tifa", "correlations_vs_tifa2", "true_spearman"),
    ],
)
def test_real_ratings_reproduce_published_correlations(dimension: str, published: str, spearman: str) -> None:
    data = read_dsg_tifa()
    for expected in data.expected[published]:
        found = figures(data.ratings[dimension], data.metrics[expected["metric"]], data.prompt, data.method)
        assert found["pearson"].value == pytest.approx(expected["pearson"], abs=1e-6)
        assert found["spearman"].value == pytest.approx(expected[spearman], abs=1e-6)
        assert found["kendall_tau_b"].value == pytest.approx(expected["kendall_tau_b"], abs=1e-6)
        assert found["spearman"].n["units"] == 800
        assert found["spearman"].n["prompts"] == 160


def test_noise_that_breaks_ties_is_counted_and_can_be_rounded_away() -> None:
    # 0.1 + 0.2 and 0.3 are one score with two representations.
    human, metric = of_one_rater([1, 1, 2, 3]), np.array([0.1 + 0.2, 0.3, 0.5, 0.4])
    found = correlate(unit_means(human), metric, rng=np.random.default_rng(0))
    assert found[0].n["near_ties"] == 1
    plain = {one.statistic: one.value for one in found}
    settled = {
        one.statistic: one.value
        for one in correlate(unit_means(human), np.round(metric, 12), rng=np.random.default_rng(0))
    }
    # Of 6 pairs people tie one; it counts as right only where the metric's noise is rounded away.
    assert plain["pairwise_accuracy"] == pytest.approx(4 / 6)
    assert settled["pairwise_accuracy"] == pytest.approx(5 / 6)


def test_the_order_of_raters_and_of_units_does_not_matter() -> None:
    rng = np.random.default_rng(7)
    table = rng.choice([0, 0.1, 0.2, 0.3, 1.0], size=(4, 60))
    table[rng.random(table.shape) < 0.3] = np.nan
    scale, metric = [0, 0.1, 0.2, 0.3, 1.0], np.round(rng.random(60), 1)
    prompt, method = np.repeat(np.arange(12), 5), np.tile(np.arange(5), 12)
    first = figures(Ratings.from_matrix(table, scale), metric, prompt, method)
    raters = figures(Ratings.from_matrix(table[::-1], scale), metric, prompt, method)
    order = rng.permutation(60)
    units = figures(Ratings.from_matrix(table[:, order], scale), metric[order], prompt[order], method[order])
    renamed = figures(Ratings.from_matrix(table, scale), metric, 11 - prompt, 4 - method)
    for name, one in first.items():
        assert raters[name].value == one.value
        assert units[name].value == pytest.approx(one.value, abs=1e-12)
        assert renamed[name].value == pytest.approx(one.value, abs=1e-12)


def test_a_duplicated_rater_changes_nothing_where_every_rater_answered() -> None:
    rng = np.random.default_rng(7)
    table, metric = rng.integers(1, 6, (3, 50)).astype(float), rng.random(50)
    once = figures(Ratings.from_matrix(table, range(1, 6)), metric)
    twice = figures(Ratings.from_matrix(np.vstack([table, table]), range(1, 6)), metric)
    for name, one in once.items():
        assert twice[name].value == one.value


def test_missing_scores_and_unrated_units_are_left_out() -> None:
    rng = np.random.default_rng(1)
    table, metric = rng.integers(1, 6, (2, 40)).astype(float), rng.random(40)
    table[:, 3], metric[5] = np.nan, np.nan
    kept = np.setdiff1d(np.arange(40), [3, 5])
    found = figures(Ratings.from_matrix(table, range(1, 6)), metric)
    alone = figures(Ratings.from_matrix(table[:, kept], range(1, 6)), metric[kept])
    assert found["spearman"].n["units"] == 38
    assert found["spearman"].value == alone["spearman"].value


def test_prompts_without_variation_are_counted_as_undefined() -> None:
    human, prompt = of_one_rater([1, 2, 3, 3, 2, 2, 1]), np.array([0, 0, 1, 1, 2, 2, 3])
    found = figures(human, np.array([1.0, 2, 1, 2, 1, 1, 5]), prompt)
    tau = found["kendall_tau_b_grouped_by_prompt"]
    # Prompt 0 has τ = 1; in 1 people tie, in 2 both tie, 3 has one unit.
    assert tau.value == 1
    assert tau.n["prompts"] == 1
    assert tau.n["prompts_undefined"] == 3
    accuracy = found["pairwise_accuracy_grouped_by_prompt"]
    # 1, 0 and 1 in the three prompts that have a pair.
    assert accuracy.value == pytest.approx(2 / 3)
    assert accuracy.n["prompts_undefined"] == 1


def test_a_constant_metric_is_undefined_but_for_accuracy() -> None:
    human = of_one_rater([1, 1, 2, 3])
    found = figures(human, np.full(4, 0.7), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    for name in ("pearson", "spearman", "kendall_tau_b", "kendall_tau_c", "spearman_grouped_by_prompt"):
        assert np.isnan(found[name].value)
        assert found[name].reason
    assert found["pairwise_accuracy"].value == pytest.approx(1 / 6)
    assert np.isnan(found["kendall_tau_b_method_level"].value)


def test_method_level_is_the_correlation_of_means() -> None:
    human, metrics, prompt, method = simulated(30, 4, np.random.default_rng(5))
    ratings = of_one_rater([float(value) for value in human], [float(v) for v in range(3, 16)])
    found = figures(ratings, metrics[0], prompt, method)
    of_humans, of_metric = (np.array([x[method == m].mean() for m in range(4)]) for x in (human, metrics[0]))
    assert found["pearson_method_level"].value == pytest.approx(np.corrcoef(of_humans, of_metric)[0, 1])
    interval = found["pearson_method_level"].interval("prompts")
    assert interval is not None
    assert interval.low < found["pearson_method_level"].value < interval.high
    assert found["pearson_method_level"].n["methods"] == 4


def test_method_level_blocks_of_prompts_give_the_same_interval_as_prompts() -> None:
    human, metrics, prompt, method = simulated(3000, 3, np.random.default_rng(5))
    human = human + 2 * method
    metric = metrics[0] + 0.1 * np.array([0, 3, 2])[method]
    ratings = of_one_rater([float(value) for value in human], [float(v) for v in range(3, 20)])
    found = figures(ratings, metric, prompt, method)["pearson_method_level"].interval("prompts")
    # Under the normal law of the means, drawn directly.
    rng, cells = np.random.default_rng(1), np.stack([human, metric]).reshape(2, 3000, 3)
    means, spread = cells.mean(axis=1).ravel(), np.cov(cells.transpose(0, 2, 1).reshape(6, 3000)) / 3000
    draws = rng.multivariate_normal(means, spread, 4000)
    z = np.arctanh([np.corrcoef(draw[:3], draw[3:])[0, 1] for draw in draws])
    centre = np.arctanh(np.corrcoef(means[:3], means[3:])[0, 1])
    reach = 1.96 * np.sqrt(np.mean((z - centre) ** 2))
    assert found is not None
    assert np.arctanh(found.low) == pytest.approx(centre - reach, abs=0.15 * reach)
    assert np.arctanh(found.high) == pytest.approx(centre + reach, abs=0.15 * reach)


def test_infinite_scores_and_wrong_lengths_are_refused() -> None:
    human = unit_means(of_one_rater([1, 2, 3]))
    with pytest.raises(ValueError, match="infinite"):
        correlate(human, np.array([1.0, np.inf, 2]), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="one entry for each"):
        correlate(human, np.array([1.0, 2]), rng=np.random.default_rng(0))


def test_no_rated_unit_gives_reasons() -> None:
    found = figures(Ratings.from_matrix(np.full((2, 3), np.nan), [1, 2]), np.arange(3.0), np.arange(3), np.arange(3))
    assert found
    for one in found.values():
        assert np.isnan(one.value)
        assert one.reason
