"""The complete analysis of a million ratings with ten metrics, from files to the report: seconds and peak memory.

    python -m tests.benchmarks.stats.whole_analysis [--ratings 1000000]

Next to it, in the same run, the named alternative for one figure of it: `krippendorff`'s ordinal alpha without an
interval, on the same ratings.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from math import isnan, nan
from pathlib import Path

import numpy as np

RATERS, RATERS_A_UNIT, METRICS, METHODS = 20, 3, 10, 4


def write_files(folder: Path, n_ratings: int) -> int:
    """ratings.csv, items.csv and metrics.csv of a made-up study; returns the number of items."""
    rng = np.random.default_rng(0)
    n_units = n_ratings // RATERS_A_UNIT
    quality = rng.normal(size=n_units)
    unit = np.repeat(np.arange(n_units), RATERS_A_UNIT)
    rater = (rng.integers(0, RATERS, n_units)[:, None] + np.arange(RATERS_A_UNIT)).ravel() % RATERS
    latent = quality[unit] + rng.normal(0, 0.3, RATERS)[rater] + rng.normal(0, 0.7, len(unit))
    level = np.clip(np.digitize(latent, [-1.2, -0.4, 0.4, 1.2]) + 1, 1, 5)
    with (folder / "ratings.csv").open("w") as file:
        file.write("item,rater,dimension,value\n")
        file.writelines(f"i{u},r{r},match,{v}\n" for u, r, v in zip(unit, rater, level, strict=True))
    with (folder / "items.csv").open("w") as file:
        file.write("item,prompt_id,method\n")
        file.writelines(f"i{u},p{u // METHODS},m{u % METHODS}\n" for u in range(n_units))
    with (folder / "metrics.csv").open("w") as file:
        file.write("item,metric,value\n")
        for metric in range(METRICS):
            scores = quality + rng.normal(0, 0.5 + metric / 3, n_units)
            file.writelines(f"i{u},metric{metric},{score:.5f}\n" for u, score in enumerate(scores))
    return n_units


def krippendorff_s(folder: Path, n_units: int) -> float:
    import krippendorff

    table = np.full((RATERS, n_units), np.nan)
    with (folder / "ratings.csv").open() as file:
        next(file)
        for line in file:
            item, rater, _, value = line.split(",")
            table[int(rater[1:]), int(item[1:])] = float(value)
    began = time.perf_counter()
    krippendorff.alpha(reliability_data=table, level_of_measurement="ordinal", value_domain=[1, 2, 3, 4, 5])
    return time.perf_counter() - began


@dataclass(frozen=True)
class Whole:
    """What one analysis took, and the named alternative for one figure of it."""

    words: str
    seconds: float
    peak_mb: float
    krippendorff_s: float
    taken_share: float
    """Of the processors' time meanwhile, what the host of a virtual machine gave to others; NaN where unknown."""

    @property
    def taken(self) -> str:
        return "" if isnan(self.taken_share) else f"; the host took {self.taken_share:.0%} of the processors away"


def measure(n_ratings: int) -> Whole:
    """The analysis in a process of its own. The peak is that of the largest child of this process so far."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        n_units = write_files(folder, n_ratings)
        command = [sys.executable, "manage.py", "analyze", "--scale", "1-5", "--out", str(folder / "out")]
        for kind in ("ratings", "items", "metrics"):
            command += [f"--{kind}", str(folder / f"{kind}.csv")]
        began, taken = time.perf_counter(), taken_s()
        subprocess.run(
            [*command, "--compare", "m0:m1"],
            check=True,
            cwd=Path(__file__).resolve().parents[3],
            stdout=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - began
        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        words = f"{n_ratings:,} ratings of {n_units:,} items, {METRICS} metrics"
        share = (taken_s() - taken) / (seconds * (os.cpu_count() or 1))
        return Whole(words, seconds, peak_mb, krippendorff_s(folder, n_units), share)


def taken_s() -> float:
    """Seconds of all processors that a virtual machine's host has given to others since it started ("steal")."""
    counts = Path("/proc/stat")
    if not counts.exists():
        return nan
    return int(counts.read_text().split()[8]) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description="The whole analysis of many ratings.")
    parser.add_argument("--ratings", type=int, default=1_000_000)
    found = measure(parser.parse_args().ratings)
    alone = found.krippendorff_s
    print(f"{found.words}: {found.seconds:.1f} s, peak {found.peak_mb:.0f} MB{found.taken}")
    print(
        f"krippendorff, one alpha without interval: {alone:.2f} s; "
        f"the whole analysis is {found.seconds / alone:.1f} times that"
    )


if __name__ == "__main__":
    main()
