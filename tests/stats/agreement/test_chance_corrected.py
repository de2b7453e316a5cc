from math import nan

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

from annotations.stats.agreement.alpha import AlphaFamily, krippendorff_alpha
from annotations.stats.agreement.chance_corrected import (
    DEFAULT,
    brennan_prediger,
    chance_corrected,
    fleiss_kappa,
    fleiss_null_test,
    gwet_ac,
    percent_agreement,
)
from annotations.stats.agreement.weights import Weights, agreement_weights
from annotations.stats.estimate import Estimate
from annotations.stats.ratings import Ratings
from tests.stats import reference_data, slow_definitions
from tests.stats.strategies import matrices

RAW_4 = Ratings.from_matrix(reference_data.GWET_RAW_4, (1, 2, 3, 4, 5))
RAW_5 = Ratings.from_matrix(reference_data.GWET_RAW_5, (0, 1, 2, 3))


def standard_error(estimate: Estimate) -> float:
    """From the lower end of the linearised interval; the upper one may be cut at 1."""
    interval = estimate.intervals[-1]
    assert interval.method.startswith("linearised standard error")
    freedom = estimate.n["units"] - 1
    return float((estimate.value - interval.low) / stats.t.ppf(0.975, freedom))


class TestPublished:
    """Gwet, Handbook of Inter-Rater Reliability, 4th ed. (2014), pp. 120–125; R irrCAC; irrCAC 0.4.4 (Python)."""

    @pytest.mark.parametrize(
        ("compute", "value", "error", "low"),
        [
            (gwet_ac, 0.77544, 0.14295, 0.46081),
            (fleiss_kappa, 0.76117, 0.15302, 0.42438),
            (brennan_prediger, 0.77273, 0.14472, 0.45421),
        ],
        ids=["ac1", "fleiss", "brennan_prediger"],
    )
    def test_four_raters(self, compute: object, value: float, error: float, low: float) -> None:
        estimate = compute(RAW_4)  # type: ignore[operator]
        assert estimate.value == pytest.approx(value, abs=5.1e-6)
        assert standard_error(estimate) == pytest.approx(error, abs=5.1e-6)
        assert estimate.intervals[-1].low == pytest.approx(low, abs=1.1e-5)
        assert estimate.intervals[-1].high == 1.0

    @pytest.mark.parametrize(
        ("weights", "value", "error", "low"),
        [
            ("linear", 0.859, 0.117, 0.600),
            ("quadratic", 0.914, 0.104, 0.685),
            ("ordinal", 0.899, 0.107, 0.664),
            ("radical", 0.820, 0.128, 0.537),
            ("ratio", 0.857, 0.122, 0.589),
            ("bipolar", 0.900, 0.106, 0.667),
            ("circular", 0.830, 0.133, 0.538),
        ],
    )
    def test_four_raters_weighted(self, weights: Weights, value: float, error: float, low: float) -> None:
        estimate = gwet_ac(RAW_4, weights)
        assert estimate.value == pytest.approx(value, abs=5.1e-4)
        assert standard_error(estimate) == pytest.approx(error, abs=5.1e-4)
        assert estimate.intervals[-1].low == pytest.approx(low, abs=1e-3)

    @pytest.mark.parametrize(
        ("weights", "observed"),
        [
            ("identity", 0.81818),
            ("linear", 0.939),
            ("quadratic", 0.975),
            ("ordinal", 0.968),
            ("radical", 0.897),
            ("ratio", 0.954),
            ("bipolar", 0.968),
            ("circular", 0.902),
        ],
    )
    def test_four_raters_observed_agreement(self, weights: Weights, observed: float) -> None:
        assert percent_agreement(RAW_4, weights).value == pytest.approx(observed, abs=5.1e-4)

    def test_five_observers(self) -> None:
        ac1, fleiss, uniform = gwet_ac(RAW_5), fleiss_kappa(RAW_5), brennan_prediger(RAW_5)
        assert (ac1.value, fleiss.value, uniform.value) == pytest.approx((0.49662, 0.45762, 0.48741), abs=5.1e-6)
        errors = [standard_error(one) for one in (ac1, fleiss, uniform)]
        assert errors == pytest.approx([0.12197, 0.12045, 0.12089], abs=5.1e-6)
        assert ac1.intervals[-1].low == pytest.approx(0.23502, abs=1.1e-5)
        assert ac1.intervals[-1].high == pytest.approx(0.75823, abs=1.1e-5)
        assert percent_agreement(RAW_5).value == pytest.approx(0.61556, abs=5.1e-6)

    def test_five_observers_ordinal(self) -> None:
        ac2 = gwet_ac(RAW_5, "ordinal")
        assert ac2.value == pytest.approx(0.78534, abs=5.1e-6)
        assert standard_error(ac2) == pytest.approx(0.06819, abs=5.1e-6)
        assert ac2.intervals[-1].low == pytest.approx(0.63909, abs=1.1e-5)
        assert ac2.intervals[-1].high == pytest.approx(0.93159, abs=1.1e-5)
        assert fleiss_kappa(RAW_5, "ordinal").value == pytest.approx(0.70122, abs=5.1e-6)
        assert brennan_prediger(RAW_5, "ordinal").value == pytest.approx(0.75941, abs=5.1e-6)

    def test_fleiss_1971(self) -> None:
        # Fleiss (1971): kappa .430; R irr kappam.fleiss .4302445, z 17.65183.
        ratings = Ratings.from_matrix(reference_data.FLEISS_1971, (1, 2, 3, 4, 5))
        assert list(ratings.histogram) == [26, 26, 30, 55, 43]
        assert fleiss_kappa(ratings).value == pytest.approx(0.4302445, abs=5e-8)
        assert fleiss_null_test(ratings).value == pytest.approx(17.65183, abs=5e-6)

    def test_fleiss_on_wikipedia(self) -> None:
        matrix = reference_data.matrix_of_counts(reference_data.FLEISS_WIKIPEDIA)
        # kappa .210; by hand: P̄ = .378, P̄e = .213.
        assert fleiss_kappa(Ratings.from_matrix(matrix, range(1, 6))).value == pytest.approx(0.210, abs=5e-4)

    @pytest.mark.parametrize(
        ("table", "observed", "ac1", "error", "low", "high", "uniform"),
        [
            ([[13, 0, 0], [0, 20, 7], [0, 4, 56]], 0.89, 0.84933, 0.04322, 0.76358, 0.93508, 0.835),
            (
                [[40, 4, 4, 17], [6, 25, 2, 13], [4, 1, 21, 12], [15, 5, 9, 45]],
                0.58744, 0.45616, 0.04345, 0.37053, 0.54178, 0.44993,
            ),
        ],
        ids=["abstractors", "diagnosis"],
    )  # fmt: skip
    def test_two_rater_tables(
        self, table: list[list[int]], observed: float, ac1: float, error: float, low: float, high: float, uniform: float
    ) -> None:
        # irrCAC datasets cont3x3abstractors and cont4x4diagnosis. Its table form divides by n where its form for raw
        # ratings (above), and ours, divides by n − 1.
        ratings = ratings_of_table(np.array(table))
        estimate = gwet_ac(ratings)
        assert estimate.value == pytest.approx(ac1, abs=5.1e-6)
        n = estimate.n["units"]
        ours = standard_error(estimate) * np.sqrt((n - 1) / n)
        assert ours == pytest.approx(error, abs=5.1e-6)
        reach = stats.t.ppf(0.975, n - 1) * ours
        assert (estimate.value - reach, estimate.value + reach) == pytest.approx((low, high), abs=2e-5)
        assert percent_agreement(ratings).value == pytest.approx(observed, abs=5.1e-6)
        assert brennan_prediger(ratings).value == pytest.approx(uniform, abs=6e-5)

    def test_alpha_of_two_raters(self) -> None:
        # irrCAC: alpha .79726 and .43162; five observers with ordinal weights have another alpha, .72348.
        abstractors = ratings_of_table(np.array([[13, 0, 0], [0, 20, 7], [0, 4, 56]]))
        assert krippendorff_alpha(abstractors, "nominal").value == pytest.approx(0.79726, abs=5.1e-6)
        diagnosis = ratings_of_table(np.array([[40, 4, 4, 17], [6, 25, 2, 13], [4, 1, 21, 12], [15, 5, 9, 45]]))
        assert krippendorff_alpha(diagnosis, "nominal").value == pytest.approx(0.43162, abs=5.1e-6)

    def test_scott_is_fleiss_of_two_raters(self) -> None:
        # irrCAC: Scott's pi .79624 and .43034.
        abstractors = ratings_of_table(np.array([[13, 0, 0], [0, 20, 7], [0, 4, 56]]))
        assert fleiss_kappa(abstractors).value == pytest.approx(0.79624, abs=5.1e-6)
        diagnosis = np.array([[40, 4, 4, 17], [6, 25, 2, 13], [4, 1, 21, 12], [15, 5, 9, 45]])
        assert fleiss_kappa(ratings_of_table(diagnosis)).value == pytest.approx(0.43034, abs=5.1e-6)


