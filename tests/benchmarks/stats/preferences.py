"""A million votes on 100 methods: strengths with clustered intervals, against the usual loop.

Run: python -m tests.benchmarks.stats.preferences [votes]. Peer in the same run: choix (Maystre & Grossglauser 2015),
whose `ilsr_pairwise_dense` fits the table of wins, ties as halves, without intervals, and the loop that gives them: a
bootstrap of whole raters. Without choix its place is taken by the MM iteration of Hunter (2004, Ann. Stat. 32:384).
Seconds are the processor's, on one thread.
"""

import sys
import time
from collections.abc import Callable

import numpy as np

from annotations.stats.preferences.bradley_terry import fit
from annotations.stats.preferences.strengths import strengths
from annotations.stats.preferences.votes import Votes
from annotations.stats.threads import one_linear_algebra_thread
from tests.benchmarks.stats.raters import Row, row

METHODS, RATERS, PROMPTS = 100, 5_000, 20_000
RESAMPLES, TRIED = 1_000, 10
"""Of the bootstrap, and how many of them are run: the rest is scaled."""


def drawn(n: int) -> Votes:
    """Votes of raters and prompts drawn at random, a third of them ties, with a small effect of the side."""
    rng = np.random.default_rng(0)
    worth = rng.normal(0, 0.7, METHODS)
    first = rng.integers(0, METHODS, n)
    second = (first + rng.integers(1, METHODS, n)) % METHODS
    side = rng.choice([-1, 1], n)
    x = worth[first] - worth[second] + 0.1 * side
    chances = np.column_stack([np.exp(x / 2), np.exp(-x / 2), np.full(n, 0.4)])
    below = np.cumsum(chances / chances.sum(axis=1, keepdims=True), axis=1)
    outcome = np.minimum((rng.random(n)[:, None] > below).sum(axis=1), 2)
    names = [f"m{at}" for at in range(METHODS)]
    return Votes(names, first, second, outcome, rng.integers(0, RATERS, n), rng.integers(0, PROMPTS, n), side)


def wins_of(votes: Votes, weight: np.ndarray | None = None) -> np.ndarray:
    """(k, k): how often the row's method beat the column's, ties as halves; weight (n,) of the votes."""
    k = len(votes.methods)
    won = np.choose(votes.outcome, [1.0, 0.0, 0.5])
    weight = np.ones(len(won)) if weight is None else weight
    here = np.bincount(votes.first * k + votes.second, weight * won, k * k)
    there = np.bincount(votes.second * k + votes.first, weight * (1 - won), k * k)
    return (here + there).reshape(k, k)


def by_iteration(wins: np.ndarray) -> np.ndarray:
    """Log-worths by the MM iteration to 1e-8."""
    games, total, worth = wins + wins.T, wins.sum(axis=1), np.ones(len(wins))
    for _ in range(10_000):
        found = total / (games / (worth[:, None] + worth[None])).sum(axis=1)
        found /= np.exp(np.log(found).mean())
        if np.abs(found - worth).max() < 1e-8:
            break
        worth = found
    return np.log(worth)


def timed(work: Callable[[], object]) -> float:
    """Seconds of the processor."""
    start = time.process_time()
    work()
    return time.process_time() - start


def peer() -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
    try:
        import choix  # type: ignore[import-not-found, import-untyped, unused-ignore]  # optional: the extra "bench"
    except ImportError:
        return "MM iteration (choix is not installed)", by_iteration
    return "choix", choix.ilsr_pairwise_dense


def run(n: int = 1_000_000) -> list[Row]:
    votes = drawn(n)
    name, of_wins = peer()
    rng = np.random.default_rng(1)

    def loop() -> None:
        for _ in range(TRIED):
            times = np.bincount(rng.integers(0, RATERS, RATERS), minlength=RATERS)
            of_wins(wins_of(votes, times[np.asarray(votes.rater)].astype(float)))

    with one_linear_algebra_thread():
        ours_alone = timed(lambda: fit(votes))
        theirs_alone = timed(lambda: of_wins(wins_of(votes)))
        ours, theirs = timed(lambda: strengths(votes)), timed(loop) * RESAMPLES / TRIED
        by_name = {each.method: each.log_worth.value for each in strengths(votes).rows}
    other = of_wins(wins_of(votes))
    alike = np.corrcoef([by_name[method] for method in votes.methods], other)[0, 1]
    size = f"{n:,} votes on {METHODS} methods"
    how = f"raters alone, {RESAMPLES:,} resamples scaled from {TRIED}; ours: prompts and raters, ranks, 4,950 pairs"
    return [
        row(f"strengths, {size}", ours_alone, name, theirs_alone, f"ours with ties and side; correlation {alike:.6f}"),
        row(f"strengths with intervals, {size}", ours, f"{name} in a bootstrap", theirs, how),
    ]


def main(arguments: list[str]) -> None:
    for each in run(int(arguments[0]) if arguments else 1_000_000):
        print(
            f"{each['name']}: {each['ours_s']:.2f} s; {each['peer']}: {each['peer_s']:.2f} s, "
            f"{each['ratio']:.3g} times ours; {each['note']}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
