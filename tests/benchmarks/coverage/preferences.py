"""How often intervals of win rates and strengths cover what they claim, and how often their tests err.

Run: python -m tests.benchmarks.coverage.preferences [studies [worlds [raters]]], such as "4000 tastes,careless 3,5".

Model: three methods. The log odds that rater r on prompt p prefers method i to j are λ_i − λ_j + (a_ri − a_rj)
+ (b_pi − b_pj) + side · d_r: a_r are the rater's tastes, N(0, s²) each, b_p the prompt's, N(0, ½²), and d_r ~ N(d, ½²)
what being on the left adds. 12% of the votes are ties. Every rater votes on one pair, drawn at random, of each of 60
prompts, in sides drawn at random. λ = (½, 0, −½); in "null" 0. "alike": s = .1; "tastes": s = ½; "careless": as
"tastes", and each rater is careless with chance .1 and votes by coin; "side": as "tastes" with d = ½; "strong": s = 1;
"clear": λ = (2, 0, −2). "null alike" and so on are both. In "two …" all votes are on a and b, so that there is
nothing but their win rate.

The truth is that of infinitely many raters and prompts, by quadrature. Every world has random numbers of its own.

Hundreds of studies are analysed at once: a vote is one of 18 kinds (pair, side, outcome), and sums over clusters are
counts of kinds. The first studies of every cell are analysed by the product too, and have to give the same figures.
"""

import sys
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.polynomial.hermite import hermgauss

from annotations.stats.distributions import t_above, t_quantile
from annotations.stats.intervals.crossed_clusters import combined, combined_freedom, with_information
from annotations.stats.preferences.bradley_terry import fit
from annotations.stats.preferences.strengths import strengths
from annotations.stats.preferences.votes import Votes
from annotations.stats.preferences.win_rate import win_rate

RATERS = (3, 5, 8, 12, 20)
PROMPTS = 60
PAIRS = np.array([(0, 1), (0, 2), (1, 2)])
SIDES = np.array([1, -1])
TIES = 0.12
NODES = 60
MANY = 1_000_000_000
AT_ONCE = 250
CHECKED = 2
STEPS = 40
# The gradient of x = λ_i − λ_j + side · δ by (λ_a, λ_b, λ_c, δ, log ν), for each pair and side.
OF_X = np.zeros((6, 5))
for _pair, (_first, _second) in enumerate(PAIRS):
    for _at, _side in enumerate(SIDES):
        OF_X[2 * _pair + _at, [_first, _second, 3]] = 1, -1, _side
OF_TIE = np.eye(5)[4]
WON, TIED = np.array([1.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0])
CONTRASTS = np.vstack(
    [np.eye(3, 5) - np.array([1, 1, 1, 0, 0]) / 3, *(np.eye(5)[i] - np.eye(5)[j] for i, j in combinations(range(3), 2))]
)
"""Of the three strengths with mean 0, and of their three differences."""


@dataclass(frozen=True)
class World:
    worth: tuple[float, float, float] = (0.5, 0.0, -0.5)
    taste: float = 0.5
    careless: float = 0.0
    side: float = 0.0
    n_methods: int = 3


NONE = (0.0, 0.0, 0.0)
WORLDS = {
    "alike": World(taste=0.1),
    "tastes": World(),
    "careless": World(careless=0.1),
    "side": World(side=0.5),
    "null": World(worth=NONE),
    "null careless": World(worth=NONE, careless=0.1),
    "null side": World(worth=NONE, side=0.5),
    "null alike": World(worth=NONE, taste=0.1),
    "null strong": World(worth=NONE, taste=1.0),
    "strong": World(taste=1.0),
    "clear": World(worth=(2.0, 0.0, -2.0)),
    "two": World(n_methods=2),
    "two careless": World(careless=0.1, n_methods=2),
    "two clear": World(worth=(2.0, 0.0, -2.0), n_methods=2),
    "two null": World(worth=NONE, n_methods=2),
    "two null careless": World(worth=NONE, careless=0.1, n_methods=2),
    "two null side": World(worth=NONE, side=0.5, n_methods=2),
    "two null alike": World(worth=NONE, taste=0.1, n_methods=2),
    "two null strong": World(worth=NONE, taste=1.0, n_methods=2),
}


