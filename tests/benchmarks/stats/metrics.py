"""People against metrics: τ-b, pairwise accuracy, tie calibration, permutations, intervals and the whole table in one.

python -m tests.benchmarks.stats.metrics [--quick]

The peers are SciPy, and the published algorithms of mt-metrics-eval (Google Research, 2021–2024) written plainly
anew: all pairs in matrices for a width of ties, a Python object for every pair in calibration, and one correlation
after another in the permutation test. Where a peer would take hours it is measured on fewer units, permutations or
resamples and scaled, which the note says.
"""

import itertools
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from annotations.stats.exact_means import unit_means
from annotations.stats.metrics.correlation import Paired
from annotations.stats.metrics.influence import kendall_tau_b
from annotations.stats.metrics.pair_counts import count_pairs, unit_pairs
from annotations.stats.metrics.pairwise import calibrate
from annotations.stats.metrics.permutation import correlation_differences
from annotations.stats.metrics.prompt_intervals import Clusters, linearised_interval
from annotations.stats.metrics.table import metric_table
from annotations.stats.ratings import Ratings

Row = dict[str, Any]


def run(*, quick: bool = False) -> list[Row]:
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000, 1_000_000)
    return [
        *tau_rows(sizes),
        *width_rows(sizes),
        *calibration_rows((100, 1_000) if quick else (100, 1_000, 10_000, 100_000)),
        *permutation_rows((1_000, 10_000) if quick else (1_000, 10_000, 100_000)),
        *interval_rows((1_000, 10_000) if quick else (1_000, 10_000, 100_000, 330_000)),
        board_row(10_000 if quick else 330_000),
    ]


