"""How often the intervals of agreement cover what they claim, by simulation from a model whose truth is known.

Run: python -m tests.benchmarks.coverage.agreement [replications [shares units raters]]

The last three pick one setting, such as "flat 1000 20". Every setting has its own seed.

Model: unit i has a latent quality u_i ~ N(0, 1), rater j a severity b_j ~ N(0, s²); the rating is the level that
u_i + b_j + N(0, 1) falls into. Each unit is rated by three raters drawn at random. "flat" cuts give the five levels
about equal shares, "skewed" cuts give .02, .05, .10, .23, .60.

Truth per claim. "units" are drawn anew, raters stay: expected coincidences over units for these raters. "raters"
are drawn anew, the units stay. "units and raters": both are drawn anew. Coincidences are integrated over u and
b by Gauss–Hermite quadrature, so the truth has no simulation error. "units, misread" is the interval over units held
against the truth of "units and raters", which it does not claim to cover.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from annotations.stats.agreement.alpha import AlphaFamily
from annotations.stats.agreement.chance_corrected import ChanceFamily
from annotations.stats.agreement.intraclass.icc_one_way import OneWayFamily
from annotations.stats.agreement.weights import agreement_weights
from annotations.stats.intervals.pattern_families import Joined, PatternFamily
from annotations.stats.intervals.unit_resampling import estimates
from annotations.stats.ratings import Ratings

SHARES = {"flat": (0.2, 0.2, 0.2, 0.2, 0.2), "skewed": (0.02, 0.05, 0.10, 0.23, 0.60)}
VALUES = np.arange(1.0, 6.0)
PER_UNIT = 3


@dataclass(frozen=True)
class World:
    """The population that units and raters are drawn from."""

    shares: str
    severity: float = 0.5

    @property
    def cuts(self) -> np.ndarray:
        spread = np.sqrt(2.0 + self.severity**2)
        return spread * special.ndtri(np.cumsum(SHARES[self.shares])[:-1])

    def levels_of(self, latent: np.ndarray) -> np.ndarray:
        """(…,) expected rating before its own noise → (…, 5) probability of each level."""
        below = special.ndtr(self.cuts - latent[..., None])
        edges = np.concatenate([np.zeros((*below.shape[:-1], 1)), below, np.ones((*below.shape[:-1], 1))], axis=-1)
        return np.diff(edges, axis=-1)

    def sample(self, n_units: int, severity: np.ndarray, quality: np.ndarray, rng: np.random.Generator) -> Ratings:
        n_raters = len(severity)
        chosen = rng.integers(n_raters, size=(n_units, PER_UNIT))
        # Three different raters: draw again where two are the same.
        while len(again := np.flatnonzero((np.diff(np.sort(chosen, axis=1), axis=1) == 0).any(axis=1))):
            chosen[again] = rng.integers(n_raters, size=(len(again), PER_UNIT))
        rater = chosen.ravel()
        unit = np.repeat(np.arange(n_units), PER_UNIT)
        latent = quality[unit] + severity[rater] + rng.normal(size=len(unit))
        return Ratings(unit, rater, np.searchsorted(self.cuts, latent), VALUES, n_units, n_raters)


def quadrature(n_nodes: int = 41) -> tuple[np.ndarray, np.ndarray]:
    nodes, weights = special.roots_hermitenorm(n_nodes)
    return nodes, weights / weights.sum()


def coincidences(
    world: World, quality: np.ndarray, quality_weight: np.ndarray, severity: np.ndarray | None
) -> np.ndarray:
    """(5, 5) probability that two raters of a unit give these levels; severity None: raters from the population."""
    if severity is None:
        nodes, weights = quadrature()
        given = world.levels_of(quality[:, None] + world.severity * nodes)
        mean = np.einsum("ubk,b->uk", given, weights)
        return np.einsum("u,uc,uk->ck", quality_weight, mean, mean)
    given = world.levels_of(quality[:, None] + severity)
    n_raters = len(severity)
    total = given.sum(axis=1)
    same = np.einsum("u,urc,urk->ck", quality_weight, given, given)
    pairs = np.einsum("u,uc,uk->ck", quality_weight, total, total) - same
    return pairs / (n_raters * (n_raters - 1))


def truths(joint: np.ndarray, values: np.ndarray = VALUES) -> dict[str, float]:
    """Every statistic of pairs at these coincidence probabilities, for endless units of equal numbers of ratings."""
    shares, n_levels = joint.sum(axis=1), len(values)
    position = np.cumsum(shares) - shares / 2
    together = np.add.outer(values, values)
    squared = {
        "nominal": 1 - np.eye(n_levels),
        "ordinal": np.subtract.outer(position, position) ** 2,
        "interval": np.subtract.outer(values, values) ** 2,
        "ratio": (np.subtract.outer(values, values) / together) ** 2,
    }
    chance = np.outer(shares, shares)
    result = {f"krippendorff_alpha_{name}": 1 - (joint * d).sum() / (chance * d).sum() for name, d in squared.items()}
    result["icc_1_1_unbalanced"] = result["krippendorff_alpha_interval"]
    for kind in ("identity", "linear", "quadratic", "ordinal"):
        weights = agreement_weights(values, kind)  # type: ignore[arg-type]
        observed = (weights * joint).sum()
        expected = weights.sum() / (n_levels * (n_levels - 1)) * (shares * (1 - shares)).sum()
        name = "gwet_ac1" if kind == "identity" else f"gwet_ac2_{kind}"
        result[name] = (observed - expected) / (1 - expected)
    observed = float(np.trace(joint))
    result["fleiss_kappa"] = (observed - np.trace(chance)) / (1 - np.trace(chance))
    result["brennan_prediger"] = (observed - 1 / n_levels) / (1 - 1 / n_levels)
    result["percent_agreement"] = observed
    result["percent_agreement_within_one"] = float((agreement_weights(values, "within_one") * joint).sum())
    return {name: float(value) for name, value in result.items()}


@dataclass(frozen=True)
class Coverage:
    """The share of replications whose interval held the truth, by (statistic, covers)."""

    n_units: int
    n_raters: int
    world: World
    replications: int
    share: dict[tuple[str, str], float]


def coverage(
    world: World,
    n_units: int,
    n_raters: int,
    replications: int,
    rng: np.random.Generator,
    covers: Sequence[str] = ("units", "raters", "units and raters"),
    n_resamples: int = 999,
    family: PatternFamily | None = None,
) -> Coverage:
    """For each claim, draw anew what it says was sampled, and count how often the interval holds the truth."""
    if family is None:
        family = Joined([AlphaFamily(VALUES), ChanceFamily(VALUES), OneWayFamily(VALUES)])
    nodes, weights = quadrature()
    population = truths(coincidences(world, nodes, weights, None))
    held: dict[tuple[str, str], list[bool]] = {}
    for _ in range(replications):
        severity = world.severity * rng.normal(size=n_raters)
        quality = rng.normal(size=n_units)
        ratings = world.sample(n_units, severity, quality, rng)
        truth = {"units and raters": population}
        if "units" in covers:
            truth["units"] = truths(coincidences(world, nodes, weights, severity))
        if "raters" in covers:
            truth["raters"] = truths(coincidences(world, quality, np.full(n_units, 1 / n_units), None))
        for estimate in estimates(ratings, family, rng=rng, n_resamples=n_resamples, covers=covers):
            for interval in estimate.intervals:
                label = "units, linearised" if interval.method.startswith("linear") else interval.covers
                wanted = truth[interval.covers][estimate.statistic]
                held.setdefault((estimate.statistic, label), []).append(interval.low <= wanted <= interval.high)
                if label == "units":
                    everywhere = population[estimate.statistic]
                    misread = held.setdefault((estimate.statistic, "units, misread"), [])
                    misread.append(interval.low <= everywhere <= interval.high)
    share = {key: float(np.mean(found)) for key, found in held.items()}
    return Coverage(n_units, n_raters, world, replications, share)


def settings() -> Iterator[tuple[World, int, int]]:
    for shares in SHARES:
        for n_raters in (20, 200):
            for n_units in (200, 1000, 5000):
                yield World(shares), n_units, n_raters


LABELS = ("units", "units, linearised", "raters", "units and raters", "units, misread")


def ranges(result: Coverage) -> str:
    """A setting's lowest and highest coverage, of the alphas and of the other statistics."""
    lines = []
    for group, alphas in (("alphas", True), ("others", False)):
        parts = []
        for label in LABELS:
            found = [share for (name, of), share in result.share.items() if of == label and ("alpha" in name) == alphas]
            parts.append(f"{min(found):.3f}–{max(found):.3f}")
        lines.append(f"{group:32}" + "".join(f"{part:>20}" for part in parts))
    return "\n".join(lines)


def main() -> None:
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{replications} replications; a true .95 would show as ±{1.96 * np.sqrt(0.95 * 0.05 / replications):.3f}")
    for place, (world, n_units, n_raters) in enumerate(settings()):
        if len(sys.argv) > 2 and sys.argv[2:] != [world.shares, str(n_units), str(n_raters)]:
            continue
        result = coverage(world, n_units, n_raters, replications, np.random.default_rng([20261120, place]))
        print(f"\n{world.shares}, {n_units} units, {n_raters} raters, {PER_UNIT} ratings per unit")
        print(f"{'':32}" + "".join(f"{label:>20}" for label in LABELS))
        for name in sorted({name for name, _ in result.share}):
            print(f"{name:32}" + "".join(f"{result.share[name, label]:20.3f}" for label in LABELS))
        print(ranges(result), flush=True)


if __name__ == "__main__":
    main()
