"""How often the intervals of agreement over raters, and over both, cover what they claim where raters are few.

Run: python -m tests.benchmarks.coverage.few_raters [studies [worlds [raters]]], such as "500 flat,careless 3,5".

Model: unit i has a latent quality u_i ~ N(0, 1), rater j a severity b_j ~ N(0, s²) and noise of standard deviation
d_j; the rating is the level that u_i + b_j + d_j N(0, 1) falls into. "flat" and "skewed" as in `agreement`,
s = ½, d = 1. "severe": s = 1. "alike": s = .1. "careless": d is lognormal(.3), and each rater is careless with chance
.1: level 4 in 80% of the answers whatever the unit, the others 5% each. "reversed": each rater with chance .1 answers
6 − v instead.

Two designs: all raters rate 120 units, or 200 units have three of the raters each. The truth is integrated over the
population of raters: for these units ("raters"), or over units too ("units and raters"). Kendall's W of the first
design, of which there is no closed form, has the mean W of large panels for its truth.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special

from annotations.stats.agreement.alpha import AlphaFamily
from annotations.stats.agreement.chance_corrected import ChanceFamily
from annotations.stats.agreement.concordance import kendall_w
from annotations.stats.agreement.intraclass.icc_one_way import OneWayFamily
from annotations.stats.intervals.pattern_families import Joined
from annotations.stats.intervals.unit_resampling import estimates
from annotations.stats.ratings import Ratings
from tests.benchmarks.coverage.agreement import SHARES, VALUES, quadrature, truths

RATERS = (3, 4, 5, 6, 8, 12, 20)
CARELESS = np.array([0.05, 0.05, 0.05, 0.8, 0.05])
_COVERS = ("raters", "units and raters")
_MANY = 200


@dataclass(frozen=True)
class Panel:
    """The population that raters are drawn from."""

    shares: str = "flat"
    severity: float = 0.5
    noise: float = 0.0
    careless: float = 0.0
    reversed: float = 0.0

    @property
    def cuts(self) -> np.ndarray:
        return np.sqrt(2 + self.severity**2) * special.ndtri(np.cumsum(SHARES[self.shares])[:-1])

    def levels_of(self, quality: np.ndarray) -> np.ndarray:
        """(n,) → (n, 5): probability of each level in the answer of a rater drawn at random."""
        nodes, weights = quadrature(21)
        spreads = np.exp(self.noise * nodes) if self.noise else np.ones(1)
        of_spreads = weights if self.noise else np.ones(1)
        given = np.zeros((len(quality), 5))
        for node, weight in zip(nodes, weights, strict=True):
            for spread, of_spread in zip(spreads, of_spreads, strict=True):
                below = special.ndtr((self.cuts - (quality + self.severity * node)[:, None]) / spread)
                edges = np.column_stack([np.zeros(len(quality)), below, np.ones(len(quality))])
                given += weight * of_spread * np.diff(edges, axis=1)
        given = (1 - self.reversed) * given + self.reversed * given[:, ::-1]
        return (1 - self.careless) * given + self.careless * CARELESS

    def truth(self, quality: np.ndarray, weight: np.ndarray) -> dict[str, float]:
        """Every statistic of pairs of ratings of these units; two ratings are independent given the quality."""
        given = self.levels_of(quality)
        return truths(np.einsum("u,uc,uk->ck", weight, given, given))

    def rate(self, quality: np.ndarray, n_raters: int, per_unit: int, rng: np.random.Generator) -> Ratings:
        n_units = len(quality)
        rater = np.argsort(rng.random((n_units, n_raters)), axis=1)[:, :per_unit].ravel()
        unit = np.arange(n_units).repeat(per_unit)
        severity, spread = self.severity * rng.normal(size=n_raters), np.exp(self.noise * rng.normal(size=n_raters))
        latent = quality[unit] + severity[rater] + spread[rater] * rng.normal(size=len(unit))
        level = np.searchsorted(self.cuts, latent)
        level = np.where((rng.random(n_raters) < self.reversed)[rater], 4 - level, level)
        blind = rng.choice(5, size=len(unit), p=CARELESS)
        level = np.where((rng.random(n_raters) < self.careless)[rater], blind, level)
        return Ratings(unit, rater, level, VALUES, n_units, n_raters)


WORLDS = {
    "flat": Panel(),
    "skewed": Panel("skewed"),
    "severe": Panel(severity=1.0),
    "alike": Panel(severity=0.1),
    "careless": Panel(noise=0.3, careless=0.1),
    "reversed": Panel(noise=0.3, reversed=0.1),
}


@dataclass(frozen=True)
class Covered:
    """One interval of one statistic: the share that held the truth, and the median width; of the defined ones."""

    statistic: str
    covers: str
    share: float
    width: float
    undefined: int


def coverage(panel: Panel, n_raters: int, per_unit: int, studies: int, rng: np.random.Generator) -> Iterator[Covered]:
    n_units = 120 if per_unit == n_raters else 200
    family = Joined([AlphaFamily(VALUES), ChanceFamily(VALUES), OneWayFamily(VALUES)])
    population = panel.truth(*quadrature(61))
    even = np.full(n_units, 1 / n_units)
    found: dict[tuple[str, str], list[tuple[bool, float]]] = {}
    for _ in range(studies):
        quality = rng.normal(size=n_units)
        ratings = panel.rate(quality, n_raters, per_unit, rng)
        truth = {"raters": panel.truth(quality, even), "units and raters": population}
        made = list(estimates(ratings, family, rng=rng, covers=_COVERS))
        if per_unit == n_raters:
            made.append(kendall_w(ratings))
            truth["raters"]["kendall_w"] = _concordance(panel, quality, n_raters, rng)
        for estimate in made:
            for interval in estimate.intervals:
                if interval.covers in truth and estimate.statistic in truth[interval.covers]:
                    wanted = truth[interval.covers][estimate.statistic]
                    held = (interval.low <= wanted <= interval.high, interval.high - interval.low)
                    found.setdefault((estimate.statistic, interval.covers), []).append(held)
    for (statistic, covers), pairs in found.items():
        held, width = np.array(pairs).T
        defined = ~np.isnan(width)
        yield Covered(statistic, covers, held[defined].mean(), float(np.median(width[defined])), int((~defined).sum()))


def _concordance(panel: Panel, quality: np.ndarray, n_raters: int, rng: np.random.Generator) -> float:
    """W of as many raters, from the mean correlation ρ̄ of a large panel: W = (1 + (k − 1) ρ̄)/k."""
    mean = (_MANY * kendall_w(panel.rate(quality, _MANY, _MANY, rng)).value - 1) / (_MANY - 1)
    return float((1 + (n_raters - 1) * mean) / n_raters)


GROUPS = {
    "alphas, Fleiss, ICC(1,1)": ("krippendorff", "fleiss", "icc"),
    "AC1, AC2, Brennan–Prediger, percent agreement": ("gwet", "brennan", "percent"),
    "Kendall's W": ("kendall",),
}


def main() -> None:
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    worlds = sys.argv[2].split(",") if len(sys.argv) > 2 else list(WORLDS)
    raters = [int(one) for one in sys.argv[3].split(",")] if len(sys.argv) > 3 else list(RATERS)
    print("| world | raters | ratings per unit | claims | statistics | covered | ordinal alpha | its median width |")
    print("|---|---|---|---|---|---|---|---|")
    for world in worlds:
        for n_raters in raters:
            for per_unit in sorted({3, n_raters}):
                rng = np.random.default_rng([20261129, n_raters, per_unit, list(WORLDS).index(world)])
                rows = list(coverage(WORLDS[world], n_raters, per_unit, studies, rng))
                alpha = {row.covers: row for row in rows if row.statistic == "krippendorff_alpha_ordinal"}
                for covers in _COVERS:
                    for group, names in GROUPS.items():
                        shares = [r.share for r in rows if r.covers == covers and r.statistic.startswith(names)]
                        if not shares:
                            continue
                        own = f"{alpha[covers].share:.3f} | {alpha[covers].width:.2f}" if "alphas" in group else " | "
                        ends = f"{min(shares):.3f}–{max(shares):.3f}"
                        print(
                            f"| {world} | {n_raters} | {per_unit} | {covers} | {group} | {ends} | {own} |", flush=True
                        )


if __name__ == "__main__":
    main()
