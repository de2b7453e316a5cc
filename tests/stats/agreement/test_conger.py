from itertools import permutations
from math import nan, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

from annotations.reports.study.analysis import Options, analyse
from annotations.reports.study.data import StudyData, dimension_data
from annotations.reports.study.document import document
from annotations.reports.study.sections.report import sections
from annotations.reports.study.tables import AGREEMENT, agreement_rows
from annotations.stats.agreement.cohen import cohen_matrix
from annotations.stats.agreement.conger import conger_kappa
from annotations.stats.agreement.weights import agreement_weights
from annotations.stats.estimate import Estimate
from annotations.stats.ratings import Ratings
from tests.stats import reference_data
from tests.stats.strategies import matrices

SCALE = (1, 2, 3, 4, 5)
FOUR = Ratings.from_matrix(reference_data.GWET_RAW_4, SCALE)
FIVE = Ratings.from_matrix(reference_data.GWET_RAW_5, (0, 1, 2, 3))


def standard_error(estimate: Estimate) -> float:
    """From the lower end, where nothing cuts it."""
    reach = stats.t.ppf(0.975, estimate.n["units"] - 1)
    return float((estimate.value - estimate.intervals[0].low) / reach)


def is_interval_of(estimate: Estimate, error: float, matrix: np.ndarray) -> bool:
    """value ± t · error, cut at 1 and at −1/(m − 1) for m the fewest ratings of a pairable unit; none without width."""
    interval = estimate.intervals[0]
    sizes = (~np.isnan(matrix)).sum(axis=0)
    lowest = -1 / (sizes[sizes >= 2].min() - 1)
    if error < 1e-7 or estimate.value < lowest - 1e-9:
        return bool(interval.reason)
    reach = stats.t.ppf(0.975, estimate.n["units"] - 1) * error
    ends = max(lowest, estimate.value - reach), min(1.0, estimate.value + reach)
    return [interval.low, interval.high] == pytest.approx(ends, rel=1e-5, abs=1e-5)


class TestPublished:
    """Gwet (2014), pp. 120 and 125, as irrCAC prints them: raw_4raters and raw_5observers."""

    def test_coefficients(self) -> None:
        assert conger_kappa(FOUR).value == pytest.approx(0.76282, abs=5.1e-6)
        assert conger_kappa(FIVE).value == pytest.approx(0.46927, abs=5.1e-6)
        assert conger_kappa(FIVE, "ordinal").value == pytest.approx(0.71312, abs=5.1e-6)

    def test_standard_errors(self) -> None:
        assert standard_error(conger_kappa(FOUR)) == pytest.approx(0.14917, abs=5.1e-6)
        assert standard_error(conger_kappa(FIVE)) == pytest.approx(0.11666, abs=5.1e-6)

    def test_interval_is_over_units_and_cut_at_one(self) -> None:
        [interval] = conger_kappa(FOUR).intervals
        assert (interval.low, interval.high) == pytest.approx((0.4345, 1), abs=5.1e-6)
        assert interval.covers == "units"
        assert interval.method == "linearised standard error, t(11)"


def slow_kappa(matrix: np.ndarray, weights: np.ndarray, unit_weight: np.ndarray) -> float:
    """Conger's kappa of units that count `unit_weight` times, by its definition."""
    n_levels = len(weights)
    observed = pairable = 0.0
    for i, column in enumerate(matrix.T):
        levels = [int(x) - 1 for x in column if not np.isnan(x)]
        if len(levels) >= 2:
            observed += unit_weight[i] * np.mean([weights[a, b] for a, b in permutations(levels, 2)])
            pairable += unit_weight[i]
    shares = []
    for row in matrix:
        if not np.isnan(row).all():
            cells = [sum(unit_weight[row == level + 1]) for level in range(n_levels)]
            shares.append(np.array(cells) / sum(cells))
    if pairable == 0:
        return nan
    expected = np.mean([one @ weights @ other for one, other in permutations(shares, 2)])
    return float((observed / pairable - expected) / (1 - expected)) if 1 - expected > 1e-12 else nan


def slow_standard_error(matrix: np.ndarray, weights: np.ndarray) -> float:
    """√(n/(n − 1) Σ ψ²), ψ the change of kappa with a unit's weight.

    To which comes what Gwet (2014) makes of units with one rating: they have no agreement beyond chance, where the
    plain derivative gives them the coefficient itself.
    """
    rated = matrix[:, ~np.isnan(matrix).all(axis=0)]
    n = rated.shape[1]
    if n < 2:
        return nan
    value, width = slow_kappa(rated, weights, np.ones(n)), 1e-5
    pairable = (~np.isnan(rated)).sum(axis=0) >= 2
    effects = []
    for i in range(n):
        nudge = width * (np.arange(n) == i)
        plain = slow_kappa(rated, weights, np.ones(n) + nudge) - slow_kappa(rated, weights, np.ones(n) - nudge)
        effects.append(plain / (2 * width) + value * (pairable[i] / pairable.sum() - 1 / n))
    return sqrt(n / (n - 1) * sum(effect**2 for effect in effects))


