"""The table: every figure at its level, baseline and ceiling next to them, differences with Holm, facets."""

import numpy as np
import pytest
from numpy.typing import NDArray

from annotations.stats import threads
from annotations.stats.exact_means import unit_means
from annotations.stats.metrics.differences import metric_differences
from annotations.stats.metrics.permutation import holm
from annotations.stats.metrics.table import MetricTable, facet_tables, metric_table
from annotations.stats.ratings import Ratings
from tests.stats.metrics.metric_data import read_dsg_tifa, simulated

SCALE = [float(value) for value in range(3, 16)]


def table(
    n_prompts: int = 60,
    quality: tuple[float, ...] = (1.0, 0.9, 0.0),
    *,
    seed: int = 1,
    missing: bool = False,
    **options: object,
) -> tuple[MetricTable, NDArray[np.float64], Ratings]:
    human, metrics, prompt, method = simulated(n_prompts, 4, np.random.default_rng(seed), quality=quality)
    if missing:
        metrics[0, :8] = np.nan
    ratings = Ratings.from_matrix(np.stack([human, human]), SCALE)
    names = [f"m{index}" for index in range(len(quality))]
    settings = {"prompt": prompt, "method": method, "rng": np.random.default_rng(5), "n_resamples": 200, **options}
    return metric_table(ratings, metrics, metric_names=names, n_permutations=199, **settings), metrics, ratings  # type: ignore[arg-type]


def test_every_level_is_there_with_an_interval_over_prompts() -> None:
    found, _, _ = table()
    names = [one.statistic for one in found.metrics[0].estimates]
    levels = ("", "_grouped_by_prompt", "_method_level")
    assert set(names) == {
        *(
            f"{name}{level}"
            for name in ("pearson", "spearman", "kendall_tau_b", "pairwise_accuracy")
            for level in levels
        ),
        "kendall_tau_c",
        "pairwise_accuracy_calibrated",
        "pairwise_accuracy_calibrated_grouped_by_prompt",
        "soft_pairwise_accuracy",
        "pearson_of_differences_in_prompts",
        "pearson_corrected",
        "spearman_corrected",
    }
    assert len(names) == len(set(names))
    for one in found.metrics[0].estimates:
        assert np.isfinite(one.value), one.statistic
        assert one.method
        if one.statistic != "soft_pairwise_accuracy":
            interval = one.interval("prompts")
            assert interval is not None
            assert interval.is_defined or interval.reason
            if interval.is_defined:
                assert interval.low <= one.value <= interval.high
    assert found.seed == 5


def test_without_prompts_and_methods_only_the_item_level_is_there() -> None:
    found, _, _ = table(prompt=None, method=None)
    names = {one.statistic for one in found.metrics[0].estimates}
    assert names == {
        "pearson",
        "spearman",
        "kendall_tau_b",
        "kendall_tau_c",
        "pairwise_accuracy",
        "pairwise_accuracy_calibrated",
        "pearson_corrected",
        "spearman_corrected",
    }
    assert found.metrics[0].estimates[0].intervals[0].covers == "units"


def test_the_same_seed_gives_the_same_board_on_any_number_of_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for n_processors in (1, 2, 8):
        monkeypatch.setattr(threads.os, "cpu_count", lambda n=n_processors: n)
        found.append(repr(table()[0]))
    assert found[0] == found[1] == found[2]


def test_a_metric_s_figures_do_not_depend_on_other_metrics() -> None:
    alone, first = table(quality=(1.0,))[0], table()[0]
    assert [one for one in alone.metrics[0].estimates if one.statistic != "soft_pairwise_accuracy"] == [
        one for one in first.metrics[0].estimates if one.statistic != "soft_pairwise_accuracy"
    ]


def test_a_board_over_many_units_names_its_other_intervals() -> None:
    found, _, _ = table(n_prompts=400)
    interval = found.metrics[0].estimates[0].intervals[0]
    assert "infinitesimal jackknife over prompts" in interval.method


