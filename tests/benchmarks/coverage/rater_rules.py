"""Which interval of agreement over raters covers best? Several rules on the same simulated studies.

Run: python -m tests.benchmarks.coverage.rater_rules [studies [worlds [raters [units]]]], such as "500 flat,camps 8,12".

Worlds: those of `few_raters`, and five that were added to check the first candidates. "tails": severities of
Student's t with 3 degrees of freedom, standard deviation .5. "lenient": severities of an exponential distribution,
standard deviation .75, skewed levels. "camps": every severity is 1 or −1, seven levels with the lowest most frequent,
noise as in "careless". "seven": seven levels, severities as in "flat". "workloads": as "flat", but raters take on work
in proportion to a lognormal(1), so that they rate very different numbers of units.

Designs as in `few_raters`: all raters rate 120 units, or 200 units have three of them each; `units` is another number
of units for three ratings each. The truth is integrated over severities. Every rule gives the two arms of an interval
in standard errors of ln((θ − L)/(1 − θ)); the standard error is that of the product.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import special, stats
from scipy.interpolate import CubicSpline

from annotations.stats.agreement.alpha import AlphaFamily
from annotations.stats.agreement.chance_corrected import ChanceFamily
from annotations.stats.agreement.intraclass.icc_one_way import OneWayFamily
from annotations.stats.intervals.leave_one_out import to_log_scale
from annotations.stats.intervals.over_raters import Spread
from annotations.stats.intervals.pattern_families import Joined
from annotations.stats.ratings import Ratings
from tests.benchmarks.coverage import few_raters
from tests.benchmarks.coverage.agreement import SHARES, VALUES, quadrature, truths

_CLAIMS = ("raters", "units and raters")
_TAIL = 1.5
_QUALITIES = np.linspace(-6, 6, 401)


@dataclass(frozen=True)
class Severities:
    """A population of raters whose severities need not be normal. draw: uniform (n,) → severities."""

    shares: tuple[float, ...]
    deviation: float
    draw: Callable[[np.ndarray], np.ndarray]
    noise: float = 0.0
    workload: float = 0.0

    @property
    def values(self) -> np.ndarray:
        return np.arange(1.0, len(self.shares) + 1)

    @property
    def cuts(self) -> np.ndarray:
        return np.asarray(np.sqrt(2 + self.deviation**2) * special.ndtri(np.cumsum(self.shares)[:-1]))

    def levels_of(self, quality: np.ndarray) -> np.ndarray:
        """(n,) → (n, levels): probability of each level in the answer of a rater drawn at random."""
        severity = self.draw((np.arange(400) + 0.5) / 400)
        nodes, weights = quadrature(11)
        given = np.zeros((len(quality), len(self.shares)))
        for node, weight in zip(nodes, weights, strict=True):
            latent = self.cuts[:, None, None] - quality[None, :, None] - severity
            below = special.ndtr(latent / np.exp(self.noise * node)).mean(axis=2).T
            edges = np.column_stack([np.zeros(len(quality)), below, np.ones(len(quality))])
            given += weight * np.diff(edges, axis=1)
        return given

    def rate(self, quality: np.ndarray, n_raters: int, per_unit: int, rng: np.random.Generator) -> Ratings:
        n_units = len(quality)
        # Each unit takes the raters whose exponential clocks ring first, so that workloads are in proportion to rates.
        rates = np.exp(self.workload * rng.normal(size=n_raters))
        rater = np.argsort(rng.exponential(size=(n_units, n_raters)) / rates, axis=1)[:, :per_unit].ravel()
        unit = np.arange(n_units).repeat(per_unit)
        severity, spread = self.draw(rng.random(n_raters)), np.exp(self.noise * rng.normal(size=n_raters))
        latent = quality[unit] + severity[rater] + spread[rater] * rng.normal(size=len(unit))
        return Ratings(unit, rater, np.searchsorted(self.cuts, latent), self.values, n_units, n_raters)


def _normal(deviation: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda uniform: np.asarray(deviation * special.ndtri(uniform))


UNUSED = {
    "tails": Severities(SHARES["flat"], 0.5, lambda uniform: 0.5 * stats.t.ppf(uniform, 3) / np.sqrt(3)),
    "lenient": Severities(SHARES["skewed"], 0.75, lambda uniform: 0.75 * (-np.log1p(-uniform) - 1)),
    "camps": Severities(
        (0.4, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03), 1.0, lambda uniform: np.where(uniform < 0.5, -1.0, 1.0), noise=0.3
    ),
    "seven": Severities((0.05, 0.1, 0.2, 0.3, 0.2, 0.1, 0.05), 0.5, _normal(0.5)),
    "workloads": Severities(SHARES["flat"], 0.5, _normal(0.5), workload=1.0),
}
WORLDS: dict[str, few_raters.Panel | Severities] = {**few_raters.WORLDS, **UNUSED}


@dataclass(frozen=True)
class Studies:
    """What the rules need of n studies, arrays (n, statistics) unless noted.

    skewness, kurtosis: of the raters' leave-one-out effects, the latter in excess of a normal distribution's. n_raters
    (n, 1). truth and ends by claim; ends (2, n, statistics) are those of the product.
    """

    counts_severity: np.ndarray
    n_raters: np.ndarray
    n_units: int
    value: np.ndarray
    lowest: np.ndarray
    raters: np.ndarray
    units: np.ndarray
    cells: np.ndarray
    own: np.ndarray
    skewness: np.ndarray
    kurtosis: np.ndarray
    truth: dict[str, np.ndarray]
    ends: dict[str, np.ndarray]

    def variance(self, claim: str) -> np.ndarray:
        both = self.units + np.maximum(self.raters - self.cells, -0.2 * self.units)
        if claim == "units and raters":
            return np.asarray(both)
        return np.asarray(np.minimum(self.raters, both - np.minimum(self.own, 0.5 * self.units)))

    def share(self, claim: str) -> np.ndarray:
        """The part of V that is the raters' own."""
        return np.asarray(np.clip((self.raters - self.cells) / self.variance(claim), 0, 1))

    def reach(self, claim: str, kurtosis: np.ndarray | float) -> np.ndarray:
        """Student's t as in the product, for raters' effects of this kurtosis."""
        variance = self.variance(claim)
        inverse = np.minimum(self.raters / variance, 1.25) ** 2 * (
            1 / (self.n_raters - 1) + kurtosis / (2 * self.n_raters)
        )
        if claim == "units and raters":
            inverse = inverse + (self.units / variance) ** 2 / (self.n_units - 1)
        least = np.minimum(np.where(self.counts_severity, 4 / 3, 2.0), self.n_raters - 1)
        return np.asarray(stats.t.ppf(0.975, np.maximum(1 / inverse, least)))

    def interval(self, claim: str, below: np.ndarray, above: np.ndarray) -> np.ndarray:
        """(2, n, statistics): the ends of intervals with these arms."""
        error = np.sqrt(self.variance(claim)) * (1 - self.lowest) / (self.value - self.lowest)
        centre = np.log((self.value - self.lowest) / (1 - self.value))
        ends = special.expit(np.array([centre - below * error, centre + above * error]))
        return np.asarray(self.lowest + (1 - self.lowest) * ends)


