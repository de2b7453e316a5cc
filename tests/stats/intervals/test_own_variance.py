"""The units' own part of a variance over units: against its definition, and against worlds where it is known."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest

from annotations.stats.agreement.alpha import AlphaFamily
from annotations.stats.agreement.chance_corrected import ChanceFamily
from annotations.stats.agreement.intraclass.icc_one_way import OneWayFamily
from annotations.stats.arrays import FloatArray
from annotations.stats.intervals.leave_one_out import DeletedRatings
from annotations.stats.intervals.own_variance import _kernel, own_variance
from annotations.stats.intervals.pattern_families import Joined, PatternFamily
from annotations.stats.ratings import Ratings
from tests.benchmarks.coverage.agreement import VALUES, World, quadrature

EVERYTHING = Joined([AlphaFamily(VALUES), ChanceFamily(VALUES), OneWayFamily(VALUES)])


def deleted(ratings: Ratings, family: PatternFamily) -> DeletedRatings:
    rows, multiplicity = ratings.patterns
    features = family.features(rows.astype(float))
    total = np.asarray(multiplicity.astype(float) @ features).reshape(1, -1)
    return DeletedRatings(ratings, family, features, total)


def ratings_of(units: list[list[int]]) -> Ratings:
    """Levels 0 … 4 of each unit, given by raters 0, 1, 2 …"""
    unit = np.repeat(np.arange(len(units)), [len(levels) for levels in units])
    rater = np.concatenate([np.arange(len(levels)) for levels in units])
    return Ratings(unit, rater, np.concatenate(units).astype(np.int64), VALUES, len(units), int(rater.max()) + 1)


def some_units(n: int, seed: int, sizes: tuple[int, ...] = (2, 3, 4, 6)) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    quality = rng.normal(3.2, 1.5, size=n)
    return [np.clip(np.round(q + rng.normal(size=rng.choice(sizes))), 0, 4).astype(int).tolist() for q in quality]


def by_definition(units: list[list[int]], slope: float) -> float:
    """Of percent agreement, whose kernel is slope · [a = b]: loops over units, pairs and triples."""
    rich = [levels for levels in units if len(levels) >= 3]
    n, each = len(rich), np.eye(5)

    def means(of: Callable[..., object], size: int) -> FloatArray:
        return np.array([np.mean([of(*some) for some in permutations(levels, size)], axis=0) for levels in rich])

    share = means(lambda a: each[a], 1)
    pair = means(lambda a, b: np.outer(each[a], each[b]), 2)
    agree = means(lambda a, b: slope * (a == b), 2)
    triple = means(lambda a, b, c: slope * (a == b) * each[c], 3)
    mean = share.mean(axis=0)
    spread, directions = np.linalg.eigh(pair.mean(axis=0) - np.outer(mean, mean))
    result = 0.0
    for variance, direction in zip(spread, directions.T, strict=True):
        along = np.einsum("nkl,k,l->n", pair, direction, direction) - 2 * (share @ direction) * (mean @ direction)
        if variance > max(0.03 * spread.max(), along.std() / np.sqrt(n - 1)):
            c = triple.mean(axis=0) @ direction - mean @ direction * agree.mean()
            adds = (triple - share * agree.mean() - agree[:, None] * mean) @ direction
            result += (c**2 - adds.var() / (n - 1)) / variance
    return n * max(0.0, result)


@pytest.mark.parametrize("seed", range(4))
def test_percent_agreement_by_its_definition(seed: int) -> None:
    units = some_units(150, seed)
    family = ChanceFamily(VALUES, (("percent_agreement", "identity"),))
    agreement = np.mean([np.mean([a == b for a, b in permutations(levels, 2)]) for levels in units])
    # z = −ln(1 − p): a unit moves p by its share over n, and z by 1/(1 − p) times as much.
    expected = by_definition(units, 1 / (len(units) * (1 - agreement)))
    assert deleted(ratings_of(units), family).own_variance_of_units()[0] == pytest.approx(expected, rel=1e-5)
    assert expected > 0


def test_example_of_the_methods_page() -> None:
    family = ChanceFamily(np.array([1.0, 2.0]), (("percent_agreement", "identity"),))
    rows, multiplicity = np.array([[3, 0], [2, 1], [0, 3]]), np.full(3, 100_000)
    gradient = np.eye(family.n_features)[:, -1:]  # ψ is the unit's own agreement
    assert own_variance(rows, multiplicity, family, gradient)[0] / 300_000 == pytest.approx(64 / 891, rel=1e-4)


@pytest.mark.parametrize("m", [2, 3, 7])
def test_a_units_effect_is_the_mean_of_its_kernel_over_pairs(m: int) -> None:
    gradient = np.random.default_rng(m).normal(size=(EVERYTHING.n_features, len(EVERYTHING.described)))
    kernel = _kernel(EVERYTHING, gradient, m, 5)
    assert kernel == pytest.approx(kernel.transpose(1, 0, 2))
    for levels in np.random.default_rng(0).integers(5, size=(20, m)):
        row = np.bincount(levels, minlength=5)[None].astype(float)
        effect = np.asarray(EVERYTHING.features(row) @ gradient)[0]
        assert np.mean([kernel[a, b] for a, b in permutations(levels, 2)], axis=0) == pytest.approx(effect)


def truth(world: World, family: Joined, n: int) -> FloatArray:
    """The units' own variance of n units with three ratings by raters of their own, integrated over quality."""
    nodes, weight = quadrature()
    shares = np.einsum("qbk,b->qk", world.levels_of(nodes[:, None] + world.severity * nodes), weight)
    levels = np.indices((5, 5, 5)).reshape(3, -1)
    rows = np.eye(5)[levels].sum(axis=0)
    features = np.asarray(family.features(rows))
    chance = shares[:, levels[0]] * shares[:, levels[1]] * shares[:, levels[2]]
    one = deleted(ratings_of([[0, 1], [1, 1]]), family)  # its ratings do not matter: only its derivative at `total`
    one.total = n * (weight @ chance @ features).reshape(1, -1)
    effect = chance @ (features @ one._gradient)
    return np.asarray(n * (weight @ (effect - weight @ effect) ** 2))


