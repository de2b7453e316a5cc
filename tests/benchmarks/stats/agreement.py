"""Speed of agreement and its intervals, against the packages that people use.

Run: python -m tests.benchmarks.stats.agreement

Ratings: units with 2, 3 or 4 ratings (3 on average) on five levels, raters drawn without replacement. Times are the
best of a few runs with nothing cached. Peers that would take hours are measured on one resample and multiplied, which
the note then says.
"""

import resource
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
import pingouin

from annotations.stats.agreement.alpha import krippendorff_alpha
from annotations.stats.agreement.cohen import cohen_matrix
from annotations.stats.agreement.connected_raters import connected_raters
from annotations.stats.agreement.intraclass.icc import icc_family
from annotations.stats.agreement.mean_squares import complete_ratings
from annotations.stats.agreement.report import agreement_report
from annotations.stats.ratings import Ratings

Row = dict[str, Any]
VALUES = np.arange(1.0, 6.0)


def simulated(n_units: int, n_raters: int, seed: int = 0) -> Ratings:
    """About three ratings per unit from n_raters raters who differ in severity."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 5, n_units)
    unit = np.repeat(np.arange(n_units), sizes)
    place = np.arange(len(unit)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    start, stride = rng.integers(0, n_raters, n_units), 1 + rng.integers(0, n_raters // 5, n_units)
    rater = (start[unit] + place * stride[unit]) % n_raters
    latent = rng.normal(size=n_units)[unit] + 0.5 * rng.normal(size=n_raters)[rater] + rng.normal(size=len(unit))
    return Ratings(unit, rater, np.clip(np.floor(latent + 2.5), 0, 4).astype(int), VALUES, n_units, n_raters)


def complete(n_units: int, n_raters: int, seed: int = 0) -> Ratings:
    rng = np.random.default_rng(seed)
    unit, rater = np.repeat(np.arange(n_units), n_raters), np.tile(np.arange(n_raters), n_units)
    latent = rng.normal(size=n_units)[unit] + rng.normal(size=len(unit))
    return Ratings(unit, rater, np.clip(np.floor(latent + 2.5), 0, 4).astype(int), VALUES, n_units, n_raters)


def fresh(ratings: Ratings) -> Ratings:
    """The same ratings with nothing cached."""
    return Ratings(ratings.unit, ratings.rater, ratings.level, ratings.values, ratings.n_units, ratings.n_raters)


def best_of(run: Callable[[], object], times: int = 3) -> float:
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        run()
        taken.append(time.perf_counter() - begin)
    return min(taken)


def best_on_fresh(ratings: Ratings, run: Callable[[Ratings], object], times: int = 3) -> float:
    """Seconds of `run` on ratings without caches; checking the ratings is not in them."""
    taken = []
    for _ in range(times):
        copy = fresh(ratings)
        begin = time.perf_counter()
        run(copy)
        taken.append(time.perf_counter() - begin)
    return min(taken)


def row(name: str, ours: float, peer: str, theirs: float, note: str = "") -> Row:
    return {"name": name, "ours_s": ours, "peer": peer, "peer_s": theirs, "ratio": theirs / ours, "note": note}


def alpha_rows() -> Iterator[Row]:
    for n_units in (1_000, 10_000, 100_000, 1_000_000):
        ratings = simulated(n_units, 20)
        matrix = ratings.matrix()
        rng = np.random.default_rng(0)

        def one_resample(matrix: np.ndarray = matrix, rng: np.random.Generator = rng, n: int = n_units) -> float:
            drawn = matrix[:, rng.integers(n, size=n)]
            return float(
                krippendorff.alpha(reliability_data=drawn, level_of_measurement="ordinal", value_domain=VALUES)
            )

        theirs = best_of(
            lambda matrix=matrix: krippendorff.alpha(  # type: ignore[misc]
                reliability_data=matrix, level_of_measurement="ordinal", value_domain=VALUES
            ),
            2,
        )
        ours = best_on_fresh(ratings, lambda fresh: krippendorff_alpha(fresh, "ordinal"))
        yield row(f"ordinal alpha, {n_units:,} units × 20", ours, "krippendorff", theirs)
        looped = 1000 * best_of(one_resample, 2)
        ours = best_on_fresh(
            ratings,
            lambda fresh: krippendorff_alpha(fresh, "ordinal", rng=np.random.default_rng(0), covers=("units",)),
            5,
        )
        note = "peer: one resample × 1,000 (extrapolated)"
        yield row(f"ordinal alpha + 1,000 resamples, {n_units:,} × 20", ours, "krippendorff, looped", looped, note)
        if n_units == 1_000_000:
            yield floor_row(ratings, ours)


def floor_row(ratings: Ratings, ours: float) -> Row:
    """What no way of doing it can save: one pass over the ratings, and the draws."""
    _, multiplicity = ratings.patterns
    shares = multiplicity / ratings.n_units
    rng = np.random.default_rng(0)
    one_pass = best_of(lambda: np.bincount(ratings.unit * 5 + ratings.level, minlength=5 * ratings.n_units), 5)
    draws = best_of(lambda: rng.multinomial(ratings.n_units, shares, size=1000), 5)
    note = f"bincount {one_pass * 1e3:.1f} ms + multinomial {draws * 1e3:.1f} ms; the aim is a ratio of at least 1/3"
    return row("the same against its floor", ours, "numpy.bincount + multinomial", one_pass + draws, note)


def interval_rows() -> Iterator[Row]:
    for n_units in (100_000, 1_000_000):
        ratings = simulated(n_units, 200)
        ours = best_on_fresh(
            ratings,
            lambda fresh: krippendorff_alpha(fresh, "ordinal", rng=np.random.default_rng(0), covers=("raters",)),
        )
        small = simulated(n_units // 10, 200)
        matrix = np.delete(small.matrix(), 0, axis=0)
        theirs = (
            200
            * 10
            * best_of(
                lambda matrix=matrix: krippendorff.alpha(  # type: ignore[misc]
                    reliability_data=matrix, level_of_measurement="ordinal", value_domain=VALUES
                ),
                1,
            )
        )
        note = "peer: one rater left out of a tenth of the units, × 2,000 (extrapolated)"
        yield row(f"rater jackknife of ordinal alpha, {n_units:,} × 200", ours, "krippendorff, looped", theirs, note)


def icc_rows() -> Iterator[Row]:
    for n_units in (1_000, 10_000, 100_000, 1_000_000):
        ratings = complete(n_units, 3)
        ours = best_on_fresh(ratings, lambda fresh: complete_ratings(fresh).mean_squares.icc("a"))
        intervals = best_on_fresh(ratings, lambda fresh: icc_family(fresh, jackknife=False))
        note = f"with F intervals {intervals * 1e3:.1f} ms"
        if n_units <= 100_000:
            frame = pd.DataFrame({"unit": ratings.unit, "rater": ratings.rater, "value": VALUES[ratings.level]})
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = best_of(
                    lambda frame=frame: pingouin.intraclass_corr(  # type: ignore[misc]
                        frame, targets="unit", raters="rater", ratings="value"
                    ),
                    1,
                )
        else:
            theirs *= 10
            note += "; peer: ten times the row above (extrapolated)"
        yield row(f"ICC, {n_units:,} units × 3 complete", ours, "pingouin", theirs, note)


def whole_rows() -> Iterator[Row]:
    for n_units, n_raters in ((333_333, 20), (333_333, 200), (1_000_000, 200)):
        ratings = simulated(n_units, n_raters)
        name = f"{n_units:,} × {n_raters} ({len(ratings):,} ratings)"
        ours = best_on_fresh(ratings, lambda fresh: agreement_report(fresh, rng=np.random.default_rng(0)), 1)
        yield row(f"agreement_report(): every statistic, {name}", ours, "none", np.nan, peak())
        ours = best_on_fresh(ratings, cohen_matrix, 1)
        yield row(f"Cohen's kappa of every pair, {name}", ours, "none", np.nan)
        ours = best_on_fresh(ratings, connected_raters, 1)
        yield row(f"connected components, {name}", ours, "none", np.nan)
        ours = best_of(lambda ratings=ratings: fresh(ratings), 1)  # type: ignore[misc]
        yield row(f"checking the ratings, {name}", ours, "none", np.nan)


def peak() -> str:
    return f"peak of the process so far {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB"


def rows() -> Iterator[Row]:
    # Memory first: peaks only ever grow.
    yield from whole_rows()
    yield from interval_rows()
    yield from icc_rows()
    yield from alpha_rows()


def run() -> list[Row]:
    return list(rows())


def main() -> None:
    for one in rows():
        print(
            f"{one['name']:62} {one['ours_s']:10.4f} s   {one['peer']:30} {one['peer_s']:12.4f} s   "
            f"× {one['ratio']:<12,.1f} {one['note']}",
            flush=True,
        )


if __name__ == "__main__":
    main()
