"""Statistics as their sources write them: loops over units and pairs, to hold the fast code against."""

from itertools import combinations, permutations
from math import nan

import numpy as np


def units_of(matrix: np.ndarray) -> list[list[float]]:
    """The ratings of each unit, missing cells left out; the matrix is raters × units."""
    return [[float(x) for x in column if not np.isnan(x)] for column in matrix.T]


def alpha(matrix: np.ndarray, metric: str) -> float:
    """Krippendorff (2011), section C: observed and expected disagreement from the coincidence matrix.

    None for a single pairable unit: observed and expected disagreement then are the same.
    """
    units = [unit for unit in units_of(matrix) if len(unit) >= 2]
    if len(units) == 1:
        return nan
    levels = sorted({x for unit in units for x in unit})
    pairs: dict[tuple[float, float], float] = {(c, k): 0.0 for c in levels for k in levels}
    for unit in units:
        for a, b in permutations(unit, 2):
            pairs[a, b] += 1 / (len(unit) - 1)
    margin = {c: sum(pairs[c, k] for k in levels) for c in levels}
    n = sum(margin.values())

    def squared(c: float, k: float) -> float:
        if metric == "nominal":
            return float(c != k)
        if metric == "interval":
            return (c - k) ** 2
        if metric == "ratio":
            return ((c - k) / (c + k)) ** 2
        low, high = min(c, k), max(c, k)
        return (sum(margin[g] for g in levels if low <= g <= high) - (margin[c] + margin[k]) / 2) ** 2

    observed = sum(pairs[c, k] * squared(c, k) for c in levels for k in levels)
    expected = sum(margin[c] * margin[k] * squared(c, k) for c in levels for k in levels)
    return 1 - (n - 1) * observed / expected if expected > 0 else nan


def weighted_agreement(matrix: np.ndarray, levels: list[float], weights: np.ndarray) -> dict[str, float]:
    """Gwet (2014), sections 4.4–4.5: observed agreement, and chance agreement three ways."""
    place = {x: i for i, x in enumerate(levels)}
    units = [[place[x] for x in unit] for unit in units_of(matrix) if unit]
    pairable = [unit for unit in units if len(unit) >= 2]
    q = len(levels)
    if not pairable:
        return dict.fromkeys(("pa", "fleiss", "gwet", "brennan_prediger"), nan)
    pa = np.mean([np.mean([weights[a, b] for a, b in permutations(unit, 2)]) for unit in pairable])
    shares = np.mean([[unit.count(k) / len(unit) for k in range(q)] for unit in units], axis=0)
    chance = {
        "fleiss": sum(weights[a, b] * shares[a] * shares[b] for a in range(q) for b in range(q)),
        "gwet": weights.sum() / (q * (q - 1)) * sum(s * (1 - s) for s in shares),
        "brennan_prediger": weights.sum() / q**2,
    }
    result = {name: (pa - pe) / (1 - pe) if abs(1 - pe) > 1e-12 else nan for name, pe in chance.items()}
    return result | {"pa": float(pa)}


def within_one(matrix: np.ndarray, levels: list[float]) -> float:
    """Mean over units of the share of pairs of ratings at most one step of the scale apart."""
    place = {x: i for i, x in enumerate(levels)}
    shares = [
        np.mean([abs(place[a] - place[b]) <= 1 for a, b in combinations(unit, 2)])
        for unit in units_of(matrix)
        if len(unit) >= 2
    ]
    return float(np.mean(shares)) if shares else nan