def ratings_of_table(table: np.ndarray) -> Ratings:
    """Two raters whose joint counts are this table."""
    first, second = np.nonzero(table)
    times = table[first, second]
    matrix = np.array([np.repeat(first, times), np.repeat(second, times)], dtype=float) + 1
    return Ratings.from_matrix(matrix, range(1, len(table) + 1))


@settings(max_examples=60, deadline=None)
@given(matrices())
def test_fast_equals_slow_definition(matrix: np.ndarray) -> None:
    levels = [1.0, 2.0, 3.0, 4.0, 5.0]
    ratings = Ratings.from_matrix(matrix, levels)
    kinds: tuple[Weights, ...] = ("identity", "linear", "quadratic", "ordinal")
    for kind in kinds:
        slow = slow_definitions.weighted_agreement(matrix, levels, agreement_weights(np.array(levels), kind))
        wanted = [(chance, kind) for chance in ("percent_agreement", "fleiss_kappa", "gwet", "brennan_prediger")]
        fast = [estimate.value for estimate in chance_corrected(ratings, wanted)]
        expected = [slow[name] for name in ("pa", "fleiss", "gwet", "brennan_prediger")]
        assert fast == pytest.approx(expected, abs=1e-9, nan_ok=True)
    assert percent_agreement(ratings, "within_one").value == pytest.approx(
        slow_definitions.within_one(matrix, levels), abs=1e-12, nan_ok=True
    )