class TestDefinition:
    @settings(max_examples=60, deadline=None)
    @given(matrices())
    def test_any_ratings_with_gaps(self, matrix: np.ndarray) -> None:
        ratings = Ratings.from_matrix(matrix, SCALE)
        for kind in ("identity", "quadratic", "ordinal"):
            weights = agreement_weights(ratings.values, kind)  # type: ignore[arg-type]
            found = conger_kappa(ratings, kind)  # type: ignore[arg-type]
            assert found.value == pytest.approx(
                slow_kappa(matrix, weights, np.ones(matrix.shape[1])), abs=1e-9, nan_ok=True
            )
            assert np.isnan(found.value) == bool(found.reason)
            if not found.is_defined:
                continue
            if found.n["units"] < 2:
                assert found.intervals[0].reason == "the standard error is undefined"
                continue
            assert is_interval_of(found, slow_standard_error(matrix, weights), matrix)

    def test_gwets_data(self) -> None:
        identity = np.eye(5)
        assert slow_standard_error(reference_data.GWET_RAW_4, identity) == pytest.approx(0.14917, abs=5.1e-6)

    @settings(max_examples=30, deadline=None)
    @given(matrices(max_raters=2, gaps=False))
    def test_two_raters_are_cohen(self, matrix: np.ndarray) -> None:
        ratings = Ratings.from_matrix(matrix, SCALE)
        n = ratings.n_units
        for weights in ("identity", "linear"):
            cohen = cohen_matrix(ratings, weights)  # type: ignore[arg-type]
            found = conger_kappa(ratings, weights)  # type: ignore[arg-type]
            assert found.value == pytest.approx(cohen.kappa[0, 1], abs=1e-9, nan_ok=True)
            assert np.isnan(found.value) == bool(found.reason)
            if found.is_defined and n > 1:
                # Fleiss, Cohen and Everitt (1969) divide by n, linearised standard errors by n − 1. Theirs is the root
                # of a difference, so that rounding leaves 1e-8 of nothing.
                error = cohen.standard_error[0, 1] * sqrt(n / (n - 1))
                assert is_interval_of(found, error if error > 1e-6 else 0.0, matrix)

    def test_raters_and_units_without_ratings_change_nothing(self) -> None:
        matrix = np.full((6, 20), nan)
        matrix[1:5, 3:15] = reference_data.GWET_RAW_4
        padded, found = conger_kappa(Ratings.from_matrix(matrix, SCALE)), conger_kappa(FOUR)
        assert padded.value == pytest.approx(found.value, abs=1e-12)
        assert padded.intervals[0].low == pytest.approx(found.intervals[0].low, abs=1e-12)

    def test_the_order_of_raters_changes_nothing(self) -> None:
        turned = conger_kappa(Ratings.from_matrix(np.array(reference_data.GWET_RAW_4)[[2, 0, 3, 1]], SCALE))
        assert turned.value == pytest.approx(conger_kappa(FOUR).value, abs=1e-12)
        assert turned.intervals[0].low == pytest.approx(conger_kappa(FOUR).intervals[0].low, abs=1e-12)


def world(rng: np.random.Generator, n_units: int) -> np.ndarray:
    """Five raters of different severity, who leave out three of ten cells."""
    severity = np.array([[-1.0], [-0.3], [0.0], [0.4], [1.2]])
    matrix = np.clip(np.round(rng.normal(size=n_units) + severity + rng.normal(size=(5, n_units)) + 3), 1, 5)
    matrix[rng.random(matrix.shape) < 0.3] = nan
    return matrix


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["identity", "quadratic"])
def test_spread_over_many_samples_of_units(kind: str) -> None:
    # 600 samples of 500 units for these five raters. The spread of 600 values is known to 1/√1200 = 2.9 %; a coverage
    # of .95 to .009. The truth is the kappa of 400,000 units.
    rng = np.random.default_rng(31)
    truth = conger_kappa(Ratings.from_matrix(world(rng, 400_000), SCALE), kind).value  # type: ignore[arg-type]
    found = [
        conger_kappa(Ratings.from_matrix(world(rng, 500), SCALE), kind)  # type: ignore[arg-type]
        for _ in range(600)
    ]
    spread = np.std([one.value for one in found], ddof=1)
    assert np.mean([standard_error(one) for one in found]) == pytest.approx(spread, rel=0.09)
    covered = np.mean([one.intervals[0].low <= truth <= one.intervals[0].high for one in found])
    assert 0.925 <= covered <= 0.975


class TestDegenerate:
    def test_nothing_to_compare(self) -> None:
        assert conger_kappa(Ratings.from_matrix([[1, 2]], (1, 2))).reason

    def test_all_ratings_equal(self) -> None:
        found = conger_kappa(Ratings.from_matrix([[2, 2], [2, 2]], (1, 2)))
        assert np.isnan(found.value)
        assert "no variation" in found.reason
        assert found.intervals == ()

    def test_one_unit_has_a_value_and_no_interval(self) -> None:
        found = conger_kappa(Ratings.from_matrix([[1], [2]], (1, 2)))
        assert found.value == 0
        assert not found.intervals[0].is_defined


def test_reports_show_it_with_the_interval_over_items() -> None:
    ratings = FOUR
    dimension = dimension_data(
        "consistency",
        unit=ratings.unit,
        rater=ratings.rater,
        level=ratings.level,
        values=SCALE,
        rater_names=["a", "b", "c", "d"],
        n_units=12,
    )
    none = np.full(12, -1)
    data = StudyData([f"i{n:02}" for n in range(12)], [dimension], none, [], none, [])
    made = document(analyse(data, Options(0, 20, 20)), title="t", code_version="1", made_at="now")
    [row] = [
        found
        for cells in agreement_rows(made)
        if (found := dict(zip(AGREEMENT, cells, strict=True)))["statistic"] == "conger_kappa"
    ]
    figures = (row["value"], row["ci_units_low"], row["ci_units_high"])
    assert figures == pytest.approx((0.76282, 0.4345, 1), abs=5.1e-6)
    assert row["ci_raters_low"] is row["ci_units_and_raters_low"] is None
    [shown] = [section for section in sections(made) if section.title == "Agreement"]
    assert "Conger's κ" in repr(shown.blocks)
