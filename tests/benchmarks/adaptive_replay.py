"""Replays real ratings under adaptive assignment and under plain assignment, and prints what is saved.

    python -m tests.benchmarks.adaptive_replay FOLDER [--replays 200]

FOLDER holds `dsg_tifa160/ratings.csv` (item, rater, dimension, value; items are named `method|prompt`),
`preferences/bt_citations/citations.csv` (winner, loser, count) and `preferences/bt_pudding_ties/pudding.csv`.
Fleiss' diagnoses are in `tests/stats/reference_data.py`. Nothing is written. docs/methods/adaptive.md has the figures.

A replay draws the order in which an item's own raters, or a pair's own prompts, come. So the spread over replays is
the Monte-Carlo error of the saving on *these* data; it says nothing about other data.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from annotations.stats.adaptive.close_pairs import PairRule, pair_state
from annotations.stats.adaptive.consensus import Consensus, Rule, consensus, is_disputed
from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.distributions import normal_quantile
from tests.stats.reference_data import FLEISS_1971

MOST_PROMPTS = 160
"""A pair with more votes than this is replayed on a random draw of this many."""


@dataclass(frozen=True)
class Saving:
    """What share of the ratings is saved on average, its Monte-Carlo standard error, and ratings per item or pair."""

    share: float
    error: float
    n_plain: float
    n_adaptive: float

    def __str__(self) -> str:
        return f"{self.n_adaptive:7.2f} instead of {self.n_plain:7.2f}: {self.share:+.1%} (± {self.error:.1%})"


def saving_of(plain: Sequence[float], adaptive: Sequence[float]) -> Saving:
    """The mean over replays of 1 − adaptive/plain."""
    shares = [1 - few / many for many, few in zip(plain, adaptive, strict=True)]
    return Saving(mean(shares), stdev(shares) / len(shares) ** 0.5, mean(plain), mean(adaptive))


def level_counts(ratings: IntArray, n_levels: int) -> IntArray:
    """(n_items, n_levels) how many of the raters (n_items, n_raters) chose each level."""
    return np.stack([(ratings == level).sum(axis=1) for level in range(n_levels)], axis=1)


def ratings_needed(
    ratings: IntArray, n_levels: int, *, base: int, rule: Rule, kind: Consensus = "majority", distance: int = 1
) -> IntArray:
    """(n_items,) how many of the raters, taken from the left, the rule asks; the cap is all of them."""
    n_items, cap = ratings.shape
    needed = np.full(n_items, base)
    for n in range(base, cap):
        counts, left = level_counts(ratings[:, :n], n_levels), np.full(n_items, cap - n)
        goes_on = is_disputed(counts, left, rule=rule, kind=kind, distance=distance)
        needed[(needed == n) & goes_on] = n + 1
    return needed


def replay_consensus(
    ratings: IntArray, n_levels: int, *, base: int, kind: Consensus, replays: int, rng: np.random.Generator
) -> Saving:
    """The cap for every item against "open". Each replay checks that every consensus, so every interval, is equal."""
    cap = ratings.shape[1]
    adaptive = []
    for _replay in range(replays):
        drawn = rng.permuted(ratings, axis=1)
        needed = ratings_needed(drawn, n_levels, base=base, rule="open", kind=kind)
        asked = np.where(np.arange(cap) < needed[:, np.newaxis], drawn, -1)
        found, full = (consensus(level_counts(some, n_levels), kind) for some in (asked, drawn))
        if not np.array_equal(found, full, equal_nan=True):
            raise AssertionError("a rater who was not asked would have changed a consensus")
        adaptive.append(float(needed.mean()))
    return saving_of([cap] * replays, adaptive)


def labels_changed(
    ratings: IntArray, n_levels: int, *, n: int, kind: Consensus, replays: int, rng: np.random.Generator
) -> float:
    """The share of items whose consensus of n raters, drawn at random, is not the one of all raters."""
    full = consensus(level_counts(ratings, n_levels), kind)
    shares = []
    for _replay in range(replays):
        few = consensus(level_counts(rng.permuted(ratings, axis=1)[:, :n], n_levels), kind)
        shares.append(float(np.mean(~((few == full) | (np.isnan(few) & np.isnan(full))))))
    return mean(shares)


def replay_means(
    ratings: IntArray, n_levels: int, *, base: int, distance: int, replays: int, rng: np.random.Generator
) -> tuple[Saving, float]:
    """The plain number of raters that makes item means as exact as "differ" does, against the raters "differ" asks.

    A mean of m raters has the error variance v/m, v being the mean variance within items; the width of an interval
    for a mean over items grows with this error alone, whatever the items' own spread. Raters are drawn with
    replacement from an item's own. Also returns the bias of the mean over items, in levels.
    """
    cap = ratings.shape[1]
    truth, within = ratings.mean(axis=1), float(ratings.var(axis=1).mean())
    plain, adaptive, biases = [], [], []
    for _replay in range(replays):
        drawn = np.take_along_axis(ratings, rng.integers(0, cap, ratings.shape), axis=1)
        needed = ratings_needed(drawn, n_levels, base=base, rule="differ", distance=distance)
        asked = np.arange(cap) < needed[:, np.newaxis]
        error = np.where(asked, drawn, 0).sum(axis=1) / needed - truth
        plain.append(within / float(np.mean(error**2)))
        adaptive.append(float(needed.mean()))
        biases.append(float(error.mean()))
    return saving_of(plain, adaptive), mean(biases)


@dataclass(frozen=True)
class PairReplay:
    """What came of close pairs' further prompts.

    wrong  the share of decisions whose sign is not the one of all prompts
    """

    saving: Saving
    n_decided: float
    n_pairs: int
    wrong: float


def replay_pairs(
    differences: Sequence[FloatArray], *, n_looks: int, alpha: float, replays: int, rng: np.random.Generator
) -> PairReplay:
    """All prompts for every pair, analysed once, against further prompts for close pairs alone.

    differences  by pair of methods, one per prompt; every pair goes up to the smallest number of prompts, or
                 `MOST_PROMPTS`
    An interval after several looks is wider than one after a single look at the same error rate. So the plain study
    gets only as many prompts as it needs for the width that a close pair has at its last look. Both have the error
    rate alpha over all pairs (Bonferroni).
    """
    n = min(MOST_PROMPTS, *(len(pair) for pair in differences))
    rule = PairRule(tuple(round(n * (look + 1) / n_looks) for look in range(n_looks)), len(differences), alpha)
    widths = normal_quantile(1 - np.array([alpha / len(differences), rule.nominal_p[-1]]) / 2)
    n_plain = n * float(widths[0] / widths[1]) ** 2
    adaptive, decided, wrong = [], [], []
    for _replay in range(replays):
        states = [pair_state(rng.permutation(pair)[:n], rule) for pair in differences]
        adaptive.append(mean(state.n for state in states))
        decided.append(sum(state.is_decided for state in states))
        wrong += [
            state.mean * pair.mean() < 0 for state, pair in zip(states, differences, strict=True) if state.is_decided
        ]
    share_wrong = float(np.mean(wrong)) if wrong else 0.0
    return PairReplay(saving_of([n_plain] * replays, adaptive), mean(decided), len(differences), share_wrong)


def complete_ratings(rows: Iterable[Mapping[str, str]], dimension: str) -> tuple[list[str], IntArray]:
    """The items that all raters of a question rated, and their levels (n_items, n_raters), from 0 for "1"."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in rows:
        if row["dimension"] == dimension:
            found[row["item"]][row["rater"]] = int(float(row["value"])) - 1
    raters = sorted({rater for given in found.values() for rater in given})
    items = [item for item, given in found.items() if len(given) == len(raters)]
    return items, np.array([[found[item][rater] for rater in raters] for item in items])