@pytest.mark.parametrize("shares", ["flat", "skewed"])
def test_it_is_nearly_all_of_the_units_own_variance_and_no_more(shares: str) -> None:
    world, rng, n = World(shares), np.random.default_rng(5), 40_000
    ratings = world.sample(n, world.severity * rng.normal(size=2_000), rng.normal(size=n), rng)
    found = deleted(ratings, EVERYTHING).own_variance_of_units() / truth(world, EVERYTHING, n)
    # A bound from below, whose own error is a few per cent here; flat directions are given up on skewed ratings.
    assert np.all(found < 1.1)
    assert np.all(found > (0.85 if shares == "flat" else 0.55))


def test_units_that_are_all_alike_have_nothing_of_their_own() -> None:
    # One quality for all: whatever differs between units is noise. The mean over 40 studies, in parts of V_units.
    parts = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        one = deleted(World("flat").sample(300, np.zeros(30), np.zeros(300), rng), EVERYTHING)
        parts.append(one.own_variance_of_units() / one.variance_of_units())
    assert np.all(np.mean(parts, axis=0) < 0.03)


class TestNothingIsToldApart:
    family = ChanceFamily(VALUES)

    def own(self, units: list[list[int]], family: PatternFamily | None = None) -> list[float]:
        return deleted(ratings_of(units), family or self.family).own_variance_of_units().tolist()

    def test_with_two_ratings_per_unit(self) -> None:
        assert set(self.own(some_units(200, 0, sizes=(2,)))) == {0.0}

    def test_below_fifty_units_with_three(self) -> None:
        assert set(self.own(some_units(49, 0, sizes=(3,)) + some_units(500, 1, sizes=(2,)))) == {0.0}
        assert max(self.own(some_units(400, 0, sizes=(3,)))) > 0

    def test_where_all_ratings_are_equal(self) -> None:
        ratings = ratings_of([[2, 2, 2]] * 60)
        rows, multiplicity = ratings.patterns
        gradient = np.ones((self.family.n_features, len(self.family.described)))
        assert own_variance(rows, multiplicity, self.family, gradient).tolist() == [0.0] * len(self.family.described)

    def test_on_a_scale_of_more_than_thirty_levels(self) -> None:
        values = np.arange(31.0)
        family = ChanceFamily(values, (("percent_agreement", "identity"),))
        levels = np.random.default_rng(0).integers(31, size=300)
        ratings = Ratings(np.repeat(np.arange(100), 3), np.tile(np.arange(3), 100), levels, values, 100, 3)
        assert deleted(ratings, family).own_variance_of_units().tolist() == [0.0]
