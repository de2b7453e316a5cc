"""Observed agreement corrected for chance: Fleiss' kappa, Gwet's AC1 and AC2, Brennan–Prediger; and uncorrected.

All of them share the observed agreement p_a, the mean over units with two or more ratings of the share of agreeing
pairs (weighted by agreement weights), and differ in chance agreement p_e; coefficient = (p_a − p_e)/(1 − p_e).
Source: Gwet, *Handbook of Inter-Rater Reliability*, 4th ed. (2014), chapters 2, 4 and 5, which extends Fleiss (1971)
and Brennan and Prediger (1981) to any number of raters per unit.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from annotations.stats.agreement.level_pairs import LevelPairs
from annotations.stats.agreement.weights import Weights, agreement_weights, least_agreement
from annotations.stats.arrays import FloatArray, IntArray, ratio
from annotations.stats.distributions import normal_above
from annotations.stats.estimate import Estimate, NullTest
from annotations.stats.intervals.over_raters import ALL_COVERS
from annotations.stats.intervals.pattern_families import Described, lowest_of_pairs
from annotations.stats.intervals.unit_resampling import estimates
from annotations.stats.ratings import Ratings
from annotations.stats.undefined import why_undefined

_NOTHING = 1e-12
"""1 − p_e below this is rounding: chance explains everything."""

_MOST_LEVELS_SEARCHED = 101
_DINKELBACH_STEPS = 50

_CHANCE = {
    "fleiss_kappa": "p_e from mean level shares over all rated units (Fleiss 1971; Gwet 2014 for unequal raters)",
    "gwet": "p_e = Σw Σπ(1 − π)/(K(K − 1)) over the full scale of K levels (Gwet 2008, 2014)",
    "brennan_prediger": "p_e = Σw/K² over the full scale of K levels (Brennan and Prediger 1981)",
    "percent_agreement": "mean over pairable units of the share of agreeing pairs of ratings, no chance correction",
}

Wanted = tuple[str, Weights]
DEFAULT: tuple[Wanted, ...] = (
    ("fleiss_kappa", "identity"),
    ("gwet", "identity"),
    ("gwet", "linear"),
    ("gwet", "quadratic"),
    ("gwet", "ordinal"),
    ("brennan_prediger", "identity"),
    ("percent_agreement", "identity"),
    ("percent_agreement", "within_one"),
)
OF_CATEGORIES = tuple(one for one in DEFAULT if one[1] == "identity")
"""Statistics that use neither the order nor the distance of levels."""


class ChanceFamily:
    """Coefficients, each a pair (chance model, weights), from the sums over units of shares and of agreement."""

    def __init__(self, values: FloatArray, wanted: Sequence[Wanted] = DEFAULT) -> None:
        self.wanted = tuple(wanted)
        self.n_levels = len(values)
        self.kinds: tuple[Weights, ...] = tuple(dict.fromkeys(kind for _, kind in self.wanted))
        self.weights = np.array([agreement_weights(values, kind) for kind in self.kinds])
        self.pairs = LevelPairs(self.n_levels)
        # Both orders of a pair of different levels count.
        orders = np.where(self.pairs.first == self.pairs.second, 1.0, 2.0)
        self.pair_weights = (self.weights[:, self.pairs.first, self.pairs.second] * orders).T
        self.n_features = 2 + self.n_levels + len(self.kinds)
        self.described = tuple(
            Described(
                statistic_name(chance, kind),
                f"{_CHANCE[chance]}; {kind.replace('_', ' ')} weights",
                counts_severity=chance != "fleiss_kappa",
            )
            for chance, kind in self.wanted
        )

    def features(self, rows: FloatArray) -> FloatArray:
        """[rated, pairable, share of each level…, agreement of each kind of weights…] of each unit."""
        ratings = rows.sum(axis=1)
        rated, pairable = ratings >= 1, ratings >= 2
        features = np.zeros((len(rows), self.n_features))
        features[:, 0] = rated
        features[:, 1] = pairable
        np.divide(rows, ratings[:, None], out=features[:, 2 : 2 + self.n_levels], where=rated[:, None])
        per_pair = np.nan_to_num(ratio(np.ones(len(rows)), ratings * (ratings - 1), 0.5))
        features[:, 2 + self.n_levels :] = self.pairs.counts(rows, per_pair) @ self.pair_weights
        return features

    def values(self, sums: FloatArray) -> FloatArray:
        observed = ratio(sums[:, 2 + self.n_levels :], sums[:, 1:2], 0.5)
        agreement = observed[:, [self.kinds.index(kind) for _, kind in self.wanted]]
        expected = self._expected(sums)
        return ratio(agreement - expected, 1 - expected, _NOTHING)

    def _expected(self, sums: FloatArray) -> FloatArray:
        """(b, n_statistics): chance agreement; 0 where agreement is not corrected for it."""
        shares = ratio(sums[:, 2 : 2 + self.n_levels], sums[:, :1], 0.5)
        expected = np.zeros((len(sums), len(self.wanted)))
        for place, (chance, kind) in enumerate(self.wanted):
            weights = self.weights[self.kinds.index(kind)]
            if chance == "fleiss_kappa":
                expected[:, place] = np.einsum("ij,ij->i", shares @ weights, shares)
            elif chance == "gwet":
                expected[:, place] = self._spread(weights) * (shares * (1 - shares)).sum(axis=1)
            elif chance == "brennan_prediger":
                expected[:, place] = weights.sum() / self.n_levels**2
        return expected

    def gradient(self, total: FloatArray) -> FloatArray:
        sums, n_levels = total[0], self.n_levels
        rated, pairable = sums[0], sums[1]
        shares = sums[2 : 2 + n_levels] / rated
        agreement = sums[2 + n_levels :] / pairable
        expected = self._expected(total)[0]
        result = np.zeros((self.n_features, len(self.wanted)))
        for place, (chance, kind) in enumerate(self.wanted):
            of_kind = self.kinds.index(kind)
            beyond = float(ratio(np.ones(()), np.asarray(1 - expected[place]), _NOTHING))
            result[1, place] = -agreement[of_kind] / pairable * beyond
            result[2 + n_levels + of_kind, place] = beyond / pairable
            of_expected = -(1 - agreement[of_kind]) * beyond**2
            of_shares = of_expected * self._of_shares(chance, self.weights[of_kind], shares)
            result[0, place] = -float(of_shares @ shares) / rated
            result[2 : 2 + n_levels, place] = of_shares / rated
        return result

    def _of_shares(self, chance: str, weights: FloatArray, shares: FloatArray) -> FloatArray:
        """(n_levels,): derivatives of chance agreement in the level shares."""
        if chance == "fleiss_kappa":
            return 2 * weights @ shares
        if chance == "gwet":
            return self._spread(weights) * (1 - 2 * shares)
        return np.zeros(self.n_levels)

    def _spread(self, weights: FloatArray) -> float:
        """Σw/(K(K − 1))."""
        choices = self.n_levels * (self.n_levels - 1)
        return float(weights.sum() / choices) if choices else np.nan

    def linearisation(self, total: FloatArray) -> FloatArray:
        """Derivatives as Gwet (2014) takes them: a unit with one rating has no agreement beyond chance.

        He gives such a unit the value 0 where the plain derivative gives it the coefficient itself, which widens the
        standard error. Observed agreement alone has the plain derivative.
        """
        derivatives = self.gradient(total)
        expected = self._expected(total)[0]
        corrected = [place for place, (chance, _) in enumerate(self.wanted) if chance != "percent_agreement"]
        weight = ratio(expected, (1 - expected) * total[0, 1], _NOTHING)
        derivatives[1, corrected] = -weight[corrected]
        return derivatives

    def lowest(self, sizes: IntArray) -> FloatArray:
        """For units with these numbers of ratings, all pairable: units with a single rating can make a value lower."""
        pairable = sizes[sizes >= 2]
        lowest = np.full(len(self.wanted), np.nan)
        if len(pairable) == 0:
            return lowest
        for place, (chance, kind) in enumerate(self.wanted):
            weights = self.weights[self.kinds.index(kind)]
            observed = float(least_agreement(weights, kind, pairable).mean())
            if chance == "percent_agreement":
                lowest[place] = observed
            elif chance == "fleiss_kappa":
                lowest[place] = lowest_of_pairs(pairable)
            else:
                expected = float(weights.mean())
                uniform = float(ratio(np.asarray(observed - expected), np.asarray(1 - expected), _NOTHING))
                # Chance agreement is highest, and equal for both, where all levels are given equally often.
                lowest[place] = (
                    uniform
                    if chance == "brennan_prediger"
                    else max(uniform, _lowest_gwet(weights, int(pairable.min())))
                )
        return lowest


def _lowest_gwet(weights: FloatArray, m: int) -> float:
    """A value that AC1 and AC2 hardly fall below with at least m ratings per unit, never less than −1.

    With δ² = 1 − w a squared distance and level shares π, the disagreement within units is at most
    m/(m − 1) Σ π_c π_k δ²_ck, that of all ratings. Its ratio to 1 − p_e, a concave over a convex quadratic in π, has
    one maximum, which Dinkelbach's iteration (1967) finds. With more than 101 levels it would take minutes: −1.
    """
    n_levels = len(weights)
    if n_levels > _MOST_LEVELS_SEARCHED:
        return -1.0
    centre = np.eye(n_levels) - 1 / n_levels
    apart = 1 - weights
    if n_levels < 2 or not np.all(np.isfinite(weights)) or not apart.any():
        return -1.0
    if np.linalg.eigvalsh(centre @ apart @ centre).max() > _NOTHING * n_levels:
        return -1.0  # Not squared distances: "within_one", for example.
    spread = weights.sum() / (n_levels * (n_levels - 1))
    apart = m / (m - 1) * apart

    def ratio_at(shares: FloatArray) -> float:
        return float(shares @ apart @ shares) / float(1 - spread * (1 - shares @ shares))

    # From a ratio that is attained, so that what is maximised in every step is strictly concave.
    shares = np.full(n_levels, 1 / n_levels)
    highest = ratio_at(shares)
    for _ in range(_DINKELBACH_STEPS):
        shares = _highest_on_simplex(apart - highest * spread * np.eye(n_levels), shares > 0)
        previous, highest = highest, max(highest, ratio_at(shares))
        if highest - previous < _NOTHING:
            break
    return max(-1.0, 1 - highest)


def _highest_on_simplex(quadratic: FloatArray, used: NDArray[np.bool_]) -> FloatArray:
    """The shares π ≥ 0, Σπ = 1, with the highest π'Qπ, for Q strictly concave along the simplex, by an active set.

    used (n,): the shares that are taken to be above 0 at first.
    """
    n, used = len(quadratic), used.copy()
    shares = np.full(n, 1 / n)
    for _ in range(4 * n):
        size = int(used.sum())
        system = np.zeros((size + 1, size + 1))
        system[:size, :size] = 2 * quadratic[np.ix_(used, used)]
        system[:size, size] = -1.0
        system[size, :size] = 1.0
        solved = np.linalg.solve(system, np.append(np.zeros(size), 1.0))
        shares = np.zeros(n)
        shares[used] = solved[:size]
        if shares.min() < -_NOTHING:
            used[int(shares.argmin())] = False
            continue
        gain = 2 * quadratic @ shares - solved[size]
        best = int(np.where(used, -np.inf, gain).argmax())
        if used.all() or gain[best] <= _NOTHING:
            break
        used[best] = True
    return np.maximum(shares, 0.0)


def statistic_name(chance: str, kind: Weights) -> str:
    if chance == "gwet":
        return "gwet_ac1" if kind == "identity" else f"gwet_ac2_{kind}"
    return chance if kind == "identity" else f"{chance}_{kind}"


def chance_corrected(
    ratings: Ratings,
    wanted: Sequence[Wanted] = DEFAULT,
    *,
    rng: np.random.Generator | None = None,
    n_resamples: int = 1000,
    level: float = 0.95,
    covers: Collection[str] = ALL_COVERS,
) -> tuple[Estimate, ...]:
    """Coefficients of agreement, each from −1 (rarely reached) to 1, on the same resamples.

    `wanted` pairs a chance model ("fleiss_kappa", "gwet", "brennan_prediger", "percent_agreement") with weights (see
    `agreement_weights`). Units with one rating take part in the level shares of Fleiss and Gwet, not in the observed
    agreement. Every result has the linearised interval over units (Gwet 2014, sections 5.3–5.5: t with units − 1
    degrees of freedom); with `rng` also the intervals that `covers` names. Undefined without a unit of two ratings,
    on a scale of one level, and, for Fleiss' kappa, when all ratings are equal.
    """
    unknown = [chance for chance, _ in wanted if chance not in _CHANCE]
    if unknown:
        raise ValueError(f"unknown chance model {unknown[0]!r}; choose from {', '.join(_CHANCE)}")
    family = ChanceFamily(ratings.values, wanted)
    return estimates(ratings, family, rng=rng, n_resamples=n_resamples, level=level, covers=covers)


def fleiss_kappa(
    ratings: Ratings, weights: Weights = "identity", *, rng: np.random.Generator | None = None
) -> Estimate:
    """Fleiss' kappa for any number of raters per unit; see `chance_corrected`."""
    return chance_corrected(ratings, (("fleiss_kappa", weights),), rng=rng)[0]


