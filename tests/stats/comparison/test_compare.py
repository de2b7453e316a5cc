import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from annotations.stats.comparison.compare import Comparison, compare
from annotations.stats.comparison.effects import rank_biserial_of, superiority_interval
from tests.stats.comparison.comparison_data import Design, dsg_consistency, paired_scores, random_design


def comparison_of(design: Design, **options: int) -> Comparison:
    ratings, prompt, method = design
    chosen = {"baseline": 0, "refined": 1, "n_resamples": 200} | options
    return compare(ratings, prompt=prompt, method=method, rng=np.random.default_rng(0), **chosen)


def test_published_ratings_of_five_models() -> None:
    """Davidsonian Scene Graph's TIFA-160 ratings; figures recomputed with fractions (expected.json)."""
    (ratings, prompt, method), models, expected = dsg_consistency()
    assert len(expected["paired_dsg5"]) == 3
    for row in expected["paired_dsg5"]:
        got = comparison_of(
            (ratings, prompt, method), baseline=models.index(row["baseline"]), refined=models.index(row["refined"])
        )
        assert (got.n, got.wins, got.ties, got.losses) == tuple(row[k] for k in ("n", "wins", "ties", "losses"))
        assert got.wilcoxon_w == row["wilcoxon_W"]
        assert got.wilcoxon_p == pytest.approx(row["wilcoxon_p"], rel=1e-6)
        assert got.mean_diff.value == pytest.approx(row["mean_diff"], abs=1e-6)
        assert got.t == pytest.approx(row["t"], abs=1e-6)
        assert got.t_p == pytest.approx(row["t_p"], rel=1e-6)
        # The sign-flip p of a mean of 160 differences is near Student's.
        assert 0.1 < got.permutation_p / got.t_p < 10
        assert got.rank_biserial.value == pytest.approx(_rank_biserial_from_w(got))
        assert [interval.covers for interval in got.mean_diff.intervals] == [
            "prompts",
            "prompts",
            "raters",
            "prompts and raters",
        ]
        for interval in got.mean_diff.intervals:
            assert interval.low < got.mean_diff.value < interval.high
        both, prompts = got.mean_diff.interval("prompts and raters"), got.mean_diff.interval("prompts")
        assert both is not None
        assert prompts is not None
        assert both.high - both.low > prompts.high - prompts.low


def test_floating_point_means_would_break_ties_in_published_ratings() -> None:
    """TRAPS: a naive Wilcoxon gives W = 1727.0 where exact fractions give 1737.5."""
    (ratings, prompt, method), models, _ = dsg_consistency()
    table, naive = ratings.matrix(), []
    for code in np.unique(prompt):
        left, right = (
            float(np.nanmean(table[:, (prompt == code) & (method == models.index(name))]))
            for name in ("sd1dot1", "sd2dot1")
        )
        naive.append(right - left)
    assert stats.wilcoxon(naive).statistic == 1727.0
    exact = comparison_of((ratings, prompt, method), baseline=models.index("sd1dot1"), refined=models.index("sd2dot1"))
    assert exact.wilcoxon_w == 1737.5


def _rank_biserial_from_w(got: Comparison) -> float:
    """King, Rosopa and Minium: r = 1 − 4·W / (m (m + 1)) with W the smaller rank sum of the m non-zero differences."""
    m = got.n - got.ties
    return 1 - 4 * got.wilcoxon_w / (m * (m + 1))