def simulate(
    world: few_raters.Panel | Severities, n_units: int, n_raters: int, per_unit: int, n: int, rng: np.random.Generator
) -> Studies:
    values = world.values if isinstance(world, Severities) else VALUES
    family = Joined([AlphaFamily(values), ChanceFamily(values), OneWayFamily(values)])
    names = [one.statistic for one in family.described]
    levels = CubicSpline(_QUALITIES, world.levels_of(_QUALITIES))
    nodes, weights = quadrature(61)

    def truth_of(quality: np.ndarray, weight: np.ndarray) -> list[float]:
        given = levels(quality)
        found = truths(np.einsum("u,uc,uk->ck", weight, given, given), values)
        return [found[name] for name in names]

    population = truth_of(nodes, weights)
    rows: dict[str, list[object]] = {}
    for _ in range(n):
        quality = rng.normal(size=n_units)
        ratings = world.rate(quality, n_raters, per_unit, rng)
        patterns, multiplicity = ratings.patterns
        features = np.asarray(family.features(patterns.astype(float)))
        total = (multiplicity.astype(float) @ features).reshape(1, -1)
        spread = Spread.of(ratings, family, features, total)
        value, lowest = family.values(total)[0], family.lowest(ratings.per_unit[ratings.per_unit > 0])
        # A rater without whom the statistic is higher has a negative effect.
        effects = -to_log_scale(spread.without)
        effects = effects - effects.mean(axis=0)
        second = (effects**2).mean(axis=0)
        study: dict[str, object] = {
            "n_raters": [spread.n_raters],
            "value": value,
            "lowest": lowest,
            **{name: getattr(spread, name) for name in ("raters", "units", "cells", "own")},
            "skewness": (effects**3).mean(axis=0) / second**1.5,
            "kurtosis": (effects**4).mean(axis=0) / second**2 - 3,
            "true raters": truth_of(quality, np.full(n_units, 1 / n_units)),
            "true units and raters": population,
        }
        for claim, interval in zip(_CLAIMS, (spread.raters_interval, spread.both_interval), strict=True):
            found = [
                interval(place, value[place], lowest[place], 0.95, counts_severity=one.counts_severity)
                for place, one in enumerate(family.described)
            ]
            study[f"ends {claim}"] = [[one.low for one in found], [one.high for one in found]]
        for name, row in study.items():
            rows.setdefault(name, []).append(row)
    arrays = {name: np.array(row, float) for name, row in rows.items()}
    return Studies(
        counts_severity=np.array([one.counts_severity for one in family.described]),
        n_units=n_units,
        truth={claim: arrays.pop(f"true {claim}") for claim in _CLAIMS},
        ends={claim: arrays.pop(f"ends {claim}").transpose(1, 0, 2) for claim in _CLAIMS},
        **arrays,
    )


