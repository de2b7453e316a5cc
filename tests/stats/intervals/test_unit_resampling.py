from math import nan

import numpy as np
import pytest
from scipy import stats

from annotations.stats.agreement.alpha import AlphaFamily, krippendorff_alpha, krippendorff_alphas
from annotations.stats.agreement.chance_corrected import ChanceFamily, percent_agreement
from annotations.stats.agreement.intraclass.icc_one_way import OneWayFamily
from annotations.stats.arrays import FloatArray
from annotations.stats.estimate import Interval
from annotations.stats.intervals.leave_one_out import DeletedRatings, jackknife_variance, unit_effects
from annotations.stats.intervals.over_raters import Spread, rater_freedom, severity_skew
from annotations.stats.intervals.pattern_families import Joined
from annotations.stats.intervals.unit_resampling import accelerated_interval, bootstrap_units
from annotations.stats.ratings import Ratings
from tests.benchmarks.coverage.agreement import VALUES, World, coverage
from tests.stats import reference_data, slow_definitions

SCALE = (1.0, 2.0, 3.0, 4.0, 5.0)


def sparse_matrix(seed: int, raters: int = 6, units: int = 30, missing: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=units) + 0.5 * rng.normal(size=(raters, 1)) + rng.normal(size=(raters, units))
    matrix = np.clip(np.round(1.3 * latent + 3), 1, 5)
    matrix[rng.random(matrix.shape) < missing] = nan
    return matrix


def everything() -> Joined:
    values = np.array(SCALE)
    return Joined([AlphaFamily(values), ChanceFamily(values), OneWayFamily(values)])


def total_of(ratings: Ratings, family: Joined) -> tuple[FloatArray, FloatArray]:
    rows, multiplicity = ratings.patterns
    features = np.asarray(family.features(rows.astype(float)))
    return features, (multiplicity.astype(float) @ features).reshape(1, -1)


def values_of(matrix: np.ndarray, family: Joined) -> FloatArray:
    return family.values(total_of(Ratings.from_matrix(matrix, SCALE), family)[1])[0]


def z(values: FloatArray) -> FloatArray:
    return -np.log(1 - np.asarray(values))


class TestDeletion:
    """Deletion by kinds of ratings against deletion from the matrix."""

    matrix = sparse_matrix(2)
    family = everything()

    def deleted(self, **limits: int) -> DeletedRatings:
        ratings = Ratings.from_matrix(self.matrix, SCALE)
        features, total = total_of(ratings, self.family)
        return DeletedRatings(ratings, self.family, features, total, **limits)

    def test_each_rater(self) -> None:
        by_hand = [values_of(np.delete(self.matrix, j, axis=0), self.family) for j in range(len(self.matrix))]
        assert self.deleted().without_each_rater() == pytest.approx(np.array(by_hand), abs=1e-9)

    def test_each_rater_with_sparse_kinds(self) -> None:
        dense = self.deleted().without_each_rater()
        assert self.deleted(largest_table=0).without_each_rater() == pytest.approx(dense, abs=1e-12)

    def test_each_unit(self) -> None:
        rated = np.flatnonzero(~np.isnan(self.matrix).all(axis=0))
        by_hand = np.array([z(values_of(np.delete(self.matrix, i, axis=1), self.family)) for i in rated])
        n = len(rated)
        expected = (n - 1) / n * ((by_hand - by_hand.mean(axis=0)) ** 2).sum(axis=0)
        assert self.deleted().variance_of_units() == pytest.approx(expected, rel=1e-7)

    def test_each_rating(self) -> None:
        by_hand = []
        for j, i in np.argwhere(~np.isnan(self.matrix)):
            without = self.matrix.copy()
            without[j, i] = nan
            by_hand.append(z(values_of(without, self.family)))
        expected = jackknife_variance(np.array(by_hand), None)
        assert self.deleted().variance_of_cells() == pytest.approx(expected, rel=1e-7)

    def test_the_derivative_replaces_very_many_deletions(self) -> None:
        self.matrix = sparse_matrix(3, raters=8, units=600)
        exact, linear = self.deleted(), self.deleted(exact_cost=0)
        assert linear.variance_of_units() == pytest.approx(exact.variance_of_units(), rel=0.03)
        assert linear.variance_of_cells() == pytest.approx(exact.variance_of_cells(), rel=0.05)


