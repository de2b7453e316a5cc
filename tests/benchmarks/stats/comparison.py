"""How fast the comparison is, compared with other packages. `python -m tests.benchmarks.stats.comparison`

Peers are called in the way their documentation shows; where one would take minutes it is measured smaller and
extrapolated in proportion, and its row says so.
"""

import time
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from annotations.stats.comparison.compare import compare
from annotations.stats.comparison.means import method_means
from annotations.stats.comparison.paired_tests import sign_flip_test, wilcoxon_signed_rank
from annotations.stats.ordinal_model.effect import ordinal_effect
from annotations.stats.ordinal_model.fit import fit_ordinal
from annotations.stats.ratings import Ratings

Row = dict[str, str | float]


def study(n_prompts: int, n_raters: int, k: int, seed: int = 0) -> tuple[Ratings, NDArray[np.int64], NDArray[np.int64]]:
    """Two images per prompt, k ratings per image on 1–5."""
    rng = np.random.default_rng(seed)
    n_units = 2 * n_prompts
    unit, prompt = np.repeat(np.arange(n_units), k), np.repeat(np.arange(n_prompts), 2)
    method = np.tile([0, 1], n_prompts)
    first = rng.integers(0, n_raters, n_units)[:, np.newaxis]
    rater = ((first + np.arange(k) * (n_raters // k)) % n_raters).ravel()
    latent = rng.normal(0, 1, n_prompts)[prompt][unit] + 0.2 * method[unit] + rng.normal(0, 1, len(unit))
    level = np.clip(np.rint(latent + 2), 0, 4).astype(np.int64)
    return Ratings(unit, rater, level, np.arange(1.0, 6.0), n_units, n_raters), prompt, method


def seconds(function: Callable[[], object], repeats: int = 3) -> float:
    """The best of some runs."""
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return float(best)


def _row(name: str, ours: float, peer: str = "", peer_s: float = float("nan"), note: str = "") -> Row:
    return {"name": name, "ours_s": ours, "peer": peer, "peer_s": peer_s, "ratio": peer_s / ours, "note": note}


def run() -> list[Row]:
    rng = np.random.default_rng(0)
    rows = []
    for n_prompts, n_raters, k in ((100_000, 200, 5), (1_000, 20, 5), (160, 5, 5)):
        ratings, prompt, method = study(n_prompts, n_raters, k)
        size = f"{len(ratings):,} ratings, {n_prompts:,} prompts, {n_raters} raters"
        options = {"prompt": prompt, "method": method, "baseline": 0, "refined": 1}
        took = seconds(partial(compare, ratings, rng=rng, **options), 2)
        d = compare(ratings, rng=rng, n_resamples=1, n_permutations=1, **options).differences
        # scipy's bootstrap of the mean alone, against our whole comparison with its three effect sizes.
        part = 1000 if n_prompts <= 1000 else 20
        peer = seconds(
            partial(stats.bootstrap, (d,), np.mean, n_resamples=part, method="percentile", rng=rng, batch=10),
            1,
        )
        rows.append(
            _row(
                f"whole comparison, 1,000 resamples, 10,000 permutations; {size}",
                took,
                "scipy.stats.bootstrap of the mean alone, 1,000 resamples",
                peer * 1000 / part,
                "" if part == 1000 else f"peer extrapolated from {part} resamples",
            )
        )
        took = seconds(partial(method_means, ratings, method=method, prompt=prompt, rng=rng), 2)
        rows.append(_row(f"means of two methods; {size}", took))
    rows += _tests(rng)
    rows += _ordinal()
    return rows


def _tests(rng: np.random.Generator) -> list[Row]:
    d = np.rint(rng.normal(0.3, 0.8, 160) * 5).astype(np.int64)
    ours = seconds(lambda: sign_flip_test(d, rng=rng))
    peer = seconds(
        lambda: stats.permutation_test(
            (d,), np.sum, permutation_type="samples", n_resamples=9999, vectorized=False, rng=rng
        ),
        1,
    )
    many = np.rint(rng.normal(0.01, 0.8, 1_000_000) * 5).astype(np.int64)
    as_floats = many.astype(float)
    return [
        _row(
            "paired permutation test, 160 prompts, all 2^160 assignments",
            ours,
            "scipy.stats.permutation_test, 9,999 random assignments",
            peer,
            "ours is exact",
        ),
        _row(
            "Wilcoxon signed ranks, 1,000,000 differences",
            seconds(lambda: wilcoxon_signed_rank(many)),
            "scipy.stats.wilcoxon",
            seconds(lambda: stats.wilcoxon(as_floats, correction=False, method="asymptotic"), 2),
        ),
    ]


def _ordinal() -> list[Row]:
    rows = []
    for n_prompts, n_raters, k in ((160, 5, 5), (1_000, 20, 4)):
        ratings, prompt, method = study(n_prompts, n_raters, k, seed=1)
        took = seconds(
            partial(
                ordinal_effect,
                ratings,
                prompt=prompt,
                method=method,
                rng=np.random.default_rng(0),
                baseline=0,
                refined=1,
            ),
            1,
        )
        rows.append(
            _row(
                f"cumulative link model, raters, prompts and images at random; {len(ratings):,} ratings",
                took,
                note="no peer in Python fits it; R's ordinal::clmm took 17 s of processor time for 1,498 ratings",
            )
        )
    ratings, _, method = study(20_000, 20, 5, seed=1)
    side = method[ratings.unit]
    ours = seconds(lambda: fit_ordinal(ratings.level, {"refined": side}, groups={}), 1)
    try:
        from statsmodels.miscmodels.ordinal_model import OrderedModel
    except ImportError:
        return [
            *rows,
            _row("cumulative link model, fixed effects; 200,000 ratings", ours, note="statsmodels is missing"),
        ]
    model = OrderedModel(ratings.level, side[:, np.newaxis].astype(float), distr="logit")
    peer = seconds(lambda: model.fit(method="bfgs", disp=False), 1)
    rows.append(
        _row(f"cumulative link model, fixed effects; {len(ratings):,} ratings", ours, "statsmodels OrderedModel", peer)
    )
    return rows


def main() -> None:
    for row in run():
        print(row["name"])
        line = f"    ours {row['ours_s']:.4f} s"
        if row["peer"]:
            line += f"   {row['peer']} {row['peer_s']:.4f} s   ratio {row['ratio']:.1f}"
        print(f"{line}   {row['note']}")


if __name__ == "__main__":
    main()
