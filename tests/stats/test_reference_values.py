"""Published values that no module's own test holds: chance agreements, and parts of intervals, as their sources print.

Sources: Gwet, Handbook of Inter-Rater Reliability, 4th ed. (2014), and irrCAC 0.4.4 (Python) on the same data; the
kappa paradox of PMC7222679, table 1. All other reference values stand in the tests of the statistics they belong to.
"""

import numpy as np
import pytest
from scipy import stats

from annotations.stats.agreement.alpha import AlphaFamily, krippendorff_alpha
from annotations.stats.agreement.chance_corrected import brennan_prediger, fleiss_kappa, gwet_ac, percent_agreement
from annotations.stats.agreement.cohen import cohen_kappa
from annotations.stats.agreement.conger import conger_kappa
from annotations.stats.agreement.weights import Weights, agreement_weights
from annotations.stats.exact_means import unit_means
from annotations.stats.metrics.correlation import correlate
from annotations.stats.ratings import Ratings
from tests.stats import reference_data
from tests.stats.metrics.metric_data import read_dsg_tifa

RAW_4 = Ratings.from_matrix(reference_data.GWET_RAW_4, (1, 2, 3, 4, 5))
RAW_5 = Ratings.from_matrix(reference_data.GWET_RAW_5, (0, 1, 2, 3))
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]
DIAGNOSIS = [[40, 4, 4, 17], [6, 25, 2, 13], [4, 1, 21, 12], [15, 5, 9, 45]]


def chance(observed: float, coefficient: float) -> float:
    """p_e from (p_a − p_e)/(1 − p_e)."""
    return (observed - coefficient) / (1 - coefficient)


def test_chance_agreement_of_four_raters() -> None:
    observed = percent_agreement(RAW_4).value
    assert observed == pytest.approx(0.81818, abs=5e-6)
    for estimate, published in (
        (gwet_ac(RAW_4), 0.19032),
        (fleiss_kappa(RAW_4), 0.23872),
        (conger_kappa(RAW_4), 0.23343),
        (brennan_prediger(RAW_4), 0.2),
    ):
        assert chance(observed, estimate.value) == pytest.approx(published, abs=5.1e-6), estimate.statistic


@pytest.mark.parametrize(
    ("weights", "published"),
    [
        ("linear", 0.571),
        ("quadratic", 0.714),
        ("ordinal", 0.685),
        ("radical", 0.430),
        ("ratio", 0.678),
        ("bipolar", 0.682),
        ("circular", 0.426),
    ],
)
def test_weighted_chance_agreement_of_four_raters(weights: Weights, published: float) -> None:
    found = chance(percent_agreement(RAW_4, weights).value, gwet_ac(RAW_4, weights).value)
    assert found == pytest.approx(published, abs=5.1e-4)


def test_chance_agreement_of_five_observers() -> None:
    assert chance(percent_agreement(RAW_5).value, gwet_ac(RAW_5).value) == pytest.approx(0.23627, abs=5.1e-6)


def test_alpha_from_its_published_parts() -> None:
    # irrCAC writes alpha with p_a .805, to which it adds 1/n of chance, and p_e .24: of 40 pairable ratings 8 of 40
    # coincidences differ, (39/40)(32/40) + 1/40 = .805, and (81 + 169 + 100 + 25 + 9)/1600 = .24.
    alpha = krippendorff_alpha(RAW_4, "nominal")
    observed, expected = 39 / 40 * 32 / 40 + 1 / 40, 384 / 1600
    assert (observed, expected) == pytest.approx((0.805, 0.24))
    assert alpha.value == pytest.approx((observed - expected) / (1 - expected), abs=1e-12)
    low, high = alpha.intervals[0].low, alpha.intervals[0].high
    assert high == 1.0
    # Published .41906; ours leaves out a factor (n − 1)/n, as docs/methods/agreement.md says.
    assert low == pytest.approx(0.41906, abs=3e-4)


