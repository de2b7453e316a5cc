"""Raters who change while they work."""

import numpy as np
import pytest

from annotations.stats.raters.drift import drift
from annotations.stats.ratings import BadRatings, Ratings


def panel(n_raters: int, n_units: int, seed: int, slope: float = 0.0) -> tuple[Ratings, np.ndarray, np.ndarray]:
    """Every rater rates every unit in an order of their own; severities move by `slope` from first to last."""
    rng = np.random.default_rng(seed)
    order = np.stack([rng.permutation(n_units) for _ in range(n_raters)])
    quality = rng.normal(50, 15, n_units)[None] + slope * order / (n_units - 1) + rng.normal(0, 5, (n_raters, n_units))
    ratings = Ratings.from_matrix(np.clip(np.rint(quality), 0, 100), list(range(101)))
    return ratings, order[ratings.rater, ratings.unit], rng.lognormal(1, 0.2, len(ratings))


def test_one_rater_against_a_steady_one_by_hand() -> None:
    # Rater 0 goes from the other's answer to 3 above it in four steps: slope 3. The other's is −3: the mean is 0.
    ratings = Ratings.from_matrix([[1, 2, 3, 4], [1, 1, 1, 1]], [1, 2, 3, 4])
    found = drift(ratings, order=np.array([0, 0, 1, 1, 2, 2, 3, 3]), fewest=4)
    assert found.slopes == pytest.approx([3, -3])
    assert found.severity.value == pytest.approx(0)
    assert found.distance.value == pytest.approx(3)
    assert found.severity.intervals[0].reason == "too few raters (2)"


def test_a_panel_that_gets_slower_and_less_alike_shows_it() -> None:
    rng = np.random.default_rng(1)
    ratings, order, seconds = panel(8, 60, 2)
    place = order / 59
    noisy = np.clip(ratings.level + np.rint(25 * place * rng.normal(size=len(ratings))), 0, 100).astype(np.int64)
    tired = Ratings(ratings.unit, ratings.rater, noisy, ratings.values, ratings.n_units, ratings.n_raters)
    found = drift(tired, order=order, seconds=seconds * np.exp(-0.7 * place))
    assert found.distance.intervals[0].low > 0
    assert found.p["drift_distance"] < 0.01
    assert found.time.intervals[0].high < 0.7
    assert found.time.value == pytest.approx(0.5, abs=0.1)


def test_a_steady_panel_is_found_to_drift_in_one_of_twenty_studies() -> None:
    found = [drift(p, order=order, seconds=s).p for p, order, s in (panel(6, 40, seed) for seed in range(200))]
    for name in ("drift_severity", "drift_distance", "drift_time"):
        assert 0.02 <= np.mean([one[name] < 0.05 for one in found]) <= 0.09


def test_without_an_order_there_is_no_drift() -> None:
    ratings, order, _ = panel(3, 12, 0)
    assert drift(ratings, order=None).severity.reason == "the order of ratings is not known"
    assert drift(ratings, order=order).time.reason
    with pytest.raises(BadRatings, match="one entry"):
        drift(ratings, order=order[:-1])