def gwet_ac(ratings: Ratings, weights: Weights = "identity", *, rng: np.random.Generator | None = None) -> Estimate:
    """Gwet's AC1 (identity weights) or AC2 (any other); see `chance_corrected`."""
    return chance_corrected(ratings, (("gwet", weights),), rng=rng)[0]


def brennan_prediger(
    ratings: Ratings, weights: Weights = "identity", *, rng: np.random.Generator | None = None
) -> Estimate:
    """Brennan and Prediger's coefficient: chance is a uniform choice of levels; see `chance_corrected`."""
    return chance_corrected(ratings, (("brennan_prediger", weights),), rng=rng)[0]


def percent_agreement(
    ratings: Ratings, weights: Weights = "identity", *, rng: np.random.Generator | None = None
) -> Estimate:
    """Share of agreeing pairs, from 0 to 1, averaged over pairable units; "within_one" counts neighbours too."""
    return chance_corrected(ratings, (("percent_agreement", weights),), rng=rng)[0]


def fleiss_null_test(ratings: Ratings) -> NullTest:
    """z = κ / SE₀(κ), two-sided, over the pairable units; their numbers of ratings must be equal.

    Source: Fleiss, Nee and Landis (1979), Psychological Bulletin 86:974–977, eq. 12, the corrected standard error.
    """
    method = "z test of kappa = 0 (Fleiss, Nee and Landis 1979)"
    kappa = fleiss_kappa(ratings).value
    if np.isnan(kappa):
        return NullTest.undefined("z", method, why_undefined(ratings, "fleiss_kappa"))
    sizes = ratings.per_unit[ratings.per_unit > 0]
    m, n = int(sizes[0]), len(sizes)
    if np.any(sizes != m):
        return NullTest.undefined("z", method, "units differ in their numbers of ratings")
    p = ratings.histogram / len(ratings)
    q = 1 - p
    within = float(p @ q)
    variance = 2 * (within**2 - float(p @ (q * (q - p)))) / (within**2 * n * m * (m - 1))
    z = kappa / float(np.sqrt(variance))
    return NullTest("z", z, (), float(2 * normal_above(abs(z))), method)
