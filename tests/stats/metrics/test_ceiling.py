"""The human ceiling is each rater against the exact mean of the others, averaged."""

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from annotations.stats.estimate import Estimate
from annotations.stats.exact_means import unit_means
from annotations.stats.metrics.ceiling import agreement_classes, human_ceiling, reliability_of_means
from annotations.stats.metrics.correlation import Paired
from annotations.stats.metrics.table import corrected
from annotations.stats.ratings import Ratings

SCALE = [1, 2, 3, 4, 5]


def study(
    n_prompts: int, rng: np.random.Generator, n_raters: int = 4, gaps: float = 0.2
) -> tuple[NDArray[np.float64], ...]:
    """Raters × units with gaps, prompt and method codes; three methods."""
    latent = rng.normal(size=(n_prompts, 1)) + rng.normal(size=(n_prompts, 3))
    noise = rng.normal(size=(n_raters, n_prompts * 3))
    table = np.clip(np.rint(3 + latent.ravel() + noise), 1, 5)
    table[rng.random(table.shape) < gaps] = np.nan
    return table, np.repeat(np.arange(n_prompts), 3), np.tile(np.arange(3), n_prompts)


def figures(table: NDArray[np.float64], **options: object) -> dict[str, Estimate]:
    found = human_ceiling(Ratings.from_matrix(table, SCALE), rng=np.random.default_rng(0), n_resamples=200, **options)  # type: ignore[arg-type]
    return {one.statistic: one for one in found}


def test_values_are_those_of_the_definition() -> None:
    table, prompt, method = study(30, np.random.default_rng(1))
    found = figures(table, prompt=prompt, method=method)
    pearson, spearman, tau, of_methods = [], [], [], []
    for rater in range(4):
        others = np.delete(table, rater, axis=0)
        with_others = ~np.isnan(table[rater]) & ~np.isnan(others).all(axis=0)
        mine, rest = table[rater, with_others], np.round(np.nanmean(others[:, with_others], axis=0), 12)
        pearson.append(scipy.stats.pearsonr(rest, mine).statistic)
        spearman.append(scipy.stats.spearmanr(rest, mine).statistic)
        tau.append(scipy.stats.kendalltau(rest, mine).statistic)
        m = method[with_others]
        means = np.array([[x[m == one].mean() for one in range(3)] for x in (rest, mine)])
        of_methods.append(np.corrcoef(means)[0, 1])
    assert found["pearson"].value == pytest.approx(np.mean(pearson), abs=1e-12)
    assert found["spearman"].value == pytest.approx(np.mean(spearman), abs=1e-12)
    assert found["kendall_tau_b"].value == pytest.approx(np.mean(tau), abs=1e-12)
    assert found["pearson_method_level"].value == pytest.approx(np.mean(of_methods), abs=1e-12)
    assert found["pearson"].n["raters"] == 4
    assert found["pearson"].n["prompts"] == 30


def test_two_raters_are_each_others_rest() -> None:
    table, _, _ = study(40, np.random.default_rng(2), n_raters=2, gaps=0)
    found = figures(table)
    assert found["spearman"].value == pytest.approx(scipy.stats.spearmanr(*table).statistic, abs=1e-12)


def test_the_order_of_raters_does_not_matter() -> None:
    table, prompt, method = study(20, np.random.default_rng(3))
    first, turned = (figures(t, prompt=prompt, method=method) for t in (table, table[::-1]))
    for name, one in first.items():
        assert turned[name].value == pytest.approx(one.value, abs=1e-12)


@pytest.mark.slow
def test_intervals_over_prompts_cover() -> None:
    true, _, _ = study(40_000, np.random.default_rng(5), gaps=0)
    aim = {name: one.value for name, one in figures(true).items()}
    rng = np.random.default_rng(6)
    covered = dict.fromkeys(("pearson", "spearman", "kendall_tau_b", "pairwise_accuracy"), 0)
    for _ in range(150):
        table, prompt, _ = study(50, rng, gaps=0)
        found = figures(table, prompt=prompt)
        for name in covered:
            interval = found[name].interval("prompts")
            assert interval is not None
            covered[name] += interval.low <= aim[name] <= interval.high
    for name, count in covered.items():
        # 150 studies: a true 95% interval covers fewer than 90% of them about once in 200.
        assert count / 150 >= 0.9, name


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (np.array([[1.0, 2, 3, 4]]), "no rater shares"),
        (np.array([[1.0, np.nan, 2, np.nan], [np.nan, 3, np.nan, 4]]), "no rater shares"),
        (np.array([[3.0, 3, 3, 3], [3, 3, 3, 3]]), "no rater's figure is defined"),
        (np.full((2, 3), np.nan), "no rater shares"),
    ],
)
def test_no_ceiling_without_two_raters_who_vary(table: NDArray[np.float64], reason: str) -> None:
    units = table.shape[1]
    found = figures(table, prompt=np.zeros(units, dtype=int), method=np.arange(units))
    assert np.isnan(found["spearman"].value)
    assert reason in found["spearman"].reason
    assert np.isnan(found["spearman_method_level"].value)