Rule = Callable[[Studies, str], np.ndarray]


def equal_arms(studies: Studies, claim: str) -> np.ndarray:
    """The intervals of statistics 4 to 11."""
    reach = studies.reach(claim, _TAIL)
    return studies.interval(claim, reach, reach)


def light_tails(studies: Studies, claim: str) -> np.ndarray:
    """As `equal_arms` with κ = 0: t(R − 1) where raters are all of V."""
    reach = studies.reach(claim, 0.0)
    return studies.interval(claim, reach, reach)


def in_use(studies: Studies, claim: str) -> np.ndarray:
    return studies.ends[claim]


def estimated_tails(studies: Studies, claim: str) -> np.ndarray:
    """The kurtosis of the leave-one-out effects, without its bias, shrunk to 1.5 with the weight of twenty raters."""
    n = studies.n_raters
    unbiased = ((n + 1) * studies.kurtosis + 6) * (n - 1) / np.maximum((n - 2) * (n - 3), 1)
    reach = studies.reach(claim, (n * np.clip(unbiased, 0, 12) + 20 * _TAIL) / (n + 20))
    return studies.interval(claim, reach, reach)


def _hall(studies: Studies, claim: str, skewness: np.ndarray | float) -> np.ndarray:
    """Hall's (1992) transform for this skewness of raters' own effects, with t(R − 1)."""
    skew = skewness * studies.share(claim) ** 1.5 / np.sqrt(studies.n_raters)
    skew = np.where(np.abs(skew) < 1e-6, 1e-6, skew)
    reach = studies.reach(claim, 0.0)
    below, above = (3 / skew * (np.cbrt(1 + skew * (x - skew / 6)) - 1) for x in (reach, -reach))
    return studies.interval(claim, np.maximum(below, 0), np.maximum(-above, 0))


def estimated_skewness(studies: Studies, claim: str) -> np.ndarray:
    return _hall(studies, claim, studies.skewness)


def assumed_skewness(studies: Studies, claim: str) -> np.ndarray:
    """−√8, the skewness of the square of a normal severity, which lowers the statistic."""
    return _hall(studies, claim, -np.sqrt(8))


def logarithm(studies: Studies, claim: str) -> np.ndarray:
    """Both ends from the logarithm of the variance of severities (Miller 1968), with t(R − 1)."""
    ratio, reach = studies.share(claim) * np.sqrt(2 / (studies.n_raters - 1)) + 1e-9, studies.reach(claim, 0.0)
    return studies.interval(claim, np.expm1(ratio * reach) / ratio, -np.expm1(-ratio * reach) / ratio)


def cube_root_at_once(studies: Studies, claim: str) -> np.ndarray:
    """The rule in use without its factor 1 − 5/R, from four raters on."""
    reach = studies.reach(claim, _TAIL)
    ratio = studies.share(claim) * np.sqrt(2 / (studies.n_raters - 1)) * (studies.n_raters > 3) + 1e-9
    return studies.interval(claim, ((1 + ratio * reach / 3) ** 3 - 1) / ratio, reach)