def test_the_baseline_is_the_share_of_human_ties() -> None:
    found, _, ratings = table()
    overall, within = found.baseline
    means = ratings.matrix().mean(axis=0)
    same = (means[:, None] == means)[np.triu_indices(len(means), 1)]
    assert overall.value == pytest.approx(same.mean())
    blocks = means.reshape(-1, 4)
    tied = [(row[:, None] == row)[np.triu_indices(4, 1)].mean() for row in blocks]
    assert within.value == pytest.approx(np.mean(tied))


def test_two_equal_raters_have_the_ceiling_one() -> None:
    found, _, _ = table()
    spearman = next(one for one in found.ceiling if one.statistic == "spearman")
    assert spearman.value == pytest.approx(1)


def test_differences_are_those_of_the_figures_with_holm_over_the_pairs() -> None:
    found, _, _ = table()
    for statistic in ("pearson", "spearman", "spearman_grouped_by_prompt", "pairwise_accuracy_grouped_by_prompt"):
        tests = [
            one for one in found.differences if one.statistic == statistic and one.method.startswith("permutation")
        ]
        assert [(one.metric_a, one.metric_b) for one in tests] == [("m0", "m1"), ("m0", "m2"), ("m1", "m2")]
        assert [one.p_holm for one in tests] == pytest.approx(holm([one.p for one in tests]).tolist())
        assert min(one.p for one in tests) == pytest.approx(1 / 200)
        for one in tests:
            a, b = (found.metric(name) for name in (one.metric_a, one.metric_b))
            assert a is not None
            assert b is not None
            value_a, value_b = a.estimate(statistic), b.estimate(statistic)
            assert value_a is not None
            assert value_b is not None
            # Within prompts a pair rests on the prompts that both metrics have, which may be fewer.
            if one.n == value_a.n.get("prompts") or "grouped" not in statistic:
                assert one.difference == pytest.approx(value_a.value - value_b.value, abs=0.02)
    williams = [one for one in found.differences if one.method.startswith("Williams")]
    assert len(williams) == 3
    assert {one.statistic for one in williams} == {"pearson"}


def test_clusters_put_the_useless_metric_last() -> None:
    found, _, _ = table()
    by_spearman = next(one for one in found.clusters if one.statistic == "spearman")
    assert by_spearman.groups[-1] == ("m2",)
    assert set(by_spearman.groups[0]) == {"m0", "m1"}


def test_perm_both_can_be_asked_for() -> None:
    found, _, _ = table(exchange="both")
    assert any("PERM-BOTH" in one.method for one in found.differences)


def test_two_metrics_are_compared_on_the_units_that_both_have() -> None:
    found, metrics, ratings = table(missing=True)
    n = {(one.metric_a, one.metric_b): one.n for one in found.differences if one.statistic == "spearman"}
    assert n == {("m0", "m1"): 232, ("m0", "m2"): 232, ("m1", "m2"): 240}
    first = next(one for one in found.differences if one.statistic == "pearson")
    means = ratings.matrix().mean(axis=0)[8:]
    a, b = (np.corrcoef(means, metrics[m, 8:])[0, 1] for m in (0, 1))
    assert first.difference == pytest.approx(a - b, abs=1e-12)
    spearman = found.metrics[0].estimate("spearman")
    assert spearman is not None
    assert spearman.n["units"] == 232


def test_metrics_without_a_common_unit_cannot_be_compared() -> None:
    human = Ratings.from_matrix([[1, 2, 3, 4]], [1, 2, 3, 4])
    scores = np.array([[1, 2, np.nan, np.nan], [np.nan, np.nan, 1, 2.0]])
    found = metric_table(human, scores, metric_names=["a", "b"], rng=np.random.default_rng(0))
    assert found.differences
    assert all(np.isnan(one.p) and one.reason for one in found.differences)