def prompt_differences(items: Sequence[str], ratings: IntArray) -> list[FloatArray]:
    """By pair of methods, the differences of mean ratings on the prompts that every method has, in levels."""
    means: dict[str, dict[str, float]] = defaultdict(dict)
    for item, given in zip(items, ratings, strict=True):
        method, prompt = item.split("|")
        means[method][prompt] = float(given.mean())
    prompts = sorted(set.intersection(*(set(by_prompt) for by_prompt in means.values())))
    values = {method: np.array([by_prompt[prompt] for prompt in prompts]) for method, by_prompt in means.items()}
    return [values[first] - values[second] for first, second in combinations(sorted(values), 2)]


def counted_votes(rows: Iterable[Mapping[str, str]]) -> list[FloatArray]:
    """By pair of competitors, its votes −1, 0 and 1 from counts (winner, loser, count or Davidson's columns)."""
    won: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        if "w_ij" in row:
            votes = [1.0] * int(row["w_ij"]) + [-1.0] * int(row["w_ji"]) + [0.0] * int(row["t_ij"])
            won[row["i"], row["j"]] += votes
        elif row["winner"] != row["loser"]:
            first, second = sorted((row["winner"], row["loser"]))
            won[first, second] += [1.0 if row["winner"] == first else -1.0] * int(row["count"])
    return [np.array(votes) for votes in won.values()]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def report(folder: Path, *, replays: int) -> Iterator[str]:
    """The lines that the command prints."""
    rng = np.random.default_rng(13)
    items, ratings = complete_ratings(read(folder / "dsg_tifa160" / "ratings.csv"), "consistency")
    n_levels, cap = int(ratings.max()) + 1, ratings.shape[1]
    yield f"{len(items)} images of DSG/TIFA160 with {cap} raters each; 30 patients of Fleiss with 6. {replays} replays."
    yield "Same consensus, so same intervals, as the cap for every item: ratings per item"
    agreed = (ratings >= 3).astype(np.int64)
    diagnoses = FLEISS_1971.T.astype(np.int64) - 1
    replayed: tuple[tuple[str, IntArray, int, int, Consensus], ...] = (
        ("DSG, rated 4 or 5: majority", agreed, 2, 2, "majority"),
        ("DSG, five levels: median", ratings, n_levels, 2, "median"),
        ("DSG, five levels: majority", ratings, n_levels, 2, "majority"),
        ("Fleiss, five diagnoses: majority", diagnoses, 5, 2, "majority"),
    )
    for name, of, levels, base, kind in replayed:
        saving = replay_consensus(of, levels, base=base, kind=kind, replays=replays, rng=rng)
        changed = labels_changed(of, levels, n=3, kind=kind, replays=replays, rng=rng)
        yield f"  {name:34} {saving}; three raters each would change {changed:.1%} of the items"
    yield "Same exactness of means: ratings per item"
    for base, distance in ((2, 1), (2, 2), (3, 1), (3, 2)):
        saving, bias = replay_means(ratings, n_levels, base=base, distance=distance, replays=replays, rng=rng)
        yield f"  DSG, base {base}, differ by {distance}           {saving}; bias {bias:+.4f} levels"
    yield "Same width for every pair of methods that is still open at the end: prompts per pair"
    for name, pairs in (
        ("DSG, mean ratings", prompt_differences(items, ratings)),
        ("Journals' citations", counted_votes(read(folder / "preferences" / "bt_citations" / "citations.csv"))),
        ("Puddings with ties", counted_votes(read(folder / "preferences" / "bt_pudding_ties" / "pudding.csv"))),
    ):
        for n_looks in (4, 8):
            played = replay_pairs(pairs, n_looks=n_looks, alpha=0.05, replays=replays, rng=rng)
            yield (
                f"  {name:20} {n_looks} looks      {played.saving}; "
                f"decided {played.n_decided:.1f} of {played.n_pairs}, {played.wrong:.1%} of them against all prompts"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description="Replays real ratings under adaptive and under plain assignment.")
    parser.add_argument("folder", type=Path, help="where dsg_tifa160/ and preferences/ are")
    parser.add_argument("--replays", type=int, default=200)
    options = parser.parse_args()
    for line in report(options.folder, replays=options.replays):
        print(line)


if __name__ == "__main__":
    main()
