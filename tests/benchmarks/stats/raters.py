"""Dawid–Skene, the rater table and the critic's bootstrap against their peers, in one run.

python -m tests.benchmarks.stats.raters [--quick]
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.stats.comparison.multiverse import unit_scores
from annotations.stats.critic.accuracy import critic_accuracy
from annotations.stats.raters.dawid_skene import dawid_skene_labels, majority_vote
from annotations.stats.raters.table import Repeats, rater_table
from annotations.stats.ratings import Ratings
from tests.stats.critic.audits import simulate

Row = dict[str, Any]
ITERATIONS = 100
N_RATERS, PER_UNIT, N_LEVELS = 20, 3, 5
LARGEST_PEER = 10_000
"""Units up to which the peer is run; above, its time is scaled with the units and marked."""


def labels_of(n_units: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Three of twenty raters per unit, drawn at random, each right with a chance of its own."""
    rng = np.random.default_rng(0)
    truth = rng.choice(N_LEVELS, size=n_units, p=[0.3, 0.25, 0.2, 0.15, 0.1])
    rater = np.argpartition(rng.random((n_units, N_RATERS)), PER_UNIT, axis=1)[:, :PER_UNIT].ravel()
    unit = np.repeat(np.arange(n_units), PER_UNIT)
    right = rng.random(len(unit)) < rng.uniform(0.4, 0.95, N_RATERS)[rater]
    return unit, rater, np.where(right, truth[unit], rng.integers(0, N_LEVELS, len(unit)))


def run(*, quick: bool = False) -> list[Row]:
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000, 1_000_000)
    rows = dawid_skene_rows(sizes)
    n_ratings = 30_000 if quick else 1_000_000
    return [*rows, *board_rows(n_ratings), *aggregation_rows(n_ratings), critic_row(500 if quick else 5_000)]


def dawid_skene_rows(sizes: tuple[int, ...]) -> list[Row]:
    try:
        import pandas as pd
        from crowdkit.aggregation import DawidSkene as Peer
    except ImportError as error:
        missing = f"crowd-kit is not installed ({error.name})"
        peer_name, peer_time = "crowd-kit", None
    else:
        missing, peer_name = "", "crowd-kit"

        def peer_time(unit: NDArray[np.int64], rater: NDArray[np.int64], level: NDArray[np.int64]) -> float:
            table = pd.DataFrame({"task": unit, "worker": rater, "label": level})
            return timed(lambda: Peer(n_iter=ITERATIONS, tol=-1.0).fit_predict(table))

    rows, last = [], (0, 0.0)
    for n_units in sizes:
        unit, rater, level = labels_of(n_units)
        fit = partial(
            dawid_skene_labels,
            unit,
            rater,
            level,
            n_units=n_units,
            n_raters=N_RATERS,
            n_levels=N_LEVELS,
            max_iterations=ITERATIONS,
            tolerance=-1.0,
        )
        ours = best_of(fit)
        note, theirs = missing, None
        if peer_time is not None and n_units <= LARGEST_PEER:
            theirs = peer_time(unit, rater, level)
            last = (n_units, theirs)
        elif last[0]:
            theirs, note = last[1] * n_units / last[0], f"peer extrapolated from {last[0]:,} units"
        rows.append(row(f"Dawid–Skene, {ITERATIONS} iterations, {n_units:,} units × 3", ours, peer_name, theirs, note))
    return rows