@settings(max_examples=30, deadline=None)
@given(matrices(gaps=False))
def test_a_duplicated_panel_keeps_chance_and_moves_agreement_as_it_must(matrix: np.ndarray) -> None:
    # Doubling every rater keeps level shares; of 2m(2m − 1) pairs, m are a rater with their double and agree:
    # p_a' = (4m(m − 1) p_a + 2m) / (2m(2m − 1)).
    m = matrix.shape[0]
    once = percent_agreement(Ratings.from_matrix(matrix, range(1, 6))).value
    twice = percent_agreement(Ratings.from_matrix(np.vstack([matrix, matrix]), range(1, 6))).value
    assert twice == pytest.approx((4 * m * (m - 1) * once + 2 * m) / (2 * m * (2 * m - 1)))


@settings(max_examples=30, deadline=None)
@given(matrices())
def test_order_of_raters_and_units_is_nothing(matrix: np.ndarray) -> None:
    values = [one.value for one in chance_corrected(Ratings.from_matrix(matrix, range(1, 6)))]
    turned = [one.value for one in chance_corrected(Ratings.from_matrix(matrix[::-1, ::-1], range(1, 6)))]
    assert turned == pytest.approx(values, abs=1e-12, nan_ok=True)


def test_p_value_of_ac1() -> None:
    # irrCAC, raw_4raters: p .00021, t with 11 degrees of freedom.
    estimate = gwet_ac(RAW_4)
    assert 2 * stats.t.sf(estimate.value / standard_error(estimate), 11) == pytest.approx(0.00021, abs=5e-6)