def test_alpha_with_gwets_ordinal_weights_is_another_statistic() -> None:
    # irrCAC, raw_5observers, weights "ordinal": .72348. Krippendorff's ordinal alpha of the same ratings differs.
    family = AlphaFamily(RAW_5.values, ("nominal",))
    family.squared["nominal"] = 1 - agreement_weights(RAW_5.values, "ordinal")
    rows, multiplicity = RAW_5.patterns
    sums = multiplicity.astype(float) @ family.features(rows.astype(float))
    assert family.values(np.asarray(sums)[None])[0, 0] == pytest.approx(0.72348, abs=5.1e-6)
    assert abs(krippendorff_alpha(RAW_5, "ordinal").value - 0.72348) > 0.005


@pytest.mark.parametrize(
    ("table", "error", "low", "high"),
    [(ABSTRACTORS, 0.05891, 0.67952, 0.9133), (DIAGNOSIS, 0.04597, 0.34091, 0.52209)],
    ids=["abstractors", "diagnosis"],
)
def test_interval_of_cohens_kappa(table: list[list[int]], error: float, low: float, high: float) -> None:
    # The same standard error as ours; irrCAC takes t with n − 1 degrees of freedom, ours is the normal quantile.
    estimate, _ = cohen_kappa(table)
    interval = estimate.intervals[0]
    ours = (interval.high - interval.low) / 2 / stats.norm.ppf(0.975)
    assert ours == pytest.approx(error, abs=5.1e-6)
    reach = stats.t.ppf(0.975, np.sum(table) - 1) * ours
    assert (estimate.value - reach, estimate.value + reach) == pytest.approx((low, high), abs=6e-6)


def test_kappa_paradox_chance_agreement() -> None:
    # By hand: (186 · 139 + 14 · 61)/200² = .668.
    kappa, _ = cohen_kappa([[130, 56], [9, 5]])
    assert chance(135 / 200, kappa.value) == pytest.approx((186 * 139 + 14 * 61) / 200**2, abs=1e-12)
    assert chance(135 / 200, kappa.value) == pytest.approx(0.668, abs=5e-4)


def test_two_panels_on_the_same_images() -> None:
    # TIFA's two raters against DSG's five, means of 800 images: figures recomputed from the published ratings.
    data = read_dsg_tifa()
    others = unit_means(data.ratings["consistency_tifa"])
    found = correlate(unit_means(data.ratings["consistency"]), others.mean, rng=np.random.default_rng(0), n_resamples=2)
    values = {one.statistic: one.value for one in found}
    expected = data.expected["tifa_vs_dsg_mean"]
    assert values["spearman"] == pytest.approx(expected["spearman"], abs=1e-6)
    assert values["pearson"] == pytest.approx(expected["pearson"], abs=1e-6)


@pytest.mark.slow
def test_printed_correlations_are_the_variants_that_their_names_do_not_say() -> None:
    # DSG's README prints Spearman and τ-b; TIFA's notebook prints as "spearman" what is Pearson's r.
    data = read_dsg_tifa()

    def figures(dimension: str, metric: str) -> dict[str, float]:
        human = unit_means(data.ratings[dimension])
        found = correlate(human, data.metrics[metric], rng=np.random.default_rng(0), n_resamples=2)
        return {one.statistic: one.value for one in found}

    for row in data.expected["correlations_vs_dsg5"]:
        found = figures("consistency", row["metric"])
        for name in ("spearman", "kendall_tau_b"):
            if (printed := row.get(f"{name}_published")) is not None:
                assert found[name] == pytest.approx(printed, abs=5.1e-4), (row["metric"], name)
    differ = 0
    for row in data.expected["correlations_vs_tifa2"]:
        found = figures("consistency_tifa", row["metric"])
        if (printed := row.get("published_as_spearman_but_is_pearson")) is not None:
            assert found["pearson"] == pytest.approx(printed, abs=1e-9), row["metric"]
            differ += abs(found["spearman"] - printed) > 0.005
        if (printed := row.get("kendall_tau_b_published")) is not None:
            assert found["kendall_tau_b"] == pytest.approx(printed, abs=1e-9), row["metric"]
    assert differ > 0
