"""How often the intervals of the ICCs of complete ratings cover what they claim.

Run: python -m tests.benchmarks.coverage.icc [replications]

The model of `agreement`, every rater rating every unit. Truth: the limit of the mean squares for endless units,
with these raters ("units"), for these units with endless raters ("raters"), or with endless both, by Gauss–Hermite
quadrature.
"""

import sys

import numpy as np

from annotations.stats.agreement.intraclass.icc import icc_family
from annotations.stats.ratings import Ratings
from tests.benchmarks.coverage.agreement import VALUES, World, quadrature


def truths(world: World, severity: np.ndarray | None, quality: np.ndarray | None = None) -> dict[str, float]:
    """ICCs of a single rating; severity or quality None: raters or units from the population."""
    nodes, weights = quadrature()
    severities, rater_nodes = weights, nodes
    if quality is not None:
        nodes, weights = quality, np.full(len(quality), 1 / len(quality))
    raters, rater_weights = world.severity * rater_nodes, severities
    if severity is not None:
        raters, rater_weights = severity, np.full(len(severity), 1 / len(severity))
    shares = world.levels_of(nodes[:, None] + raters)
    expected = shares @ VALUES
    mean = weights @ expected
    variance = weights @ (shares @ VALUES**2) - mean**2
    centred = expected - mean
    if severity is None:
        between = float(weights @ (centred @ rater_weights) ** 2)
        noise = float(rater_weights @ variance) - between
        spread = float(rater_weights @ (mean - rater_weights @ mean) ** 2)
    else:
        k = len(severity)
        covariance = centred.T @ (centred * weights[:, None])
        np.fill_diagonal(covariance, variance)
        units = covariance.sum() / k
        noise = float((np.trace(covariance) - units) / (k - 1))
        between = float((units - noise) / k)
        spread = float(np.var(mean, ddof=1))
    return {
        "icc_c_1": between / (between + noise),
        "icc_a_1": between / (between + noise + spread),
        "icc_1_1": (between - spread / _size(severity)) / (between - spread / _size(severity) + noise + spread),
    }


def _size(severity: np.ndarray | None) -> float:
    """MSW holds the raters' spread, which the one-way model takes off the units' k-th part again."""
    return np.inf if severity is None else float(len(severity))


def coverage(
    world: World, n_units: int, n_raters: int, replications: int, rng: np.random.Generator
) -> dict[tuple[str, str], float]:
    """The share of replications whose interval held the truth, by (statistic, method's first word and covers)."""
    held: dict[tuple[str, str], list[bool]] = {}
    population = truths(world, None)
    unit, rater = np.repeat(np.arange(n_units), n_raters), np.tile(np.arange(n_raters), n_units)
    for _ in range(replications):
        severity = world.severity * rng.normal(size=n_raters)
        quality = rng.normal(size=n_units)
        latent = quality[unit] + severity[rater] + rng.normal(size=len(unit))
        ratings = Ratings(unit, rater, np.searchsorted(world.cuts, latent), VALUES, n_units, n_raters)
        here, these_units = truths(world, severity), truths(world, None, quality)
        for estimate in icc_family(ratings)[:3]:
            for interval in estimate.intervals:
                truth = {"units": here, "raters": these_units, "units and raters": population}[interval.covers]
                wanted = truth[estimate.statistic]
                kind = "F" if interval.method[0] == "F" else "jackknife"
                inside = held.setdefault((estimate.statistic, f"{interval.covers}, {kind}"), [])
                inside.append(interval.low <= wanted <= interval.high)
    return {key: float(np.mean(found)) for key, found in held.items()}


def main() -> None:
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rng = np.random.default_rng(20261121)
    print(f"{replications} replications")
    for shares in ("flat", "skewed"):
        for n_units, n_raters in ((200, 5), (200, 20), (1000, 20), (200, 200)):
            print(f"\n{shares}, {n_units} units × {n_raters} raters, complete")
            result = coverage(World(shares), n_units, n_raters, replications, rng)
            for (statistic, label), share in sorted(result.items()):
                print(f"  {statistic}  {label:28} {share:.3f}")


if __name__ == "__main__":
    main()