def test_one_metric_and_none() -> None:
    human = Ratings.from_matrix([[1, 2, 3, 4], [1, 3, 2, 4]], [1, 2, 3, 4])
    one = metric_table(human, np.array([[1, 2, 3, 5.0]]), metric_names=["a"], rng=np.random.default_rng(0))
    assert one.differences == ()
    none = metric_table(human, np.zeros((0, 4)), metric_names=[], rng=np.random.default_rng(0))
    assert none.metrics == ()
    assert none.ceiling


@pytest.mark.parametrize("table", [np.full((2, 6), np.nan), np.full((2, 6), 3.0)])
def test_nothing_to_go_by_gives_reasons_and_no_exception(table: NDArray[np.float64]) -> None:
    human = Ratings.from_matrix(table, [1, 2, 3])
    found = metric_table(
        human,
        np.arange(12.0).reshape(2, 6),
        metric_names=["a", "b"],
        prompt=np.repeat([0, 1], 3),
        method=np.tile([0, 1, 2], 2),
        rng=np.random.default_rng(0),
    )
    for one in (*found.metrics[0].estimates, *found.ceiling, *found.baseline):
        assert np.isfinite(one.value) or one.reason, one.statistic
    spearman = found.metrics[0].estimate("spearman")
    assert spearman is not None
    assert np.isnan(spearman.value)
    assert all(np.isnan(one.p) == bool(one.reason) for one in found.differences)


def test_malformed_arguments_are_refused() -> None:
    human, rng = Ratings.from_matrix([[1, 2, 3]], [1, 2, 3]), np.random.default_rng(0)
    with pytest.raises(ValueError, match="2 metrics × 3 units"):
        metric_table(human, np.zeros((2, 4)), metric_names=["a", "b"], rng=rng)
    with pytest.raises(ValueError, match="must differ"):
        metric_table(human, np.zeros((2, 3)), metric_names=["a", "a"], rng=rng)
    with pytest.raises(ValueError, match="facet"):
        facet_tables(human, np.zeros((1, 3)), ["x"], metric_names=["a"], rng=rng)


def test_a_facet_has_the_board_of_its_own_units() -> None:
    human, metrics, prompt, method = simulated(40, 4, np.random.default_rng(3))
    ratings = Ratings.from_matrix(np.stack([human, human]), SCALE)
    topic = np.where(prompt % 2 == 0, "even", "odd").astype(object)
    topic[prompt == 1] = None
    tables = facet_tables(
        ratings, metrics, topic, metric_names=["a", "b"], prompt=prompt, method=method, rng=np.random.default_rng(0)
    )
    assert list(tables) == ["even", "odd"]
    spearman = tables["odd"].metrics[0].estimate("spearman")
    assert spearman is not None
    assert spearman.n["units"] == 19 * 4
    even = np.flatnonzero(prompt % 2 == 0)
    alone = metric_table(
        Ratings.from_matrix(np.stack([human, human])[:, even], SCALE),
        metrics[:, even],
        metric_names=["a", "b"],
        rng=np.random.default_rng(0),
        differences=False,
    )
    of_facet, of_alone = tables["even"].metrics[0].estimates[0], alone.metrics[0].estimates[0]
    assert of_facet.value == of_alone.value
    assert tables["even"].differences == ()


def test_a_facet_may_be_of_numbers_with_gaps() -> None:
    human = Ratings.from_matrix([[1, 2, 3, 4, 2, 1], [1, 2, 4, 4, 2, 2]], [1, 2, 3, 4])
    tables = facet_tables(
        human, np.arange(6.0)[None], [1.0, 1, 2, 2, np.nan, 2], metric_names=["a"], rng=np.random.default_rng(0)
    )
    assert list(tables) == ["1.0", "2.0"]
    assert tables["2.0"].metrics[0].estimates[0].n["units"] == 3


