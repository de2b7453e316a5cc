"""How fast the statistics are compared with their peers, in one run, with the aim next to every row.

    python -m tests.benchmarks.stats [--quick] [--without-analysis]

Peers: krippendorff, pingouin, SciPy, statsmodels, crowd-kit, choix, and the published algorithms of mt-metrics-eval
(Google Research, 2021–2024) written plainly anew. A peer that would take hours is measured on less and scaled, which
its row says; one that is not installed leaves its ratio open. Aims are our own seconds, or a ratio to a peer of the
same run. Seconds that were measured on another machine of two shared cores are good to a factor of two; a row that
misses them by less says "near". Set OPENBLAS_NUM_THREADS=1 where something else is running.
`--quick` takes the smaller sizes only; aims for larger ones are then listed as not measured. Exits with 1 on a miss.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from math import isnan, nan
from typing import Any

from tests.benchmarks.stats import agreement as stats_agreement
from tests.benchmarks.stats import comparison as stats_comparison
from tests.benchmarks.stats import metrics as stats_metrics
from tests.benchmarks.stats import preferences as stats_preferences
from tests.benchmarks.stats import raters as stats_raters
from tests.benchmarks.stats import whole_analysis

Row = dict[str, Any]


@dataclass(frozen=True)
class Aim:
    """What one row must reach: at most `seconds`, or at least `ratio` times as fast as its peer.

    tolerance   what a miss by less is called "near" for: 2 for seconds measured elsewhere, 1 for aims of our own
    """

    seconds: float = nan
    ratio: float = nan
    tolerance: float = 1.0

    @property
    def words(self) -> str:
        return f"≥ {self.ratio:,.3g}×" if isnan(self.seconds) else f"≤ {self.seconds:.3g} s"

    def verdict(self, row: Row) -> str:
        """ "pass", "near", "FAIL", or "no peer" where the ratio cannot be had."""
        if not isnan(self.seconds):
            excess = row["ours_s"] / self.seconds
        elif row["ratio"] is None or isnan(row["ratio"]):
            return "no peer"
        else:
            excess = self.ratio / row["ratio"]
        return "pass" if excess <= 1 else "near" if excess <= self.tolerance else "FAIL"


def elsewhere(seconds: float) -> Aim:
    """A time of earlier code of our own, measured on another machine."""
    return Aim(seconds=seconds, tolerance=2.0)


AIMS = {
    "ordinal alpha + 1,000 resamples, 1,000,000 × 20": Aim(ratio=5000),
    "the same against its floor": Aim(ratio=1 / 3),
    "rater jackknife of ordinal alpha, 100,000 × 200": elsewhere(0.15),
    "rater jackknife of ordinal alpha, 1,000,000 × 200": Aim(seconds=2),
    "ICC, 1,000 units × 3 complete": elsewhere(0.08e-3),
    "ICC, 10,000 units × 3 complete": elsewhere(0.57e-3),
    "ICC, 100,000 units × 3 complete": elsewhere(11e-3),
    "ICC, 1,000,000 units × 3 complete": elsewhere(83e-3),
    "Dawid–Skene, 100 iterations, 1,000 units × 3": elsewhere(14e-3),
    "Dawid–Skene, 100 iterations, 10,000 units × 3": elsewhere(0.17),
    "Dawid–Skene, 100 iterations, 100,000 units × 3": elsewhere(2.7),
    "Dawid–Skene, 100 iterations, 1,000,000 units × 3": elsewhere(23),
    "pairwise accuracy, ε = 0.1, 10,000 units": elsewhere(1.3e-3),
    "pairwise accuracy, ε = 0.1, 1,000,000 units": elsewhere(0.23),
    "exact tie calibration, 1,000 items × 10 systems": elsewhere(75e-3),
    "exact tie calibration, 10,000 items × 10 systems": elsewhere(0.79),
    "PERM-BOTH, Pearson, 1,000 permutations, 1,000 units in 10s": elsewhere(1.4e-3),
    "PERM-BOTH, Pearson, 1,000 permutations, 10,000 units in 10s": elsewhere(40e-3),
    "PERM-BOTH, Pearson, 1,000 permutations, 100,000 units in 10s": elsewhere(0.26),
    "strengths with intervals, 1,000,000 votes on 100 methods": Aim(seconds=10),
}
"""By the name of the row."""
MOST_SECONDS, MOST_MB = 20.0, 1000.0
"""Aims for the complete analysis of a million ratings with ten metrics."""


def parts(*, quick: bool) -> Iterator[tuple[str, Callable[[], Iterable[Row]]]]:
    """Headings and what measures their rows."""
    if quick:
        yield "Agreement", lambda: _smaller(stats_agreement.alpha_rows())
        yield "Intraclass correlations", lambda: _smaller(stats_agreement.icc_rows())
    else:
        yield "Agreement", stats_agreement.alpha_rows
        yield "Over raters", stats_agreement.interval_rows
        yield "Intraclass correlations", stats_agreement.icc_rows
        yield "Everything about agreement at once", stats_agreement.whole_rows
    yield "Metrics against people", lambda: stats_metrics.run(quick=quick)
    yield "Raters, Dawid–Skene, critic", lambda: stats_raters.run(quick=quick)
    if not quick:
        yield "Two methods compared", stats_comparison.run
        yield "Votes", stats_preferences.run


def _smaller(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows until the first of 100,000 units, which is measured before it is known; they come in ascending order."""
    return takewhile(lambda row: "100,000 " not in row["name"], rows)