class TestBootstrap:
    def test_distribution_is_that_of_drawing_units_one_by_one(self) -> None:
        matrix = sparse_matrix(5, units=40)
        ratings = Ratings.from_matrix(matrix, SCALE)
        family = AlphaFamily(ratings.values, ("ordinal",))
        rows, _ = ratings.patterns
        fast = bootstrap_units(family.features(rows.astype(float)), ratings, family, np.random.default_rng(0), 4000)
        rng = np.random.default_rng(1)
        one_by_one = [slow_definitions.alpha(matrix[:, rng.integers(40, size=40)], "ordinal") for _ in range(400)]
        # Two-sample Kolmogorov–Smirnov; right code fails one seed in a thousand.
        assert stats.ks_2samp(fast[:, 0], one_by_one).pvalue > 1e-3

    def test_both_ways_of_drawing_have_one_distribution(self) -> None:
        ratings = Ratings.from_matrix(sparse_matrix(6, units=60), SCALE)
        family = AlphaFamily(ratings.values, ("nominal",))
        features = family.features(ratings.patterns[0].astype(float))
        drawn = []
        for cost in (0, 10**9):
            rng = np.random.default_rng(2)
            drawn.append(bootstrap_units(features, ratings, family, rng, 3000, units_per_binomial=cost)[:, 0])
        assert stats.ks_2samp(*drawn).pvalue > 1e-3

    def test_units_without_ratings_are_drawn_too(self) -> None:
        matrix = np.hstack([sparse_matrix(7, units=20, missing=0), np.full((6, 60), nan)])
        estimate = krippendorff_alpha(Ratings.from_matrix(matrix, SCALE), rng=np.random.default_rng(0))
        assert estimate.n["units"] == 20
        interval = estimate.interval("units")
        assert interval is not None
        assert interval.is_defined

    def test_acceleration_by_scipy(self) -> None:
        # SciPy's BCa takes its acceleration from the delete-one jackknife; ours is the infinitesimal one. With 400
        # units both, the expansion and the tails' t (reach 1.96 → about 2) all but agree.
        matrix = sparse_matrix(12, raters=3, units=400, missing=0.0)
        matrix = np.minimum(matrix + 1, 5)
        ratings = Ratings.from_matrix(matrix, SCALE)
        estimate = percent_agreement(ratings, "within_one", rng=np.random.default_rng(0))
        pairs = np.array([abs(matrix[a] - matrix[b]) <= 1 for a, b in ((0, 1), (0, 2), (1, 2))]).mean(axis=0)
        theirs = stats.bootstrap((pairs,), np.mean, method="BCa", n_resamples=20_000, random_state=1)
        interval = estimate.interval("units")
        assert interval is not None
        assert interval.low == pytest.approx(theirs.confidence_interval.low, abs=0.006)
        assert interval.high == pytest.approx(theirs.confidence_interval.high, abs=0.006)

    def test_bias_and_acceleration_move_both_ends_by_hand(self) -> None:
        # Replicates 1…999 of a value with 400 below and one equal: z₀ = Φ⁻¹(400.5/999). Skewness 0.6: a = 0.1.
        replicates = np.arange(1.0, 1000.0)
        interval = accelerated_interval(replicates, 401.0, 0.6, 0.0, 0.95, 10_001)
        bias = stats.norm.ppf(400.5 / 999)
        reach = np.sqrt(10_001 / 10_000) * stats.t.ppf(0.975, 10_000)
        ends = [stats.norm.cdf(bias + (bias + x) / (1 - 0.1 * (bias + x))) for x in (-reach, reach)]
        assert [interval.low, interval.high] == pytest.approx(np.quantile(replicates, ends))
        # Heavy tails widen: κ = 20 over ten units leaves 2/(2/9 + 2) degrees of freedom.
        wide = accelerated_interval(replicates, 500.0, 0.0, 20.0, 0.95, 10)
        assert [wide.low, wide.high] == pytest.approx([1.0, 999.0], abs=1e-6)

    def test_replicates_that_are_equal_up_to_rounding_give_no_interval(self) -> None:
        constant = accelerated_interval(np.full(99, 0.7) + 1e-16, 0.7, 0.0, 0.0, 0.95, 50)
        assert constant.reason == "no resample differs from the estimate"

    def test_most_resamples_must_be_defined(self) -> None:
        replicates = np.append(np.linspace(0, 1, 50), np.full(50, nan))
        assert "at least half" in accelerated_interval(replicates, 0.5, 0.0, 0.0, 0.95, 50).reason

    def test_effects_of_units_by_their_definition(self) -> None:
        ratings = Ratings.from_matrix(sparse_matrix(4, raters=4, units=60, missing=0.0), SCALE)
        family = ChanceFamily(ratings.values, (("percent_agreement", "identity"),))
        rows, multiplicity = ratings.patterns
        features = family.features(rows.astype(float))
        total = (multiplicity.astype(float) @ features).reshape(1, -1)
        effects = unit_effects(family, features, multiplicity, total)
        # The effect of a unit on a mean is its distance from it over n.
        agree = np.repeat(features[:, -1], multiplicity)
        assert effects.n == 60
        assert effects.variance[0] == pytest.approx(agree.var(ddof=1) / 60, rel=1e-6)
        assert effects.skewness[0] == pytest.approx(stats.skew(agree) / np.sqrt(60), rel=1e-5)
        assert effects.kurtosis[0] == pytest.approx(stats.kurtosis(agree), rel=1e-5)

    def test_a_seed_gives_the_same_intervals_and_is_on_record(self) -> None:
        ratings = Ratings.from_matrix(sparse_matrix(8), SCALE)
        first = krippendorff_alphas(ratings, rng=np.random.default_rng(11))
        again = krippendorff_alphas(ratings, rng=np.random.default_rng(11))
        other = krippendorff_alphas(ratings, rng=np.random.default_rng(12))
        assert first == again
        assert first[0].seed == 11
        assert first[0].intervals[0] != other[0].intervals[0]


