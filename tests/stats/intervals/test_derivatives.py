"""The derivatives behind linearised intervals, against differences and against leaving a unit out."""

import numpy as np
import pytest
from scipy import stats

from annotations.stats.agreement.alpha import AlphaFamily
from annotations.stats.agreement.chance_corrected import DEFAULT, ChanceFamily, chance_corrected
from annotations.stats.agreement.intraclass.icc_one_way import OneWayFamily
from annotations.stats.arrays import FloatArray
from annotations.stats.intervals.pattern_families import Joined
from annotations.stats.ratings import Ratings


def everything(values: FloatArray) -> Joined:
    more = (("fleiss_kappa", "quadratic"), ("brennan_prediger", "linear"), ("gwet", "radical"))
    return Joined([AlphaFamily(values), ChanceFamily(values, DEFAULT + more), OneWayFamily(values)])


def sums_of(ratings: Ratings, family: Joined) -> tuple[FloatArray, FloatArray]:
    rows, multiplicity = ratings.patterns
    features = np.asarray(family.features(rows.astype(float)))
    return features, (multiplicity @ features).reshape(1, -1)


def random_ratings(rng: np.random.Generator, *, rare: bool) -> Ratings:
    n_levels, n_raters, n_units = rng.integers((2, 3, 6), (8, 7, 300))
    values = np.sort(rng.choice(np.arange(1.0, 15.0), n_levels, replace=False))
    shares = np.append(0.99, np.full(n_levels - 1, 0.01 / (n_levels - 1))) if rare else np.full(n_levels, 1 / n_levels)
    given = rng.random((n_raters, n_units)) > 0.3
    # Two units whose ratings differ, so that every statistic is defined.
    level = rng.choice(n_levels, size=given.shape, p=shares)
    level[:2, 0], level[:2, 1], given[:2, :2] = (0, n_levels - 1), (n_levels - 1, 0), True
    rater, unit = np.nonzero(given)
    return Ratings(unit, rater, level[given], values, int(n_units), int(n_raters))


@pytest.mark.slow
@pytest.mark.parametrize("rare", [False, True], ids=["levels in use", "rare levels"])
def test_gradients_are_those_of_differences(rare: bool) -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        ratings = random_ratings(rng, rare=rare)
        family = everything(ratings.values)
        _, total = sums_of(ratings, family)
        exact = family.gradient(total)
        differences = np.zeros_like(exact)
        for sum_, size in enumerate(np.abs(total[0])):
            step = np.zeros_like(total)
            step[0, sum_] = 1e-5 * max(size, 0.01)
            up, down = family.values(total + step), family.values(total - step)
            far_up, far_down = family.values(total + 2 * step), family.values(total - 2 * step)
            differences[sum_] = ((far_down - far_up) + 8 * (up - down))[0] / (12 * step[0, sum_])
        assert exact == pytest.approx(differences, rel=1e-6, abs=1e-6 * float(np.abs(exact).max()))


def test_effects_of_units_are_those_of_leaving_one_out_of_many() -> None:
    rng = np.random.default_rng(2)
    for rare in (False, True):
        ratings = random_ratings(rng, rare=rare)
        family = everything(ratings.values)
        features, total = sums_of(ratings, family)
        # The same ratings a thousand times: one unit's going is then a small step.
        many = 1000 * total
        left_out = family.values(many) - family.values(many - features)
        assert left_out == pytest.approx(features @ family.gradient(many), rel=0.02, abs=1e-9)


def gwet_fleiss(n: int, n_levels: int, values: FloatArray, kind: str) -> tuple[float, float]:
    """Fleiss' kappa and its standard error (Gwet 2014, section 5.3) of n units of three ratings, all at one level but
    one dissent to the next level; weights between the two levels count.

    κ*_i = (a_i − p_e)/(1 − p_e) − 2 (1 − κ)(p_e|i − p_e)/(1 − p_e), the variance Σ (κ*_i − κ)²/(n (n − 1)).
    """
    other = 1 - (((values[1] - values[0]) / (values[-1] - values[0])) ** 2 if kind == "quadratic" else 1)
    weights = np.array([[1, other], [other, 1]])
    counts, many = np.array([[3.0, 0], [2, 1]]), np.array([n - 1.0, 1])
    share = many @ counts / 3 / n
    agree = np.array([1.0, (2 + 4 * other) / 6])
    chance = share @ weights @ share
    kappa = (many @ agree / n - chance) / (1 - chance)
    effect = (agree - chance) / (1 - chance) - 2 * (1 - kappa) * (counts @ weights @ share / 3 - chance) / (1 - chance)
    return float(kappa), float(np.sqrt(many @ (effect - kappa) ** 2 / n / (n - 1)))


@pytest.mark.parametrize(
    ("n", "n_levels", "kind"),
    [(3000, 2, "identity"), (30_000, 5, "identity"), (300, 5, "quadratic"), (24, 5, "quadratic")],
)
def test_one_dissent_has_gwets_interval(n: int, n_levels: int, kind: str) -> None:
    values = np.arange(1.0, n_levels + 1)
    level = np.zeros((3, n), dtype=int)
    level[0, 0] = 1
    (estimate,) = chance_corrected(Ratings.from_matrix(values[level], values), (("fleiss_kappa", kind),))  # type: ignore[arg-type]
    kappa, error = gwet_fleiss(n, n_levels, values, kind)
    reach = stats.t.ppf(0.975, n - 1) * error
    assert estimate.value == pytest.approx(kappa)
    interval = estimate.intervals[0]
    assert [interval.low, interval.high] == pytest.approx([kappa - reach, kappa + reach], rel=1e-6)