def test_codes_need_not_be_dense_or_numbers() -> None:
    human, metrics, prompt, method = simulated(20, 3, np.random.default_rng(3))
    ratings = Ratings.from_matrix([human], SCALE)
    options = {"metric_names": ["a", "b"], "n_resamples": 50, "n_permutations": 20, "differences": False}
    plain = metric_table(ratings, metrics, prompt=prompt, method=method, rng=np.random.default_rng(0), **options)  # type: ignore[arg-type]
    named = metric_table(
        ratings,
        metrics,
        prompt=prompt * 10**12 - 5,
        method=np.array(["sd", "sdxl", "vq"])[method],
        rng=np.random.default_rng(0),
        **options,  # type: ignore[arg-type]
    )
    assert repr(named) == repr(plain)


def test_real_ratings_have_a_ceiling_above_their_metrics() -> None:
    data = read_dsg_tifa()
    names = ["dsg/pali17b", "dsg/mplug", "vq2a/mplug", "spice"]
    found = metric_table(
        data.ratings["consistency"],
        np.stack([data.metrics[name] for name in names]),
        metric_names=names,
        prompt=data.prompt,
        method=data.method,
        rng=np.random.default_rng(0),
        n_resamples=200,
        n_permutations=199,
    )
    ceiling = {one.statistic: one.value for one in found.ceiling}
    best = found.metrics[0]
    for statistic in ("pearson", "spearman", "kendall_tau_b", "pairwise_accuracy", "spearman_grouped_by_prompt"):
        estimate = best.estimate(statistic)
        assert estimate is not None
        assert estimate.value < ceiling[statistic] < 1
    groups = next(one for one in found.clusters if one.statistic == "spearman").groups
    assert groups[0] == ("dsg/pali17b",)
    # SPICE is given with the noise of its division: 76 distinct values, of which 51 are distinct at 12 digits.
    spice = found.metrics[3].estimate("spearman")
    assert spice is not None
    assert spice.n["near_ties"] == 25


def test_differences_need_no_board() -> None:
    human, metrics, prompt, _ = simulated(30, 4, np.random.default_rng(3), quality=(1.0, 0.5))
    means = unit_means(Ratings.from_matrix([human], SCALE))
    found = metric_differences(
        means, metrics, metric_names=["a", "b"], prompt=prompt, rng=np.random.default_rng(0), n_permutations=99
    )
    assert {one.statistic for one in found} == {
        "pearson",
        "spearman",
        "spearman_grouped_by_prompt",
        "kendall_tau_b_grouped_by_prompt",
        "pairwise_accuracy_grouped_by_prompt",
    }


def test_metrics_that_lack_a_method_have_the_board_of_the_others() -> None:
    human, metrics, prompt, method = simulated(20, 3, np.random.default_rng(3))
    ratings = Ratings.from_matrix(np.stack([human, human]), SCALE)
    metrics[1, method == 2] = np.nan  # all prompts, and a method fewer
    found = metric_table(
        ratings, metrics, metric_names=["a", "b"], prompt=prompt, method=method, rng=np.random.default_rng(0)
    )
    whole, part = (one.estimate("soft_pairwise_accuracy") for one in found.metrics)
    assert whole is not None
    assert part is not None
    assert whole.is_defined
    assert part.is_defined
    alone = (
        metric_table(
            ratings, metrics[1:], metric_names=["b"], prompt=prompt, method=method, rng=np.random.default_rng(0)
        )
        .metrics[0]
        .estimate("soft_pairwise_accuracy")
    )
    assert alone is not None
    assert alone.value == pytest.approx(part.value, abs=0.05)  # on other random flips


def test_a_half_without_a_pair_has_no_width_of_ties_in_words() -> None:
    """One prompt cannot be halved, so that no width of ties is found on either half."""
    ratings = Ratings.from_matrix([[1, 2, 3], [2, 2, 3]], [1, 2, 3])
    table = metric_table(
        ratings,
        np.array([[0.1, 0.5, 0.9]]),
        metric_names=["m"],
        prompt=np.zeros(3, np.int64),
        rng=np.random.default_rng(0),
        n_resamples=20,
        n_permutations=20,
    )
    assert not [one.method for one in table.metrics[0].estimates if "nan" in one.method]
