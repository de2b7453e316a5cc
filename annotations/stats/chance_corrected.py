"""Observed agreement corrected for chance: Fleiss' kappa, Gwet's AC1 and AC2, Brennan–Prediger; and uncorrected.

All of them share the observed agreement p_a, the mean over units with two or more ratings of the share of agreeing
pairs (weighted by agreement weights), and differ in chance agreement p_e; coefficient = (p_a − p_e)/(1 − p_e).
Source: Gwet, *Handbook of Inter-Rater Reliability*, 4th ed. (2014), chapters 2, 4 and 5, which extends Fleiss (1971)
and Brennan and Prediger (1981) to any number of raters a unit.
"""

from collections.abc import Collection, Sequence

import numpy as np

from annotations.stats.estimate import Estimate
from annotations.stats.families import Described, FloatArray, gradient, ratio
from annotations.stats.level_pairs import LevelPairs
from annotations.stats.ratings import Ratings
from annotations.stats.resampling import estimates
from annotations.stats.spread import ALL_COVERS
from annotations.stats.weights import Weights, agreement_weights

_NOTHING = 1e-12
"""1 − p_e below this is rounding: chance explains everything."""

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


class ChanceFamily:
    """Coefficients, each a pair (chance model, weights), from the sums over units of shares and of agreement."""

    def __init__(self, values: FloatArray, wanted: Sequence[Wanted] = DEFAULT) -> None:
        self.wanted = tuple(wanted)
        self.n_levels = len(values)
        self.kinds: tuple[Weights, ...] = tuple(dict.fromkeys(kind for _, kind in self.wanted))
        self.weights = np.array([agreement_weights(values, kind) for kind in self.kinds])
        self.pairs = LevelPairs(self.n_levels)
        # Both orders of a pair of unlike levels count.
        orders = np.where(self.pairs.first == self.pairs.second, 1.0, 2.0)
        self.pair_weights = (self.weights[:, self.pairs.first, self.pairs.second] * orders).T
        self.n_features = 2 + self.n_levels + len(self.kinds)
        self.described = tuple(
            Described(
                statistic_name(chance, kind),
                f"{_CHANCE[chance]}; {kind.replace('_', ' ')} weights",
                low=0.0 if chance == "percent_agreement" else -np.inf,
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
        """(b, n_statistics): chance agreement; none where agreement is not corrected for it."""
        shares = ratio(sums[:, 2 : 2 + self.n_levels], sums[:, :1], 0.5)
        expected = np.zeros((len(sums), len(self.wanted)))
        for place, (chance, kind) in enumerate(self.wanted):
            weights = self.weights[self.kinds.index(kind)]
            if chance == "fleiss_kappa":
                expected[:, place] = np.einsum("ij,ij->i", shares @ weights, shares)
            elif chance == "gwet":
                choices = self.n_levels * (self.n_levels - 1)
                spread = weights.sum() / choices if choices else np.nan
                expected[:, place] = spread * (shares * (1 - shares)).sum(axis=1)
            elif chance == "brennan_prediger":
                expected[:, place] = weights.sum() / self.n_levels**2
        return expected

    def linearisation(self, total: FloatArray) -> FloatArray:
        """Derivatives as Gwet (2014) takes them: a unit with one rating has no agreement beyond chance.

        He gives such a unit the value 0 where the plain derivative gives it the coefficient itself, which widens the
        standard error. Observed agreement alone has the plain derivative.
        """
        derivatives = gradient(self.values, total)
        expected = self._expected(total)[0]
        corrected = [place for place, (chance, _) in enumerate(self.wanted) if chance != "percent_agreement"]
        weight = ratio(expected, (1 - expected) * total[0, 1], _NOTHING)
        derivatives[1, corrected] = -weight[corrected]
        return derivatives


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
    """Fleiss' kappa for any number of raters a unit; see `chance_corrected`."""
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