def board_rows(n_ratings: int) -> list[Row]:
    rows = []
    for n_raters in (200, 5_000):
        rng = np.random.default_rng(1)
        n_units = n_ratings // 4
        first, step = rng.integers(0, n_raters, n_units), rng.integers(1, n_raters // 4, n_units)
        rater = ((first[:, None] + np.arange(4) * step[:, None]) % n_raters).ravel()
        level = rng.integers(0, N_LEVELS, 4 * n_units)
        ratings = Ratings(np.repeat(np.arange(n_units), 4), rater, level, np.arange(1.0, 6), n_units, n_raters)
        gold = np.where(rng.random(n_units) < 0.05, rng.integers(0, N_LEVELS, n_units), -1)
        seconds, order = rng.lognormal(2, 0.5, 4 * n_units), rng.permutation(4 * n_units)
        twice = Repeats(rater[: n_units // 5], level[: n_units // 5], rng.integers(0, N_LEVELS, n_units // 5))
        ours = timed(
            lambda r=ratings, s=seconds, o=order, g=gold, t=twice: rater_table(r, seconds=s, order=o, gold=g, repeats=t)
        )
        rows.append(
            row(f"all figures of {n_raters:,} raters, {4 * n_units:,} ratings", ours, "", None, "no peer does it")
        )
    return rows


def aggregation_rows(n_ratings: int) -> list[Row]:
    n_units = n_ratings // PER_UNIT
    unit, rater, level = labels_of(n_units)
    ratings = Ratings(unit, rater, level, np.arange(1.0, 6), n_units, N_RATERS)
    ours = timed(lambda: majority_vote(unit, level, n_units=n_units, n_levels=N_LEVELS))
    theirs, note = None, "crowd-kit is not installed"
    try:
        import pandas as pd
        from crowdkit.aggregation import MajorityVote
    except ImportError:
        pass
    else:
        table = pd.DataFrame({"task": unit, "worker": rater, "label": level})
        theirs, note = timed(lambda: MajorityVote().fit_predict(table)), ""
    median = timed(lambda: unit_scores(ratings, "median"))
    grouped = timed(lambda: pd_median(unit, ratings.values[level]))
    return [
        row(f"majority vote, {n_units:,} units × 3", ours, "crowd-kit", theirs, note),
        row(f"median of each unit, {n_units:,} units × 3", median, "pandas", grouped, ""),
    ]


def pd_median(unit: NDArray[np.int64], value: NDArray[np.float64]) -> object:
    import pandas as pd

    return pd.Series(value).groupby(unit).median()


def critic_row(n_images: int) -> Row:
    """The whole report with 2,000 resamples, against resampling the claims of drawn images for precision alone."""
    audit = simulate(np.random.default_rng(2), n_images)
    ours = timed(lambda: critic_accuracy(audit, rng=np.random.default_rng(3)))
    real = audit.source == 0
    image, right = audit.image[real], (audit.verdict[real] == 0).astype(float)
    order = np.argsort(image, kind="stable")
    start = np.searchsorted(image[order], np.arange(n_images + 1))
    rng, n_slow = np.random.default_rng(4), 10

    def naive() -> None:
        for _ in range(n_slow):
            drawn = rng.integers(0, n_images, n_images)
            claims = np.concatenate([order[start[each] : start[each + 1]] for each in drawn])
            right[claims].mean()

    return row(
        f"critic report, {n_images:,} images, 2,000 resamples",
        ours,
        "loop over resamples, precision alone",
        timed(naive) * 2000 / n_slow,
        f"peer extrapolated from {n_slow} resamples",
    )


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def best_of(work: Callable[[], object]) -> float:
    """The best of up to five runs within about two seconds."""
    times = [timed(work)]
    while len(times) < 5 and sum(times) < 2:
        times.append(timed(work))
    return min(times)


def row(name: str, ours: float, peer: str, theirs: float | None, note: str) -> Row:
    ratio = None if theirs is None else theirs / ours
    return {"name": name, "ours_s": ours, "peer": peer, "peer_s": theirs, "ratio": ratio, "note": note}


def show(rows: list[Row]) -> None:
    print(f"{'what':<60} {'ours':>9} {'peer':>10} {'ratio':>8}  note")
    for each in rows:
        theirs = "" if each["peer_s"] is None else f"{each['peer_s']:.3f} s"
        ratio = "" if each["ratio"] is None else f"{each['ratio']:.3g}×"
        note = "; ".join(part for part in (each["peer"], each["note"]) if part)
        print(f"{each['name']:<60} {each['ours_s']:>7.3f} s {theirs:>10} {ratio:>8}  {note}")


if __name__ == "__main__":
    show(run(quick="--quick" in sys.argv))