def test_worked_example() -> None:
    """The example of docs/methods/comparison.md: differences 2, 1, 0, −1, 3, 1."""
    got = comparison_of(paired_scores([2, 3, 4, 4, 1, 2], [4, 4, 4, 3, 4, 3]))
    assert got.differences.tolist() == [2, 1, 0, -1, 3, 1]
    assert (got.wins, got.ties, got.losses) == (4, 1, 1)
    # 6/6 = 1; s² = (1 + 0 + 1 + 4 + 4 + 0)/5 = 2; t = 1/√(2/6) = √3
    assert got.mean_diff.value == 1
    assert got.t == pytest.approx(np.sqrt(3))
    # |d| of the five: 1, 1, 1, 2, 3 → midranks 2, 2, 2, 4, 5; R₋ = 2, R₊ = 13
    assert got.wilcoxon_w == 2
    # Sign assignments of midranks 2, 2, 2, 4, 5 with a sum ≤ 2: none, or one of the three 2s: 4 of 32; two-sided 8/32
    assert got.wilcoxon_p == pytest.approx(8 / 32)
    # Sums of the sizes 1, 1, 1, 2, 3 that are ≤ 1 (what is negative): none, or one of the 1s: 4 of 32; two-sided 8/32
    assert got.permutation_p == pytest.approx(8 / 32)
    assert got.rank_biserial.value == pytest.approx((13 - 2) / 15)
    assert got.prob_superiority.value == pytest.approx(4.5 / 6)
    over_prompts, score = got.mean_diff.intervals[0], got.prob_superiority.intervals[0]
    # t(5, .975) = 2.5706
    assert (over_prompts.low, over_prompts.high) == pytest.approx((-0.4841, 2.4841), abs=5e-5)
    assert (score.low, score.high) == pytest.approx((0.3946, 0.9102), abs=5e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_exchanging_the_methods_mirrors_every_figure(seed: int) -> None:
    design = random_design(seed, n_prompts=10)
    there, back = comparison_of(design), comparison_of(design, baseline=1, refined=0)
    assert (there.wins, there.losses, there.ties) == (back.losses, back.wins, back.ties)
    assert there.mean_diff.value == -back.mean_diff.value
    assert there.wilcoxon_p == pytest.approx(back.wilcoxon_p, nan_ok=True)
    assert there.permutation_p == pytest.approx(back.permutation_p)
    assert there.rank_biserial.value == pytest.approx(-back.rank_biserial.value, nan_ok=True)
    assert there.prob_superiority.value == pytest.approx(1 - back.prob_superiority.value)
    for one, two in zip(there.mean_diff.intervals, back.mean_diff.intervals, strict=True):
        if one.method.startswith("percentile"):
            continue
        assert (one.low, one.high) == pytest.approx((-two.high, -two.low), nan_ok=True)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_raters_prompts_and_ratings_does_not_matter(seed: int) -> None:
    ratings, prompt, method = random_design(seed)
    rng = np.random.default_rng(seed)
    order, relabelled = rng.permutation(len(ratings)), rng.permutation(ratings.n_raters)
    shuffled = type(ratings)(
        ratings.unit[order],
        relabelled[ratings.rater[order]],
        ratings.level[order],
        ratings.values,
        ratings.n_units,
        ratings.n_raters,
    )
    one, two = comparison_of((ratings, prompt, method)), comparison_of((shuffled, prompt * 3 + 1, method))
    assert one.differences.tolist() == two.differences.tolist()
    assert (one.wilcoxon_w, one.permutation_p, one.t) == pytest.approx(
        (two.wilcoxon_w, two.permutation_p, two.t), nan_ok=True
    )
    for left, right in zip(one.mean_diff.intervals, two.mean_diff.intervals, strict=True):
        assert (left.low, left.high) == pytest.approx((right.low, right.high), nan_ok=True)


def test_duplicated_ratings_of_every_rater_change_no_figure_over_prompts() -> None:
    ratings, prompt, method = random_design(4, missing=0.2)
    doubled = type(ratings)(
        np.tile(ratings.unit, 2),
        np.concatenate((ratings.rater, ratings.rater + ratings.n_raters)),
        np.tile(ratings.level, 2),
        ratings.values,
        ratings.n_units,
        2 * ratings.n_raters,
    )
    one, two = comparison_of((ratings, prompt, method)), comparison_of((doubled, prompt, method))
    assert one.differences.tolist() == two.differences.tolist()
    assert (one.t, one.wilcoxon_p, one.permutation_p) == (two.t, two.wilcoxon_p, two.permutation_p)


def test_the_same_seed_gives_the_same_intervals() -> None:
    design = random_design(1, n_prompts=20)
    one, two = comparison_of(design), comparison_of(design)
    assert one.mean_diff == two.mean_diff
    assert one.rank_biserial == two.rank_biserial
    assert one.seed == 0


def test_nothing_to_compare() -> None:
    got = comparison_of(paired_scores([1, 2], [2, 3]), refined=2)
    assert got.n == 0
    assert got.reason == "no prompt has rated images of both methods"
    assert got.note.startswith(got.reason)
    for value in (got.t, got.t_p, got.wilcoxon_w, got.wilcoxon_p, got.permutation_p):
        assert np.isnan(value)
    for estimate in (got.mean_diff, got.rank_biserial, got.prob_superiority):
        assert not estimate.is_defined
        assert estimate.reason


def test_no_difference_at_all() -> None:
    got = comparison_of(paired_scores([3, 3, 4], [3, 3, 4]))
    assert (got.wins, got.ties, got.losses) == (0, 3, 0)
    assert got.mean_diff.value == 0
    assert got.permutation_p == 1
    assert np.isnan(got.wilcoxon_p)
    assert np.isnan(got.t)
    assert not got.rank_biserial.is_defined
    assert got.prob_superiority.value == 0.5
    for interval in (*got.mean_diff.intervals, *got.prob_superiority.intervals):
        assert not interval.is_defined
        assert interval.reason
    assert "all differences are equal" in got.note
    assert "no Wilcoxon test" in got.note


def test_every_prompt_won_is_not_certainty() -> None:
    got = comparison_of(paired_scores([1, 2, 3, 1], [2, 4, 4, 5]))
    assert got.rank_biserial.value == 1
    assert not got.rank_biserial.intervals[0].is_defined
    assert "one direction" in got.rank_biserial.intervals[0].reason
    low = got.prob_superiority.intervals[0].low
    # Wilson at 4 of 4: 1 / (1 + z²/4) = 0.5101 (Wilson 1927)
    assert low == pytest.approx(0.5101, abs=1e-4)


def test_superiority_interval_without_ties_is_wilsons() -> None:
    # Newcombe (1998), Table I: 81 of 263 → .2553, .3662; 1 of 29 → .0061, .1718
    for wins, n, low, high in ((81, 263, 0.2553, 0.3662), (1, 29, 0.0061, 0.1718), (15, 148, 0.0624, 0.1605)):
        interval = superiority_interval(wins, 0, n - wins)
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_superiority_interval_solves_its_equation() -> None:
    z2 = stats.norm.ppf(0.975) ** 2
    wins, ties, losses = 30, 25, 15
    share, tied, n = (wins + ties / 2) / 70, ties / 70, 70
    interval = superiority_interval(wins, ties, losses)
    for p in (interval.low, interval.high):
        assert (share - p) ** 2 == pytest.approx(z2 * (p * (1 - p) - tied / 4) / n)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_rank_biserial_equals_its_definition(values: list[int]) -> None:
    d = np.array(values)
    d = d[d != 0]
    if len(d) == 0:
        assert np.isnan(rank_biserial_of(np.array(values)))
        return
    ranks = stats.rankdata(np.abs(d))
    assert rank_biserial_of(np.array(values)) == pytest.approx((ranks * np.sign(d)).sum() / ranks.sum())


def test_raters_who_saw_one_method_only_are_noted() -> None:
    ratings, prompt, method = random_design(0, n_raters=3, missing=0.0, images=1)
    kept = (ratings.rater == 0) == (method[ratings.unit] == 0)
    one_sided = type(ratings)(
        ratings.unit[kept], ratings.rater[kept], ratings.level[kept], ratings.values, ratings.n_units, 3
    )
    got = comparison_of((one_sided, prompt, method))
    assert got.counts["raters_both"] == 0
    assert "3 of 3 raters rated only one of the two methods" in got.note
    covered = got.mean_diff.interval("raters")
    assert covered is not None
    assert covered.reason == "without one of the raters no prompt is left"


def _simulated(rng: np.random.Generator, n_prompts: int, n_raters: int, k: int) -> Design:
    """Refined − baseline with mean 0.3, differing by prompt and by rater; k of the raters per prompt, both images."""
    n_units = 2 * n_prompts
    prompt, method = np.repeat(np.arange(n_prompts), 2), np.tile([0, 1], n_prompts)
    chosen = np.argsort(rng.random((n_prompts, n_raters)), axis=1)[:, :k]
    effect = 0.3 + rng.exponential(0.8, n_prompts)[:, None] - 0.8 + rng.normal(0, 0.4, n_raters)[chosen]
    rater = np.concatenate((chosen, chosen), axis=1).ravel()
    unit = np.repeat(np.arange(n_units), k)
    value = np.stack((rng.normal(0, 0.7, (n_prompts, k)), effect + rng.normal(0, 0.7, (n_prompts, k))), axis=1).ravel()
    level = np.clip(np.rint(value * 4) + 40, 0, 80).astype(int)
    ratings = type(random_design(0)[0])(unit, rater, level, np.arange(81.0) / 4, n_units, n_raters)
    return ratings, prompt, method


@pytest.mark.slow
def test_the_interval_over_prompts_and_raters_covers_both_and_the_others_do_not() -> None:
    """400 studies of 100 prompts and 12 raters whose preferences differ: truth 0.3 for other prompts and raters."""
    rng = np.random.default_rng(11)
    hits = dict.fromkeys(("prompts", "prompts and raters"), 0)
    for _ in range(400):
        got = comparison_of(_simulated(rng, 100, 12, 4), n_resamples=2)
        for covers in hits:
            interval = got.mean_diff.interval(covers)
            assert interval is not None
            hits[covers] += interval.low <= 0.3 <= interval.high
    assert 0.92 <= hits["prompts and raters"] / 400 <= 0.99
    # These very raters' mean is another: an interval over prompts alone must miss the population far too often.
    assert hits["prompts"] / 400 < 0.9