class TestIntervals:
    def test_each_says_what_it_covers(self) -> None:
        estimate = krippendorff_alpha(Ratings.from_matrix(sparse_matrix(9), SCALE), rng=np.random.default_rng(0))
        covers = [interval.covers for interval in estimate.intervals]
        assert covers == ["units", "raters", "units and raters", "units"]
        assert "bootstrap" in estimate.intervals[0].method
        assert "jackknife" in estimate.intervals[1].method
        assert estimate.intervals[3].method.startswith("linearised")

    def test_intervals_over_raters_and_over_both_by_hand(self) -> None:
        def intervals(raters: float, units: float, cells: float, own: float) -> tuple[Interval, Interval]:
            parts = (np.array([part]) for part in (raters, units, cells, own, 0.0))
            spread = Spread(*parts, n_raters=20, n_units=901)
            return spread.raters_interval(0, 0.6, -0.5, 0.95), spread.both_interval(0, 0.6, -0.5, 0.95)

        def ends(variance: float, freedom: float) -> list[float]:
            # θ = .6 between −.5 and 1: w = ln(1.1/.4), and dw = dz (1 − L)/(θ − L) = dz 1.5/1.1.
            reach = stats.t.ppf(0.975, freedom) * np.sqrt(variance) * 1.5 / 1.1
            return [-0.5 + 1.5 / (1 + 0.4 / 1.1 * np.exp(side * reach)) for side in (1, -1)]

        # Raters alone are least: .04. Over both: .05 + .04.
        over_raters, over_both = intervals(0.04, 0.05, 0.0, 0.01)
        assert [over_raters.low, over_raters.high] == pytest.approx(ends(0.04, 1 / (1 / 19 + 1.5 / 40)))
        freedom = 1 / ((5 / 9) ** 2 / 900 + (4 / 9) ** 2 * (1 / 19 + 1.5 / 40))
        assert [over_both.low, over_both.high] == pytest.approx(ends(0.09, freedom))
        # Held to .03 + .04 − .02 less the units' own .01: .04 where the jackknife says .044.
        held, _ = intervals(0.044, 0.03, 0.024, 0.01)
        assert "held to the variance over both less the units' own" in held.method
        assert [held.low, held.high] == pytest.approx(ends(0.04, 1 / (1.1**2 * (1 / 19 + 1.5 / 40))))
        # Less than nothing: V_raters − V_cells takes a fifth of V_units, and its own counts up to half.
        over_raters, over_both = intervals(0.10, 0.05, 0.30, 0.04)
        tail = 1.25**2 * (1 / 19 + 1.5 / 40)
        assert [over_both.low, over_both.high] == pytest.approx(ends(0.04, 1 / (1.25**2 / 900 + tail)))
        assert [over_raters.low, over_raters.high] == pytest.approx(ends(0.015, 1 / tail))

    def test_where_severity_counts_the_lower_end_is_further_away_by_hand(self) -> None:
        spread = Spread(*(np.array([part]) for part in (0.04, 0.05, 0.01, 0.0, 0.0)), n_raters=20, n_units=901)
        plain = spread.both_interval(0, 0.6, -0.5, 0.95)
        found = spread.both_interval(0, 0.6, -0.5, 0.95, counts_severity=True)
        # V = .05 + .03, of which .03 is the raters' own: 3/8 · √(2/19) · 15/20 = .09125.
        skew = 3 / 8 * np.sqrt(2 / 19) * 3 / 4
        t = stats.t.ppf(0.975, 1 / ((5 / 8) ** 2 / 900 + (4 / 8) ** 2 * (1 / 19 + 1.5 / 40)))
        reach = ((1 + skew * t / 3) ** 3 - 1) / skew * np.sqrt(0.08) * 1.5 / 1.1
        assert found.low == pytest.approx(-0.5 + 1.5 / (1 + 0.4 / 1.1 * np.exp(reach)))
        assert found.low < plain.low
        assert found.high == plain.high
        assert "the lower end is further away" in found.method

    def test_skew_of_severity_by_hand(self) -> None:
        # All of V is the raters' own, and three eighths are.
        assert severity_skew(0.04, 0.04, 0.0, 20) == pytest.approx(np.sqrt(2 / 19) * 3 / 4)
        assert severity_skew(0.04, 0.02, 0.005, 8) == pytest.approx(3 / 8 * np.sqrt(2 / 7) * 3 / 8)
        # Never more than all; none where single ratings explain what raters add, and with five raters.
        assert severity_skew(0.04, 0.09, 0.01, 20) == severity_skew(0.04, 0.05, 0.0, 20)
        assert severity_skew(0.04, 0.02, 0.03, 20) == 0
        assert severity_skew(0.04, 0.04, 0.0, 5) == 0
        # No variance, and an undefined one.
        assert severity_skew(0.0, 0.0, 0.0, 20) == 0
        assert severity_skew(nan, nan, nan, 20) == 0

    def test_freedom_of_a_variance_by_hand(self) -> None:
        # Raters alone: 1/ν = 1/7 + 1.5/16.
        assert rater_freedom(4.0, 0.0, 900, 4.0, 8) == pytest.approx(1 / (1 / 7 + 1.5 / 16))
        # Half of V from units.
        assert rater_freedom(2.0, 1.0, 101, 1.0, 20) == pytest.approx(1 / (0.25 / 100 + 0.25 * (1 / 19 + 1.5 / 40)))
        # V_raters counts up to 1.25 V.
        assert rater_freedom(1.0, 1.0, 101, 9.0, 20) == pytest.approx(1 / (0.01 + 1.25**2 * (1 / 19 + 1.5 / 40)))
        # Very many raters: heavy tails no longer matter.
        assert stats.t.ppf(0.975, rater_freedom(1.0, 0.0, 900, 1.0, 10_000)) < 1.97
        # Three raters: 1/ν = 1/2 + 1.5/6 = 3/4, but never fewer than 2 unless severity counts.
        assert rater_freedom(1.0, 0.0, 900, 1.0, 3) == 2
        assert rater_freedom(1.0, 0.0, 900, 1.0, 3, counts_severity=True) == pytest.approx(4 / 3)
        assert rater_freedom(0.0, 0.0, 900, 0.0, 7) == 6

    def test_alpha_of_gwets_data_has_his_standard_error(self) -> None:
        # irrCAC: SE .14557 (11 pairable units). It leaves one term of order 1/n uncorrected, hence the tolerance.
        estimate = krippendorff_alpha(Ratings.from_matrix(reference_data.GWET_RAW_4, SCALE), "nominal")
        error = (estimate.value - estimate.intervals[0].low) / stats.t.ppf(0.975, 10)
        assert error == pytest.approx(0.14557, abs=1.2e-4)
        observers = Ratings.from_matrix(reference_data.GWET_RAW_5, (0, 1, 2, 3))
        fifth = krippendorff_alpha(observers, "nominal")
        assert fifth.value == pytest.approx(0.48053, abs=5.1e-6)
        pairable = fifth.n["pairable"]
        error = (fifth.value - fifth.intervals[0].low) / stats.t.ppf(0.975, pairable - 1)
        assert error == pytest.approx(0.11351, abs=1e-3)

    def test_two_raters_have_no_interval_over_raters_and_say_why(self) -> None:
        estimate = krippendorff_alpha(Ratings.from_matrix([[1, 2, 3], [1, 3, 3]], SCALE), rng=np.random.default_rng(0))
        for covers in ("raters", "units and raters"):
            interval = estimate.interval(covers)
            assert interval is not None
            assert not interval.is_defined
            assert interval.reason == "2 raters; leaving one out must leave two"

    def test_perfect_agreement_claims_no_certainty_over_raters(self) -> None:
        matrix = np.tile(np.arange(1.0, 6.0), (4, 3))
        estimate = krippendorff_alpha(Ratings.from_matrix(matrix, SCALE), rng=np.random.default_rng(0))
        assert estimate.value == 1.0
        interval = estimate.interval("raters")
        assert interval is not None
        assert interval.reason == "there is no disagreement that could spread"

    def test_bad_arguments(self) -> None:
        ratings = Ratings.from_matrix([[1, 2], [1, 3]], SCALE)
        with pytest.raises(ValueError, match="units and raters"):
            krippendorff_alpha(ratings, rng=np.random.default_rng(0), covers=("items",))
        with pytest.raises(ValueError, match="level"):
            krippendorff_alpha(ratings, level=95)