def scores_of(n: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sums of three answers on 1–5, and a metric without ties that follows them."""
    rng = np.random.default_rng(0)
    latent = rng.normal(size=n)
    human = np.clip(np.rint(latent[:, None] + 3 + rng.normal(size=(n, 3))), 1, 5).sum(axis=1).astype(np.int64)
    return human, latent + rng.normal(size=n)


def tau_rows(sizes: tuple[int, ...]) -> list[Row]:
    rows = []
    for n in sizes:
        human, metric = scores_of(n)
        ours = best_of(lambda h=human, m=metric: tau_b(h, m))
        peer = best_of(lambda h=human, m=metric: scipy.stats.kendalltau(h, m))
        rows.append(row(f"τ-b, {n:,} units", ours, "scipy.stats.kendalltau", peer))
        each = best_of(lambda h=human, m=metric: kendall_tau_b(unit_pairs(h, m)))
        rows.append(row(f"τ-b with every unit's influence, {n:,} units", each, "scipy.stats.kendalltau", peer))
    return rows


def tau_b(human: NDArray[np.int64], metric: NDArray[np.float64]) -> float:
    c = count_pairs(human, metric)
    untied = c.concordant + c.discordant
    return (c.concordant - c.discordant) / ((untied + c.tied_human) ** 0.5 * (untied + c.tied_metric) ** 0.5)


def width_rows(sizes: tuple[int, ...]) -> list[Row]:
    rows, last = [], (0, 0.0)
    for n in sizes:
        human, metric = scores_of(n)
        ours = best_of(lambda h=human, m=metric: count_pairs(h, m, epsilon=0.1))
        if n <= 2_000:
            peer = best_of(lambda h=human, m=metric: matrix_accuracy(h, m, 0.1))
            last, note = (n, peer), ""
        else:
            peer, note = last[1] * (n / last[0]) ** 2, f"peer scaled from {last[0]:,} units by n²"
        rows.append(row(f"pairwise accuracy, ε = 0.1, {n:,} units", ours, "all pairs in matrices", peer, note))
    return rows


def matrix_accuracy(human: NDArray[np.int64], metric: NDArray[np.float64], epsilon: float) -> float:
    apart = metric[:, None] - metric[None, :]
    apart[np.abs(apart) <= epsilon] = 0.0
    rise = human[:, None] - human[None, :]
    concordant = (((apart > 0) & (rise > 0)) | ((apart < 0) & (rise < 0))).sum() / 2
    tied = (((apart == 0) & (rise == 0)).sum() - len(human)) / 2
    return float((concordant + tied) / (len(human) * (len(human) - 1) / 2))


def calibration_rows(sizes: tuple[int, ...]) -> list[Row]:
    rows, last = [], (0, 0.0)
    for items in sizes:
        human, metric = scores_of(items * 10)
        group = np.repeat(np.arange(items), 10)
        ours = best_of(lambda h=human, m=metric, g=group: calibrate(h, m, group=g))
        if items <= 1_000:
            peer = once(lambda h=human, m=metric: pair_by_pair(h.reshape(-1, 10), m.reshape(-1, 10)))
            last, note = (items, peer), ""
        else:
            peer, note = last[1] * items / last[0], f"peer scaled from {last[0]:,} items"
        rows.append(row(f"exact tie calibration, {items:,} items × 10 systems", ours, "pair by pair", peer, note))
    return rows


@dataclass
class _Counts:
    right: int = 0
    pairs: int = 0

    def accuracy(self) -> float:
        return self.right / self.pairs


def pair_by_pair(human: NDArray[np.int64], metric: NDArray[np.float64]) -> tuple[float, float]:
    """Every pair an entry of a list sorted by its difference; each in turn becomes a tie, and the mean is updated."""
    counts = [_Counts() for _ in human]
    listed = []
    for item, (h, m) in enumerate(zip(human.tolist(), metric.tolist(), strict=True)):
        for i, j in itertools.combinations(range(len(h)), 2):
            right = (h[i] > h[j]) - (h[i] < h[j]) == (m[i] > m[j]) - (m[i] < m[j])
            counts[item].right += right
            counts[item].pairs += 1
            listed.append((abs(m[i] - m[j]), item, int(right), int(h[i] == h[j])))
    total = sum(one.accuracy() for one in counts)
    widths, accuracies = [0.0], [total / len(counts)]
    for width, item, right, tied in sorted(listed):
        total -= counts[item].accuracy()
        counts[item].right += tied - right
        total += counts[item].accuracy()
        if widths[-1] == width:
            accuracies[-1] = total / len(counts)
        else:
            widths.append(width)
            accuracies.append(total / len(counts))
    best = int(np.argmax(accuracies))
    return widths[best], accuracies[best]


def permutation_rows(sizes: tuple[int, ...]) -> list[Row]:
    rows = []
    for n in sizes:
        human, first = scores_of(n)
        second = first + np.random.default_rng(1).normal(size=n)
        prompt, method = np.repeat(np.arange(n // 10), 10), np.tile(np.arange(10), n // 10)
        clusters, h, both = Clusters.of(prompt, n), human.astype(float), np.stack([first, second])
        peer = once(lambda a=first, b=second, x=h: one_by_one(x, a, b, 10)) * 100
        for what, codes in (("PERM-BOTH", method), ("exchanging prompts", None)):
            ours = best_of(
                lambda x=h, s=both, c=clusters, m=codes: correlation_differences(
                    x, s, c, m, rng=np.random.default_rng(2), n_permutations=1000
                )
            )
            note = "peer scaled from 10 permutations"
            name = f"{what}, Pearson, 1,000 permutations, {n:,} units in 10s"
            rows.append(row(name, ours, "a correlation at a time", peer, note))
    return rows


def one_by_one(human: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], k: int) -> float:
    rng = np.random.default_rng(3)
    a, b = scipy.stats.zscore(a), scipy.stats.zscore(b)

    def difference(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        return float(scipy.stats.pearsonr(x, human)[0] - scipy.stats.pearsonr(y, human)[0])

    observed, reached = difference(b, a), 0
    for _ in range(k):
        w = rng.binomial(1, 0.5, len(a))
        reached += difference((1 - w) * a + w * b, w * a + (1 - w) * b) >= observed
    return reached / k


def interval_rows(sizes: tuple[int, ...]) -> list[Row]:
    """All five item-level intervals over prompts, against re-ranking Spearman alone in 1,000 resamples."""
    rows = []
    for n in sizes:
        human, metric = scores_of(n)
        means = unit_means(Ratings.from_matrix([human], [float(v) for v in range(3, 16)]))
        prompt = np.repeat(np.arange(n // 5), 5)

        def ours(means: Any = means, metric: Any = metric, prompt: Any = prompt) -> None:
            data = Paired.of(means, metric, prompt)
            for statistic in data.linearised().values():
                linearised_interval(statistic, data.clusters, scale="fisher z")

        units = prompt_resample(n // 5, np.random.default_rng(4))
        peer = 1000 * best_of(lambda h=human, m=metric, u=units: scipy.stats.spearmanr(h[u], m[u]))
        rows.append(
            row(
                f"five intervals over prompts, {n:,} units",
                best_of(ours),
                "1,000 × scipy.stats.spearmanr",
                peer,
                "peer scaled from 1 resample; Spearman alone",
            )
        )
    return rows


def prompt_resample(n_prompts: int, rng: np.random.Generator) -> NDArray[np.int64]:
    drawn = rng.integers(0, n_prompts, n_prompts)
    return (drawn[:, None] * 5 + np.arange(5)).ravel()


def board_row(n: int) -> Row:
    """Ten metrics, five methods, 20 raters of whom three rated each image: the whole table."""
    rng = np.random.default_rng(0)
    prompts = n // 5
    latent = np.repeat(rng.normal(size=prompts), 5) * 0.6 + rng.normal(size=n)
    rater = (rng.integers(0, 20, n)[:, None] + np.array([0, 7, 13])) % 20
    level = np.clip(np.rint(latent[:, None] + 2 + 0.7 * rng.normal(size=(n, 3))), 0, 4).astype(np.int64)
    human = Ratings(np.repeat(np.arange(n), 3), rater.ravel(), level.ravel(), np.arange(1.0, 6.0), n, 20)
    scores = np.stack([latent * k / 10 + rng.normal(size=n) for k in range(1, 11)])
    names = [f"metric {k}" for k in range(10)]
    prompt, method = np.repeat(np.arange(prompts), 5), np.tile(np.arange(5), prompts)
    ours = once(
        lambda: metric_table(
            human, scores, metric_names=names, prompt=prompt, method=method, rng=np.random.default_rng(1)
        )
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    note = f"peak memory of this process {peak:.2f} GB, its other benchmarks included"
    return row(f"the whole table, 10 metrics × {n:,} units, {3 * n:,} ratings", ours, "", float("nan"), note)


def once(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def best_of(work: Callable[[], object]) -> float:
    """The best of up to three runs within about two seconds."""
    times = [once(work)]
    while len(times) < 3 and sum(times) < 2:
        times.append(once(work))
    return min(times)


def row(name: str, ours: float, peer: str, peer_s: float, note: str = "") -> Row:
    return {"name": name, "ours_s": ours, "peer": peer, "peer_s": peer_s, "ratio": peer_s / ours, "note": note}


def main() -> None:
    print(f"{'what':<78}{'ours':>10}{'peer':>12}{'ratio':>11}  peer; note")
    for one in run(quick="--quick" in sys.argv):
        told = "; ".join(part for part in (one["peer"], one["note"]) if part)
        print(f"{one['name']:<78}{one['ours_s']:>9.4f}s{one['peer_s']:>11.4g}s{one['ratio']:>11.3g}  {told}")


if __name__ == "__main__":
    main()