def test_raters_without_a_figure_are_counted() -> None:
    table, _, _ = study(20, np.random.default_rng(4), gaps=0)
    table[3] = 3
    found = figures(table)
    assert found["spearman"].n["raters"] == 3
    assert found["spearman"].n["raters_undefined"] == 1
    # A rater who always says 3 has an accuracy, as a constant metric has.
    assert found["pairwise_accuracy"].n["raters"] == 4


class TestReliabilityOfMeans:
    def test_of_complete_ratings_it_is_icc_c_k_and_of_shrout_and_fleiss_nine_tenths(self) -> None:
        # Shrout and Fleiss (1979): ICC(3,4) = .91; ICC(1,4) = .44 where raters are not the same.
        table = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]).T
        found = reliability_of_means(Ratings.from_matrix(table, list(range(1, 11))), np.arange(6))
        assert found.value == pytest.approx(0.909316, abs=1e-6)
        # The same ratings by raters of their own for every unit.
        apart = np.full((24, 6), np.nan)
        for unit in range(6):
            apart[4 * unit : 4 * unit + 4, unit] = table[:, unit]
        found = reliability_of_means(Ratings.from_matrix(apart, list(range(1, 11))), np.arange(6))
        assert found.value == pytest.approx(0.442797, abs=1e-6)

    def test_corrected_correlations_recover_that_with_the_truth(self) -> None:
        rng = np.random.default_rng(4)
        covered, values = 0, []
        for _ in range(100):
            truth, units = rng.normal(size=150), np.arange(150)
            metric = 0.6 * truth + 0.8 * rng.normal(size=150)
            table = np.clip(np.rint(50 + 12 * (truth + rng.normal(size=(6, 150)))), 0, 100)
            table[rng.random(table.shape) < 0.4] = np.nan
            table[0, np.isnan(table).all(axis=0)] = 50
            human = Ratings.from_matrix(table, list(range(101)))
            means = unit_means(human)
            data = Paired.of(means, metric, units // 2)
            (pearson, _) = corrected(data, data.linearised(), reliability_of_means(human, units))
            values.append(pearson.value)
            covered += pearson.intervals[0].low <= 0.6 <= pearson.intervals[0].high
        assert np.mean(values) == pytest.approx(0.6, abs=0.02)
        assert covered >= 89

    def test_influences_are_derivatives(self) -> None:
        rng = np.random.default_rng(1)
        table = rng.integers(1, 6, (4, 12)).astype(float)
        table[rng.random(table.shape) < 0.2] = np.nan
        table += np.where(np.isnan(table), 0, np.repeat([0, 1], 6) * 3)
        human = Ratings.from_matrix(table, list(range(1, 9)))
        whole = reliability_of_means(human, np.arange(12))
        # Doubling one unit's weight, as one unit more of its kind among many copies of all.
        copies = 40
        many = np.concatenate([np.tile(np.arange(12), copies), [0]])
        big = Ratings.from_matrix(table[:, many], list(range(1, 9)))
        shifted = reliability_of_means(big, np.arange(len(many))).value
        same = reliability_of_means(
            Ratings.from_matrix(table[:, many[:-1]], list(range(1, 9))), np.arange(len(many) - 1)
        ).value
        assert shifted - same == pytest.approx(whole.influence[0] / copies, rel=0.2, abs=1e-4)

    def test_noise_alone_has_no_reliability(self) -> None:
        flat = Ratings.from_matrix([[1, 2, 1, 2], [2, 1, 2, 1]], [1, 2])
        assert reliability_of_means(flat, np.arange(4)).reason == "the units' means do not vary more than their noise"
        lone = Ratings.from_matrix([[1, 2, 1, 2]], [1, 2])
        assert reliability_of_means(lone, np.arange(4)).reason == "no unit has two ratings"


def test_units_by_how_far_people_agree() -> None:
    nan = np.nan
    human = Ratings.from_matrix([[1, 2, 1, 5, nan], [1, 3, 3, nan, nan], [1, 2, nan, nan, nan]], [1, 2, 3, 4, 5])
    assert agreement_classes(human).tolist() == ["unanimous", "within 1 level", "further apart", "", ""]
    slider = Ratings.from_matrix([[0, 0, 0], [0, 10, 11]], list(range(101)))
    assert agreement_classes(slider).tolist() == ["unanimous", "within 10 levels", "further apart"]