def test_the_spread_over_both_is_the_true_one() -> None:
    # 150 draws of units and raters; the mean variance over both against that of the estimates. Its relative error is
    # about √(2/150) = 12 %; were single ratings counted twice, it would be half as large again.
    world, rng = World("flat"), np.random.default_rng(4)
    family = AlphaFamily(VALUES, ("ordinal",))
    found, variances = [], []
    for _ in range(150):
        ratings = world.sample(200, 0.5 * rng.normal(size=20), rng.normal(size=200), rng)
        rows, multiplicity = ratings.patterns
        features = family.features(rows.astype(float))
        total = np.asarray(multiplicity.astype(float) @ features).reshape(1, -1)
        spread = Spread.of(ratings, family, features, total)
        found.append(z(family.values(total)[0])[0])
        variances.append(spread.units[0] + spread.raters[0] - spread.cells[0])
    assert np.mean(variances) == pytest.approx(np.var(found), rel=0.35)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shares", "n_units", "n_raters"), [("flat", 1000, 20), ("skewed", 200, 200)], ids=["flat", "skewed"]
)
def test_intervals_cover_what_they_claim(shares: str, n_units: int, n_raters: int) -> None:
    # 300 replications: at a true .95 fewer than 272 hits has probability .001. The full table: docs/methods.
    family = AlphaFamily(VALUES, ("ordinal", "interval"))
    rng = np.random.default_rng(7)
    result = coverage(World(shares), n_units, n_raters, 300, rng, n_resamples=199, family=family)
    for label in ("units", "units, linearised", "raters", "units and raters"):
        for metric in ("ordinal", "interval"):
            assert result.share[f"krippendorff_alpha_{metric}", label] >= 272 / 300
    if n_raters == 20:
        # Over units alone, twenty raters are not a sample: measured 80–82 % of the population's alpha.
        assert result.share["krippendorff_alpha_ordinal", "units, misread"] < 0.9