class TestTraps:
    def test_one_dissent_in_three_hundred_shows_why_no_figure_is_reported_alone(self) -> None:
        # 3 raters × 100 units, one dissenting rating. p_a = (99 + 1/3)/100; shares 299/300 and 1/300;
        # Fleiss p_e = (299² + 1)/300² = 89402/90000: κ = (.993333 − .993356)/(1 − .993356) = −.0033.
        # AC1 on 2 levels: p_e = 2 · (299/300)(1/300) = 598/90000: (.993333 − .006644)/.993356 = .99329.
        matrix = np.ones((3, 100))
        matrix[0, 0] = 2
        by_name = {one.statistic: one.value for one in chance_corrected(Ratings.from_matrix(matrix, (1, 2)))}
        observed = 298 / 300
        assert by_name["percent_agreement"] == pytest.approx(observed)
        assert by_name["fleiss_kappa"] == pytest.approx((observed - 89402 / 90000) / (598 / 90000))
        assert by_name["fleiss_kappa"] == pytest.approx(-0.00334, abs=5e-6)
        assert by_name["gwet_ac1"] == pytest.approx(0.993, abs=5e-4)

    def test_units_with_one_rating_inform_chance(self) -> None:
        # Gwet's data: AC1 .7754 with the single rating, .7752 without.
        assert gwet_ac(RAW_4).value == pytest.approx(0.7754, abs=5e-5)
        without = Ratings.from_matrix(reference_data.GWET_RAW_4[:, :11], (1, 2, 3, 4, 5))
        assert gwet_ac(without).value == pytest.approx(0.7752, abs=5e-5)
        assert gwet_ac(RAW_4).n["units"] == 12
        assert gwet_ac(RAW_4).n["pairable"] == 11

    @pytest.mark.parametrize(
        ("table", "observed", "ac1"),
        [([[130, 56], [9, 5]], 0.675, 0.533), ([[118, 5], [2, 0]], 0.944, 0.941)],
        ids=["low kappa", "negative kappa"],
    )
    def test_kappa_paradox(self, table: list[list[int]], observed: float, ac1: float) -> None:
        # PMC7222679, table 1.
        ratings = ratings_of_table(np.array(table))
        assert percent_agreement(ratings).value == pytest.approx(observed, abs=5e-4)
        assert gwet_ac(ratings).value == pytest.approx(ac1, abs=5e-4)

    def test_ordinal_weights_are_not_krippendorffs_ordinal_difference(self) -> None:
        # irrCAC's alpha with "ordinal" weights is .83364, with "quadratic" .84911, with "ratio" .7974. Putting 1 − w
        # for the difference gives them; Krippendorff's ordinal alpha of the same data is .81539.
        rows, multiplicity = RAW_4.patterns
        for kind, value in (("ordinal", 0.83364), ("quadratic", 0.84911), ("ratio", 0.7974), ("identity", 0.74342)):
            family = AlphaFamily(RAW_4.values, ("nominal",))
            family.squared["nominal"] = 1 - agreement_weights(RAW_4.values, kind)  # type: ignore[arg-type]
            sums = multiplicity.astype(float) @ family.features(rows.astype(float))
            assert family.values(np.asarray(sums)[None])[0, 0] == pytest.approx(value, abs=5.1e-5)
        assert krippendorff_alpha(RAW_4, "ordinal").value == pytest.approx(0.81539, abs=5e-6)
        assert "not Gwet's ordinal weights" in krippendorff_alpha(RAW_4, "ordinal").method

    def test_unequal_raters_per_unit_are_allowed(self) -> None:
        matrix = [[1, 2, 1], [1, 2, 2], [1, nan, nan]]
        # p_a: unit 1 all agree (1), unit 2 agree (1), unit 3 not (0): 2/3. Shares of 1: (1 + 0 + 1/2)/3 = 1/2.
        assert fleiss_kappa(Ratings.from_matrix(matrix, (1, 2))).value == pytest.approx((2 / 3 - 1 / 2) / (1 / 2))

    def test_all_ratings_equal(self) -> None:
        ratings = Ratings.from_matrix(np.full((3, 4), 2.0), (1, 2, 3))
        by_name = {one.statistic: one for one in chance_corrected(ratings, DEFAULT, rng=np.random.default_rng(0))}
        assert np.isnan(by_name["fleiss_kappa"].value)
        assert "no variation" in by_name["fleiss_kappa"].reason
        # Chance agreement of AC1 and of a uniform choice is defined without variation, and so are they.
        assert by_name["gwet_ac1"].value == 1.0
        assert by_name["percent_agreement"].value == 1.0

    def test_an_unused_level_counts_in_the_scale(self) -> None:
        matrix = [[1, 2, 1, 2], [1, 2, 2, 2]]
        # p_a = 3/4; a uniform choice among 2 levels agrees by chance in 1/2, among 3 in 1/3.
        assert brennan_prediger(Ratings.from_matrix(matrix, (1, 2))).value == pytest.approx(0.5)
        assert brennan_prediger(Ratings.from_matrix(matrix, (1, 2, 3))).value == pytest.approx((3 / 4 - 1 / 3) * 3 / 2)

    def test_a_scale_of_one_level(self) -> None:
        for estimate in chance_corrected(Ratings.from_matrix([[1, 1], [1, 1]], (1,))):
            if not estimate.statistic.startswith("percent"):
                assert np.isnan(estimate.value)
                assert estimate.reason == "the scale has one level"

    def test_unknown_names_are_refused(self) -> None:
        with pytest.raises(ValueError, match="fleiss_kappa, gwet"):
            chance_corrected(RAW_4, (("scott", "identity"),))
        with pytest.raises(ValueError, match="identity, linear"):
            gwet_ac(RAW_4, "cubic")  # type: ignore[arg-type]
