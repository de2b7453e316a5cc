"""Coverage of the critic's intervals over images next to Wilson's over claims, and of Chao's and Chapman's totals.

python -m tests.benchmarks.coverage.critic [replications, 1000 where omitted]
"""

import sys
from typing import Any

import numpy as np

from annotations.stats.critic.accuracy import critic_accuracy
from annotations.stats.critic.capture_recapture import chao2, chao_unlike, chapman
from tests.stats.critic.audits import simulate, truth_of

Row = dict[str, Any]
IMAGES = (30, 100, 300)
SETTINGS = ((1.0, 0.1), (1.0, 0.5), (0.1, 0.2))
"""False claims per image (precision 0.59 and 0.88) and how alike the errors of an image are to the critic."""


def run(replications: int = 1000) -> list[Row]:
    return [
        accuracy_row(n_images, false_claims, clustering, replications)
        for n_images in IMAGES
        for false_claims, clustering in SETTINGS
    ]


def accuracy_row(n_images: int, false_claims: float, clustering: float, replications: int) -> Row:
    """Shares of replications whose 95% interval holds the truth."""
    truth = truth_of(false_claims)
    rng = np.random.default_rng(20_260_101)
    names = ("precision", "recall", "f1", "recall_corrected", "above_control", "wilson_precision", "wilson_recall")
    covered = dict.fromkeys(names, 0)
    for _ in range(replications):
        audit = simulate(rng, n_images, false_claims=false_claims, clustering=clustering)
        report = critic_accuracy(audit, rng=rng, n_resamples=500, n_permutations=1)
        row, control = report.overall, report.above_control
        intervals = (
            (row.precision.interval("images"), truth.precision),
            (row.recall.interval("images"), truth.recall),
            (row.f1.interval("images"), truth.f1),
            (row.recall_corrected.interval("images"), truth.recall_of_all),
            (None if control is None else control.difference.interval("images"), truth.above_control),
            (row.precision.interval("claims"), truth.precision),
            (row.recall.interval("errors"), truth.recall),
        )
        for name, (interval, true) in zip(names, intervals, strict=True):
            covered[name] += interval is not None and interval.low <= true <= interval.high
    shares = {name: count / replications for name, count in covered.items()}
    return {"images": n_images, "precision_is": truth.precision, "clustering": clustering} | shares


def capture_rows(replications: int = 1000) -> list[Row]:
    """Totals of 300 errors: mean of the estimate and coverage, with lists alike, unlike, and errors unlike."""
    n_errors, rows = 300, []
    chances = {
        "3 lists at 0.5": np.full((1, 3), 0.5),
        "3 lists at 0.3, 0.6, 0.6": np.array([[0.3, 0.6, 0.6]]),
        "3 lists at 0.3, 0.5, 0.7": np.array([[0.3, 0.5, 0.7]]),
        "5 lists at 0.3": np.full((1, 5), 0.3),
        "2 lists at 0.3, 0.7": np.array([[0.3, 0.7]]),
    }
    for unlike in (False, True):
        for name, chance in chances.items():
            rng = np.random.default_rng(5)
            found: dict[str, list[tuple[float, bool]]] = {"chao2": [], "chao_unlike": [], "chapman": []}
            for _ in range(replications):
                # Unlike errors: half as easy and one and a half times as easy.
                ease = rng.choice([0.5, 1.4], (n_errors, 1)) if unlike else 1.0
                lists = rng.random((n_errors, chance.shape[1])) < np.minimum(chance * ease, 1)
                captures, n_lists = lists.sum(axis=1), lists.shape[1]
                results = {
                    "chao2": chao2(captures, n_lists=n_lists),
                    "chao_unlike": chao_unlike(captures, lists[:, 0], n_lists=n_lists),
                }
                if n_lists == 2:
                    results["chapman"] = chapman(*map(int, lists.sum(axis=0)), int(lists.all(axis=1).sum()))
                for method, result in results.items():
                    interval = result.total.interval("errors")
                    inside = interval is not None and interval.low <= n_errors <= interval.high
                    found[method].append((result.total.value, inside))
            for method, pairs in found.items():
                if pairs:
                    mean, coverage = np.mean(pairs, axis=0)
                    errors = "errors unlike" if unlike else "errors alike"
                    rows.append({"lists": name, "errors": errors, "method": method, "mean": mean, "coverage": coverage})
    return rows


def show(rows: list[Row]) -> None:
    print(" | ".join(rows[0]))
    for each in rows:
        print(" | ".join(f"{value:.3f}" if isinstance(value, float) else str(value) for value in each.values()))


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    show(run(count))
    print()
    show(capture_rows(count))