@dataclass(frozen=True)
class Studies:
    """Votes (S, R, P) of every rater on every prompt: kind of pair and side 0 … 5, and outcome 0 … 2."""

    kind: np.ndarray
    outcome: np.ndarray

    def votes(self, at: int) -> Votes:
        """Of one study, as the product takes them."""
        rater, prompt = (each.ravel() for each in np.indices(self.kind.shape[1:]))
        kind = self.kind[at].ravel()
        first, second = PAIRS[kind // 2].T
        return Votes(["a", "b", "c"], first, second, self.outcome[at].ravel(), rater, prompt, SIDES[kind % 2])

    def counts(self, axis: int) -> np.ndarray:
        """(S, clusters, 6, 3): how many votes of each kind and outcome the clusters along an axis, 1 or 2, gave."""
        n_studies, n = len(self.kind), self.kind.shape[axis]
        place = np.arange(n_studies)[:, None, None] * n + np.expand_dims(np.arange(n), (0, 3 - axis))
        code = (place * 18 + self.kind * 3 + self.outcome).ravel()
        return np.bincount(code, minlength=n_studies * n * 18).reshape(n_studies, n, 6, 3).astype(float)


def drawn(world: World, n_raters: int, n_studies: int, rng: np.random.Generator) -> Studies:
    """That many studies at once."""
    shape = (n_studies, n_raters, PROMPTS)
    kind = rng.integers(0, 6 if world.n_methods == 3 else 2, shape)
    first, second = PAIRS[kind // 2].transpose(3, 0, 1, 2)
    study, rater, prompt = np.ogrid[:n_studies, :n_raters, :PROMPTS]
    tastes = world.taste * rng.normal(size=(n_studies, n_raters, 3))
    suits = 0.5 * rng.normal(size=(n_studies, PROMPTS, 3))
    left = world.side + 0.5 * rng.normal(size=(n_studies, n_raters, 1))
    worth = np.array(world.worth)
    odds = worth[first] - worth[second] + SIDES[kind % 2] * left
    odds += tastes[study, rater, first] - tastes[study, rater, second]
    odds += suits[study, prompt, first] - suits[study, prompt, second]
    odds = np.where(rng.random((n_studies, n_raters, 1)) < world.careless, 0.0, odds)
    outcome = np.where(rng.random(shape) < 1 / (1 + np.exp(-odds)), 0, 1)
    return Studies(kind, np.where(rng.random(shape) < TIES, 2, outcome))


def truth(world: World) -> tuple[float, np.ndarray]:
    """The win rate of a against b, and the three strengths, of a billion votes on each pair and side."""
    nodes, weights = hermgauss(NODES)
    # Differences of two tastes of a rater, of two of a prompt, and what the left adds for the rater.
    spread = np.sqrt(2 * (2 * world.taste**2 + 2 * 0.5**2 + 0.5**2)) * nodes
    rows = []
    for first, second in PAIRS:
        for side in SIDES:
            odds = world.worth[first] - world.worth[second] + side * world.side + spread
            wins = float(weights @ (1 / (1 + np.exp(-odds)))) / np.sqrt(np.pi)
            wins = (1 - world.careless) * wins + world.careless / 2
            for outcome, share in enumerate(((1 - TIES) * wins, (1 - TIES) * (1 - wins), TIES)):
                rows.append((first, second, outcome, side, round(share * MANY)))
    first, second, outcome, side, count = np.array(rows).T
    votes = Votes(["a", "b", "c"], first, second, outcome, side=side, count=count)
    pair = votes.between(0, 1)
    wins, losses, _ = np.bincount(pair.outcome, pair.count, minlength=3)
    return float(wins / (wins + losses)), fit(votes).log_worth


def win_rates(studies: Studies) -> dict[str, np.ndarray]:
    """Win rates of a against b (S,), with the ends of Wilson's interval and p, over prompts and raters.

    For comparison "wald", half the width of Wald's interval with the same variance, and "… lower", Wilson's interval of
    a variance with a lower floor: that of the crossing instead of the larger one of prompts and raters.
    """
    own = (studies.kind < 2).astype(float)
    won, decided = own * (studies.outcome == 0), own * (studies.outcome < 2)
    rate = won.sum((1, 2)) / decided.sum((1, 2))
    over_raters, over_prompts = (_jackknife(won.sum(axis), decided.sum(axis)) for axis in (2, 1))
    crossing = _jackknife(won.reshape(len(rate), -1), decided.reshape(len(rate), -1))
    independent = rate * (1 - rate) / decided.sum((1, 2))
    over_raters, over_prompts, crossing = (
        with_information(each, independent) for each in (over_raters, over_prompts, crossing)
    )
    n_raters, n_prompts = ((decided.sum(axis) > 0).sum(1) for axis in (2, 1))
    least = np.minimum(n_raters, n_prompts)

    def worth(variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How many votes, and degrees of freedom."""
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = variance**2 / (over_prompts**2 / (n_prompts - 1) + over_raters**2 / (n_raters - 1))
            n = rate * (1 - rate) / variance
        freedom = np.where(np.isfinite(freedom), np.maximum(freedom, least - 1), least - 1)
        return np.where(rate * (1 - rate) == 0, least, n), freedom

    n, freedom = worth(combined(over_prompts, over_raters, crossing))
    low, high = _wilson(rate, n, freedom)
    p = np.minimum(1, 2 * t_above(np.abs(rate - 0.5) * 2 * np.sqrt(n), freedom))
    lower = _wilson(rate, *worth(np.maximum(over_prompts + over_raters - crossing, crossing)))
    return {
        "rate": rate,
        "low": low,
        "high": high,
        "p": p,
        "wald": t_quantile(0.975, freedom) * np.sqrt(np.where(rate * (1 - rate) == 0, 0.25, rate * (1 - rate)) / n),
        "low, lower": lower[0],
        "high, lower": lower[1],
    }


def _wilson(rate: np.ndarray, n: np.ndarray, freedom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    t = t_quantile(0.975, freedom)
    centre = (rate + t * t / (2 * n)) / (1 + t * t / n)
    half = t / (1 + t * t / n) * np.sqrt(rate * (1 - rate) / n + (t / (2 * n)) ** 2)
    return np.maximum(centre - half, 0), np.minimum(centre + half, 1)


def _jackknife(hits: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(S,) variances of Σ hits / Σ weights, of clusters (S, n)."""
    used = weights > 0
    n = used.sum(1)
    without = (hits.sum(1, keepdims=True) - hits) / (weights.sum(1, keepdims=True) - weights)
    mean = (without * used).sum(1) / n
    return (n - 1) / n * (np.square(without - mean[:, None]) * used).sum(1)


def log_worths(studies: Studies) -> dict[str, np.ndarray]:
    """Strengths and differences (S, 6) with half widths and p over prompts and raters; NaN where there are none."""
    by_rater, by_prompt = studies.counts(1), studies.counts(2)
    counts = by_rater.sum(1)
    theta = np.zeros((len(counts), 5))
    joined = _joined(counts)
    for _ in range(STEPS):
        score, information = _derivatives(theta)
        gradient = np.einsum("sko,skop->sp", counts, score)
        inverse = _inverse(np.einsum("sk,skpq->spq", counts.sum(-1), information))
        theta = theta + np.where(joined[:, None], np.einsum("spq,sq->sp", inverse, gradient), 0)
    if np.abs(gradient[joined]).max(initial=0) > 1e-6:
        raise RuntimeError("a fit has not converged")
    whole = np.einsum("sk,skpq->spq", counts.sum(-1), information)
    # Raters are left out one at a time; prompts and single votes enter by their scores.
    n_raters, n_votes = by_rater.shape[1], studies.kind[0].size
    own = np.einsum("srk,skpq->srpq", by_rater.sum(-1), information)
    moved = np.einsum(
        "srpq,srq->srp", _inverse(whole[:, None] - own), np.einsum("srko,skop->srp", by_rater, score), optimize=True
    )
    over_raters = (n_raters - 1) / n_raters * np.einsum("srp,srq->spq", moved, moved)
    over_raters[~_joined(counts[:, None] - by_rater).all(1)] = np.nan
    sums = np.einsum("snko,skop->snp", by_prompt, score, optimize=True)
    meats = {PROMPTS: np.einsum("snp,snq->spq", sums, sums)}
    meats[n_votes] = np.einsum("sko,skop,skoq->spq", counts, score, score, optimize=True)
    over_prompts, crossing = (n / (n - 1) * inverse @ meat @ inverse for n, meat in meats.items())
    independent, *clustered = (
        np.einsum("mp,spq,mq->sm", CONTRASTS, matrix, CONTRASTS, optimize=True)
        for matrix in (inverse, over_raters, over_prompts, crossing)
    )
    of_raters, of_prompts, of_votes = (with_information(each, independent) for each in clustered)
    variance = combined(of_prompts, of_raters, of_votes)
    freedom = combined_freedom(variance, of_prompts, PROMPTS, of_raters, n_raters)
    value = np.where(joined[:, None], theta @ CONTRASTS.T, np.nan)
    error = np.sqrt(variance)
    return {
        "value": value,
        "half": t_quantile(0.975, freedom) * error,
        "p": np.minimum(1, 2 * t_above(np.abs(value) / error, freedom)),
    }


def _derivatives(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores (S, 6, 3, 5) of a vote of each kind and outcome, and information (S, 6, 5, 5)."""
    x = theta @ OF_X.T
    wins, loses, ties = np.exp(x / 2), np.exp(-x / 2), np.exp(theta[:, 4:])
    total = wins + loses + ties
    wins, loses, ties = wins / total, loses / total, ties / total
    lead = wins - loses
    score = (WON - lead[..., None])[..., None] / 2 * OF_X[:, None] + (TIED - ties[..., None])[..., None] * OF_TIE
    curve = (wins + loses) / 4 - (lead / 2) ** 2
    across = (-ties * lead / 2)[..., None, None] * (OF_X[:, :, None] * OF_TIE)
    information = curve[..., None, None] * (OF_X[:, :, None] * OF_X[:, None]) + across + across.swapaxes(-1, -2)
    return score, information + (ties * (1 - ties))[..., None, None] * np.outer(OF_TIE, OF_TIE)


def _inverse(information: np.ndarray) -> np.ndarray:
    """Generalised inverses (…, 5, 5) under Σ λ = 0; of a singular one NaN."""
    ones = np.zeros((5, 5))
    ones[:3, :3] = 1
    centring = np.eye(5) - ones / 3
    filled = information + ones * np.maximum(np.trace(information, axis1=-2, axis2=-1), 1)[..., None, None]
    singular = ~(np.abs(np.linalg.det(filled)) > 1e-9)
    filled[singular] = np.eye(5)
    found = centring @ np.linalg.inv(filled) @ centring
    found[singular] = np.nan
    return np.asarray(found)


def _joined(counts: np.ndarray) -> np.ndarray:
    """Whether counts (…, 6, 3) join the methods by wins or ties in both directions."""
    of_pair = counts[..., ::2, :] + counts[..., 1::2, :]
    beat = np.zeros((*counts.shape[:-2], 3, 3), bool)
    for pair, (first, second) in enumerate(PAIRS):
        beat[..., first, second] = of_pair[..., pair, [0, 2]].sum(-1) > 0
        beat[..., second, first] = of_pair[..., pair, [1, 2]].sum(-1) > 0
    reach = (np.eye(3, dtype=bool) | beat).astype(int)
    return np.asarray((reach @ reach > 0).all((-2, -1)))


def check(studies: Studies, rates: dict[str, np.ndarray], worths: dict[str, np.ndarray], at: int) -> None:
    """Raises AssertionError where the product has other figures for a study."""
    votes = studies.votes(at)
    pair = win_rate(votes, 0, 1)
    interval = pair.win_rate.intervals[0]
    np.testing.assert_allclose(
        [rates[name][at] for name in ("rate", "low", "high", "p")],
        [pair.win_rate.value, interval.low, interval.high, pair.p],
        atol=1e-7,
    )
    if not worths:
        return
    found = strengths(votes)
    if np.isnan(worths["half"][at]).any():
        assert not all(row.log_worth.is_defined and row.log_worth.intervals[0].is_defined for row in found.rows)
        return
    for row in found.rows:
        place = "abc".index(row.method)
        value, half = worths["value"][at, place], worths["half"][at, place]
        interval = row.log_worth.intervals[0]
        np.testing.assert_allclose([value - half, value + half], [interval.low, interval.high], atol=1e-6)
    for each in found.differences:
        ends = sorted("abc".index(found.rows[index].method) for index in (each.first, each.second))
        place = 3 + PAIRS.tolist().index(ends)
        np.testing.assert_allclose(worths["p"][at, place], each.p, atol=1e-6)


def coverage(world: World, n_raters: int, n_studies: int, seed: int = 1) -> dict[str, float]:
    """Shares that cover, over prompts and raters, median widths, and the share of p-values below .05."""
    rate, log_worth = truth(world)
    right = CONTRASTS[:, :3] @ log_worth
    rng = np.random.default_rng([seed, n_raters, list(WORLDS.values()).index(world)])
    rates: dict[str, np.ndarray] = {}
    worths: dict[str, np.ndarray] = {}
    for start in range(0, n_studies, AT_ONCE):
        studies = drawn(world, n_raters, min(AT_ONCE, n_studies - start), rng)
        some = win_rates(studies), log_worths(studies) if world.n_methods == 3 else {}
        for at in range(CHECKED if not start else 0):
            check(studies, *some, at)
        for whole, part in zip((rates, worths), some, strict=True):
            whole |= {
                name: np.concatenate([whole[name], values] if start else [values]) for name, values in part.items()
            }
    inside = {
        "win rate": (rates["low"] <= rate) & (rate <= rates["high"]),
        "Wald": np.abs(rates["rate"] - rate) <= rates["wald"],
        "lower floor": (rates["low, lower"] <= rate) & (rate <= rates["high, lower"]),
    }
    found = {name: float(np.mean(values)) for name, values in inside.items()}
    found |= {"width": float(np.median(rates["high"] - rates["low"])), "p < .05": float(np.mean(rates["p"] < 0.05))}
    if not worths:
        return found
    defined = ~np.isnan(worths["half"]).any(1)
    value, half, p = (worths[name][defined] for name in ("value", "half", "p"))
    covers = np.abs(value - right) <= half
    return found | {
        "strength": float(covers[:, :3].mean()),
        "strength width": float(np.median(2 * half[:, :3])),
        "difference": float(covers[:, 3:].mean()),
        "p of a difference < .05": float(np.mean(p[:, 3:] < 0.05)),
        "undefined": 1 - float(defined.mean()),
    }


def main(arguments: list[str]) -> None:
    n_studies = int(arguments[0]) if arguments else 4000
    worlds = arguments[1].split(",") if len(arguments) > 1 else list(WORLDS)
    raters = [int(one) for one in arguments[2].split(",")] if len(arguments) > 2 else RATERS
    for name in worlds:
        for n_raters in raters:
            found = coverage(WORLDS[name], n_raters, n_studies)
            figures = ", ".join(f"{what} {value:.3f}" for what, value in found.items())
            print(f"{name}, {n_raters} raters: {figures}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