def mixture(studies: Studies, claim: str) -> np.ndarray:
    """Over what V_raters may be, ν V_raters/χ²(ν), the quantile of a normal mixture, but no longer than equal arms.

    A generalised interval (Weerahandi 1993): the parts of V that are well known do not count as having few degrees of
    freedom, and V's lower limit does not hide what V_raters may be.
    """
    nodes, weights = np.polynomial.legendre.leggauss(24)
    share = ((nodes + 1) / 2) ** 3
    weights = weights / 2 * 3 * ((nodes + 1) / 2) ** 2
    freedom = 1 / (1 / (studies.n_raters - 1) + _TAIL / (2 * studies.n_raters))
    possible = studies.raters[..., None] * (freedom / stats.chi2.ppf(share, freedom))[:, None, :]
    units = studies.units[..., None]
    variance = units + np.maximum(possible - studies.cells[..., None], -0.2 * units)
    if claim == "raters":
        variance = np.minimum(possible, variance - np.minimum(studies.own[..., None], 0.5 * units))
    deviation = np.sqrt(variance)
    low, high = 1.5 * deviation.min(axis=-1), 2 * deviation.max(axis=-1)
    for _ in range(20):
        middle = np.sqrt(low * high)
        short = special.ndtr(middle[..., None] / deviation) @ weights < 0.975
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    reach = np.minimum(low / np.sqrt(studies.variance(claim)), studies.reach(claim, _TAIL))
    return studies.interval(claim, reach, reach)


RULES: dict[str, Rule] = {
    "equal arms": equal_arms,
    "in use": in_use,
    "light tails": light_tails,
    "estimated tails": estimated_tails,
    "estimated skewness": estimated_skewness,
    "assumed skewness": assumed_skewness,
    "logarithm": logarithm,
    "cube root at once": cube_root_at_once,
    "mixture": mixture,
}


@dataclass(frozen=True)
class Judged:
    """A rule's coverage of the statistics of a group: shares that held the truth, of truths below and above, widths."""

    held: np.ndarray
    below: np.ndarray
    above: np.ndarray
    width: np.ndarray


def judge(studies: Studies, claim: str, rule: Rule, group: np.ndarray) -> Judged:
    low, high = rule(studies, claim)[:, :, group]
    truth = studies.truth[claim][:, group]
    defined = ~np.isnan(low + high)
    n = defined.sum(axis=0)
    below, above = ((defined & missed).sum(axis=0) / n for missed in (truth < low, truth > high))
    return Judged(1 - below - above, below, above, np.nanmedian(high - low, axis=0))


def rows(world: str, n_raters: int, per_unit: int, n_units: int, n: int) -> Iterator[str]:
    rng = np.random.default_rng([20261201, n_raters, per_unit, n_units, list(WORLDS).index(world)])
    studies = simulate(WORLDS[world], n_units, n_raters, per_unit, n, rng)
    for group, chosen in (("others", ~studies.counts_severity), ("severity counts", studies.counts_severity)):
        for claim in _CLAIMS:
            usual = judge(studies, claim, equal_arms, chosen).width
            for name, rule in RULES.items():
                found = judge(studies, claim, rule, chosen)
                held = f"{found.held.min():.3f}–{found.held.max():.3f}"
                yield (
                    f"| {world} | {n_raters} | {per_unit} | {n_units} | {group} | {claim} | {name} | {held} "
                    f"| {found.below.max():.3f} | {found.above.max():.3f} | {np.median(found.width / usual):.2f} |"
                )


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    worlds = sys.argv[2].split(",") if len(sys.argv) > 2 else list(WORLDS)
    raters = [int(one) for one in sys.argv[3].split(",")] if len(sys.argv) > 3 else [3, 5, 8, 12, 20]
    units = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    print("| world | raters | per unit | units | statistics | claims | rule | covered | below | above | width |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for world in worlds:
        for n_raters in raters:
            for per_unit in [3] if units else sorted({3, n_raters}):
                for row in rows(world, n_raters, per_unit, units or (120 if per_unit == n_raters else 200), n):
                    print(row, flush=True)


if __name__ == "__main__":
    main()