def show(row: Row) -> str:
    """Prints one row; returns its verdict, empty where nothing was aimed at."""
    aim = AIMS.get(row["name"])
    verdict = "" if aim is None else aim.verdict(row)
    ratio, peer_s = (nan if row[key] is None else row[key] for key in ("ratio", "peer_s"))
    beside = "" if isnan(peer_s) else f"{peer_s:.4g} s"
    times = "" if isnan(ratio) else f"{ratio:,.3g}×"
    told = "; ".join(part for part in (row["peer"], row["note"]) if part and part != "none")
    aimed = "" if aim is None else f"{aim.words} {verdict}"
    print(f"{row['name']:<78.78} {row['ours_s']:>9.4f} s {beside:>12} {times:>9}  {aimed:<16} {told}", flush=True)
    return verdict


def analysis(n_ratings: int, *, aimed: bool) -> list[str]:
    """The whole analysis from files to report; verdicts on its seconds and memory where the size is the aimed one."""
    found = whole_analysis.measure(n_ratings)
    checks = (("s", found.seconds, MOST_SECONDS), ("MB at the peak", found.peak_mb, MOST_MB))
    verdicts = ["pass" if value < most else "FAIL" for _, value, most in checks] if aimed else []
    said = [f"{value:,.1f} {unit}" for unit, value, _ in checks]
    if aimed:
        said = [
            f"{words} (< {most:,.0f} {verdict})"
            for words, (_, _, most), verdict in zip(said, checks, verdicts, strict=True)
        ]
    print(
        f"{found.words}: {', '.join(said)}; one alpha by krippendorff takes {found.krippendorff_s:.2f} s{found.taken}"
    )
    sys.stdout.flush()
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the smaller sizes only")
    parser.add_argument("--without-analysis", action="store_true", help="leave the whole analysis out")
    options = parser.parse_args()
    began = time.perf_counter()
    verdicts: list[str] = []
    measured: set[str] = set()
    if not options.without_analysis:
        # First, while this process is small: a child's peak counts what its parent held when it was forked.
        print("The complete analysis, `manage.py analyze` with one comparison")
        n_ratings = 30_000 if options.quick else 1_000_000
        verdicts += analysis(n_ratings, aimed=not options.quick)
    print(f"\n{'':<78} {'ours':>11} {'peer':>12} {'ratio':>9}  {'aim':<16} peer; note")
    for heading, measure in parts(quick=options.quick):
        print(f"\n{heading}")
        for row in measure():
            measured.add(row["name"])
            verdicts.append(show(row))
    left = [name for name in AIMS if name not in measured]
    if left:
        print(f"\nnot measured: {'; '.join(left)}")
    counts = {word: verdicts.count(word) for word in ("pass", "near", "FAIL", "no peer")}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    print(f"\n{told} of {sum(counts.values())} aims; {time.perf_counter() - began:.0f} s in all")
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main())
