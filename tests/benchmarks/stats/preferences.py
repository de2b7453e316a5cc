"""A million votes on 100 methods: strengths with clustered intervals, against the usual loop.

Run: python -m tests.benchmarks.stats.preferences [votes]. Alternative in the same run: Bradley–Terry's MM iteration
(Hunter 2004, Ann. Stat. 32:384) on the table of wins, ties as halves, without intervals, and what 100 bootstrap
resamples of whole raters would take with it.
"""

import sys
import time

import numpy as np

from annotations.stats.preferences.strengths import strengths
from annotations.stats.preferences.votes import Votes

METHODS, RATERS, PROMPTS = 100, 5_000, 20_000
RESAMPLES = 100


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


def by_iteration(votes: Votes) -> np.ndarray:
    """Log-worths by the MM iteration to 1e-8."""
    k = len(votes.methods)
    share = np.choose(votes.outcome, [1.0, 0.0, 0.5])
    wins = np.zeros((k, k))
    np.add.at(wins, (votes.first, votes.second), share)
    np.add.at(wins, (votes.second, votes.first), 1 - share)
    games, total, worth = wins + wins.T, wins.sum(axis=1), np.ones(k)
    for _ in range(10_000):
        found = total / (games / (worth[:, None] + worth[None])).sum(axis=1)
        found /= np.exp(np.log(found).mean())
        if np.abs(found - worth).max() < 1e-8:
            break
        worth = found
    return np.log(worth)


def main(arguments: list[str]) -> None:
    votes = drawn(int(arguments[0]) if arguments else 1_000_000)
    started, cpu = time.perf_counter(), time.process_time()
    found = strengths(votes)
    ours = time.process_time() - cpu
    print(
        f"strengths with intervals: {ours:.1f} s of one processor, {time.perf_counter() - started:.1f} s by the clock"
    )
    cpu = time.process_time()
    other = by_iteration(votes)
    alone = time.process_time() - cpu
    by_name = {row.method: row.log_worth.value for row in found.rows}
    order = np.corrcoef([by_name[name] for name in votes.methods], other)[0, 1]
    print(f"MM iteration, no interval: {alone:.2f} s; its bootstrap of {RESAMPLES}: about {alone * RESAMPLES:.0f} s")
    print(f"correlation of the two: {order:.5f}")


if __name__ == "__main__":
    main(sys.argv[1:])
