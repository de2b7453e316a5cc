"""Agreement between two panels: a published value, a slow definition, chance and certainty."""

from itertools import product
from math import isnan

import numpy as np
import pytest

from annotations.stats.agreement.alpha import krippendorff_alpha
from annotations.stats.raters.cross_replication import Distance, cross_replication, normalised
from annotations.stats.ratings import Ratings

VALUES = np.array([1.0, 2.0, 3.0, 4.0])


def slowly(x: np.ndarray, y: np.ndarray, values: np.ndarray, distance: str) -> float:  # type: ignore[type-arg] (counts)
    """The definition, rating by rating."""
    margin = (x + y)[(x.sum(axis=1) > 0) & (y.sum(axis=1) > 0)].sum(axis=0)
    rank = np.cumsum(margin) - margin / 2

    def apart(a: int, b: int) -> float:
        if distance == "nominal":
            return float(a != b)
        at = values if distance == "interval" else rank
        return float((at[a] - at[b]) ** 2)

    units = [
        ([k for k, n in enumerate(own) for _ in range(n)], [k for k, n in enumerate(other) for _ in range(n)])
        for own, other in zip(x.tolist(), y.tolist(), strict=True)
        if sum(own) and sum(other)
    ]
    n_all = sum(len(a) + len(b) for a, b in units)
    observed = sum(
        (len(a) + len(b)) / n_all * sum(apart(i, j) for i, j in product(a, b)) / (len(a) * len(b)) for a, b in units
    )
    every_a, every_b = [i for a, _ in units for i in a], [j for _, b in units for j in b]
    expected = sum(apart(i, j) for i, j in product(every_a, every_b)) / (len(every_a) * len(every_b))
    return 1 - observed / expected


def test_the_value_of_the_authors_own_test() -> None:
    # google-research/cross-replication-reliability, CrossReplicationReliabilityTest; the last two units are of A alone.
    a = np.array([[0, 2], [0, 3], [2, 0], [3, 0], [1, 1], [3, 0], [2, 1]])
    b = np.array([[0, 2], [1, 1], [1, 1], [1, 1], [2, 0], [0, 0], [0, 0]])
    found = cross_replication(a, b, values=np.array([0.0, 1.0]), distance="nominal")
    assert found.value == pytest.approx(0.1818182, abs=1e-7)
    assert found.n == {"units": 5, "ratings_first": 12, "ratings_second": 10}


@pytest.mark.parametrize("distance", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_its_definition_with_gaps_and_ties(distance: Distance, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 3, (12, 4)), rng.integers(0, 2, (12, 4))
    found = cross_replication(x, y, values=VALUES, distance=distance)
    assert found.value == pytest.approx(slowly(x, y, VALUES, distance), abs=1e-12)


def test_panels_that_say_the_same_without_doubt_reach_one() -> None:
    x = np.eye(4, dtype=int)[[0, 1, 2, 3, 1]] * 3
    for distance in ("nominal", "ordinal", "interval"):
        assert cross_replication(x, x, values=VALUES, distance=distance).value == pytest.approx(1.0)


def test_panels_that_know_nothing_of_each_other_are_near_zero() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.multinomial(3, [0.4, 0.3, 0.2, 0.1], 4000), rng.multinomial(5, [0.4, 0.3, 0.2, 0.1], 4000)
    assert abs(cross_replication(x, y, values=VALUES).value) < 0.02


def test_two_halves_of_one_panel_agree_as_its_members_do() -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 4, 3000)
    noisy = np.clip(truth[:, None] + rng.integers(-1, 2, (3000, 6)), 0, 3)
    halves = [np.apply_along_axis(np.bincount, 1, noisy[:, half], minlength=4) for half in (slice(3), slice(3, 6))]
    kappa = cross_replication(halves[0], halves[1], values=VALUES, distance="interval").value
    alphas = [
        krippendorff_alpha(Ratings.from_matrix(noisy[:, h].T + 1.0, VALUES), "interval").value
        for h in (slice(3), slice(3, 6))
    ]
    assert normalised(kappa, alphas[0], alphas[1]) == pytest.approx(1.0, abs=0.01)


def test_the_interval_resamples_clusters_and_holds_the_value() -> None:
    rng = np.random.default_rng(3)
    x = rng.integers(0, 3, (40, 4))
    y = np.clip(x + rng.integers(-1, 2, (40, 4)), 0, 3)
    units = cross_replication(x, y, values=VALUES, rng=np.random.default_rng(0)).intervals[0]
    prompts = cross_replication(
        np.repeat(x, 4, axis=0),
        np.repeat(y, 4, axis=0),
        values=VALUES,
        cluster=np.repeat(np.arange(40), 4),
        rng=np.random.default_rng(0),
    ).intervals[0]
    assert (units.covers, prompts.covers) == ("units", "prompts")
    # The same forty clusters, each fourfold: nothing is learnt by repeating them.
    assert prompts.high - prompts.low == pytest.approx(units.high - units.low, rel=1e-9)
    again = cross_replication(x, y, values=VALUES, rng=np.random.default_rng(0))
    assert (again.intervals[0].low, again.intervals[0].high) == (units.low, units.high)
    assert units.low <= again.value <= units.high


def test_what_cannot_be_said_has_a_reason() -> None:
    one = np.array([[1, 0, 0, 0]])
    nothing = cross_replication(one, one, values=VALUES)
    assert isnan(nothing.value)
    assert "fewer than two" in nothing.reason
    same = np.tile(one, (5, 1))
    assert "equal" in cross_replication(same, same, values=VALUES, rng=np.random.default_rng(0)).reason
    assert isnan(normalised(0.5, 0.0, 0.4))
    with pytest.raises(ValueError, match="one row per unit"):
        cross_replication(one, same, values=VALUES)
    with pytest.raises(ValueError, match="unknown distance"):
        cross_replication(one, one, values=VALUES, distance="ratio")  # type: ignore[arg-type] (what is tested)
