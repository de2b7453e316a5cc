"""How often intervals of win rates and strengths cover what they claim, and how often their tests err.

Run: python -m tests.benchmarks.coverage.preferences [studies [worlds [raters]]], such as "200 tastes,careless 3,5".

Model: three methods. The log odds that rater r on prompt p prefers method i to j are λ_i − λ_j + (a_ri − a_rj)
+ (b_pi − b_pj) + side · d_r: a_r are the rater's tastes, N(0, s²) each, b_p the prompt's, N(0, ½²), and d_r ~ N(d, ½²)
what being on the left adds. 12% of the votes are ties. Every rater votes on one pair, drawn at random, of each of 60
prompts, in sides drawn at random. λ = (½, 0, −½); in "null" 0. "alike": s = .1; "tastes": s = ½; "careless": as
"tastes", and each rater is careless with chance .1 and votes by coin; "side": as "tastes" with d = ½.

The truth is that of infinitely many raters and prompts, by quadrature. Every world has random numbers of its own.
"""

import sys
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.hermite import hermgauss

from annotations.stats.preferences.bradley_terry import fit
from annotations.stats.preferences.strengths import strengths
from annotations.stats.preferences.votes import Votes
from annotations.stats.preferences.win_rate import win_rate

RATERS = (3, 5, 8, 12, 20)
PROMPTS = 60
PAIRS = np.array([(0, 1), (0, 2), (1, 2)])
TIES = 0.12
NODES = 60
MANY = 1_000_000_000


@dataclass(frozen=True)
class World:
    worth: tuple[float, float, float] = (0.5, 0.0, -0.5)
    taste: float = 0.5
    careless: float = 0.0
    side: float = 0.0


WORLDS = {
    "alike": World(taste=0.1),
    "tastes": World(),
    "careless": World(careless=0.1),
    "side": World(side=0.5),
    "null": World(worth=(0.0, 0.0, 0.0)),
    "null careless": World(worth=(0.0, 0.0, 0.0), careless=0.1),
}


def votes_of(world: World, n_raters: int, n_prompts: int, rng: np.random.Generator) -> Votes:
    """Votes of every rater on every prompt."""
    rater = np.repeat(np.arange(n_raters), n_prompts)
    prompt = np.tile(np.arange(n_prompts), n_raters)
    worth = np.array(world.worth) + world.taste * rng.normal(size=(n_raters, 3))[rater]
    worth = worth + 0.5 * rng.normal(size=(n_prompts, 3))[prompt]
    first, second = PAIRS[rng.integers(0, 3, len(rater))].T
    side = rng.choice([-1, 1], len(rater))
    left = world.side + 0.5 * rng.normal(size=n_raters)
    rows = np.arange(len(rater))
    odds = worth[rows, first] - worth[rows, second] + side * left[rater]
    odds = np.where((rng.random(n_raters) < world.careless)[rater], 0.0, odds)
    outcome = np.where(rng.random(len(rater)) < 1 / (1 + np.exp(-odds)), 0, 1)
    outcome = np.where(rng.random(len(rater)) < TIES, 2, outcome)
    return Votes(["a", "b", "c"], first, second, outcome, rater, prompt, side)


def truth(world: World) -> tuple[float, np.ndarray]:
    """The win rate of a against b, and the three strengths, of a billion votes on each pair and side."""
    nodes, weights = hermgauss(NODES)
    # Differences of two tastes of a rater, of two of a prompt, and what the left adds for the rater.
    spread = np.sqrt(2 * (2 * world.taste**2 + 2 * 0.5**2 + 0.5**2)) * nodes
    rows = []
    for first, second in PAIRS:
        for side in (1, -1):
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


def coverage(world: World, n_raters: int, n_studies: int, seed: int = 1) -> dict[str, float]:
    """Shares that cover, over prompts and raters, median widths, and the share of p-values below .05."""
    rate, worth = truth(world)
    rng = np.random.default_rng([seed, n_raters, list(WORLDS.values()).index(world)])
    of_rate, of_worth, widths, wide, rejected, of_odds, of_p, undefined = [], [], [], [], [], [], [], 0
    for _ in range(n_studies):
        votes = votes_of(world, n_raters, PROMPTS, rng)
        pair = win_rate(votes, 0, 1)
        interval = pair.win_rate.intervals[0]
        of_rate.append(interval.low <= rate <= interval.high)
        widths.append(interval.high - interval.low)
        rejected.append(pair.p < 0.05)
        found = strengths(votes)
        by_name = {row.method: row.log_worth for row in found.rows}
        if any(not by_name[name].is_defined or not by_name[name].intervals[0].is_defined for name in "abc"):
            undefined += 1
            continue
        for name, right in zip("abc", worth, strict=True):
            interval = by_name[name].intervals[0]
            of_worth.append(interval.low <= right <= interval.high)
            wide.append(interval.high - interval.low)
        for each in found.differences:
            one, other = found.rows[each.first].method, found.rows[each.second].method
            right = worth["abc".index(one)] - worth["abc".index(other)]
            interval = each.log_odds.intervals[0]
            of_odds.append(interval.low <= right <= interval.high)
            of_p.append(each.p < 0.05)
    return {
        "win rate": float(np.mean(of_rate)),
        "width": float(np.median(widths)),
        "strength": float(np.mean(of_worth)),
        "strength width": float(np.median(wide)),
        "difference": float(np.mean(of_odds)),
        "p < .05": float(np.mean(rejected)),
        "p of a difference < .05": float(np.mean(of_p)),
        "undefined": undefined / n_studies,
    }


def main(arguments: list[str]) -> None:
    n_studies = int(arguments[0]) if arguments else 200
    worlds = arguments[1].split(",") if len(arguments) > 1 else list(WORLDS)
    raters = [int(one) for one in arguments[2].split(",")] if len(arguments) > 2 else RATERS
    for name in worlds:
        for n_raters in raters:
            found = coverage(WORLDS[name], n_raters, n_studies)
            figures = ", ".join(f"{what} {value:.3f}" for what, value in found.items())
            print(f"{name}, {n_raters} raters: {figures}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
