"""The robustness of a comparison, on data whose answers are known."""

import numpy as np
import pytest

from annotations.reports.study.robustness import depth, paired_mean
from annotations.stats.comparison.compare import compare
from annotations.stats.raters.table import rater_table
from annotations.stats.ratings import Ratings


def test_a_paired_mean_by_hand() -> None:
    # Prompt 0: 3 − 1 = 2; prompt 1: (4 + 2)/2 − 2 = 1; prompt 2 has no refined image; prompt 3: 1.5 − 1 = 0.5.
    # Mean 7/6, standard deviation √(((5/6)² + (1/6)² + (2/3)²)/2) = √(7/12), t(.975; 2) = 4.3027.
    scores = np.array([1.0, 3, 2, 4, 2, 5, 1, 1.5])
    prompt, method = np.array([0, 0, 1, 1, 1, 2, 3, 3]), np.array([0, 1, 0, 1, 1, 0, 0, 1])

    found = paired_mean(scores, prompt=prompt, method=method, baseline=0, refined=1)

    assert found.value == pytest.approx(7 / 6)
    assert found.n == {"prompts": 3}
    half = 4.302652729749464 * np.sqrt(7 / 12 / 3)
    [interval] = found.intervals
    assert (interval.low, interval.high) == pytest.approx((7 / 6 - half, 7 / 6 + half))


def test_without_a_pair_there_is_no_mean() -> None:
    found = paired_mean(
        np.array([1.0, np.nan]), prompt=np.array([0, 0]), method=np.array([0, 1]), baseline=0, refined=1
    )

    assert not found.is_defined
    assert found.reason == "no prompt has scores of both methods"


@pytest.fixture(scope="module")
def study() -> tuple[Ratings, np.ndarray, np.ndarray]:
    """120 prompts, two methods, six raters; refined is better by half a step, and rater 5 answers 3 to everything."""
    rng = np.random.default_rng(5)
    n_prompts, n_raters = 120, 6
    prompt, method = np.repeat(np.arange(n_prompts), 2), np.tile([0, 1], n_prompts)
    quality = rng.normal(size=n_prompts)[prompt] + 0.6 * method
    latent = quality + rng.normal(0, 0.6, (n_raters, 2 * n_prompts))
    table = np.digitize(latent, [-1.2, -0.4, 0.4, 1.2]) + 1.0
    table[5] = 3
    return Ratings.from_matrix(table, [1, 2, 3, 4, 5]), prompt, method


def test_everything_agrees_on_a_clear_case(study: tuple[Ratings, np.ndarray, np.ndarray]) -> None:
    ratings, prompt, method = study
    rng = np.random.default_rng(0)
    comparison = compare(ratings, prompt=prompt, method=method, baseline=0, refined=1, rng=rng, n_resamples=100)
    kinds = np.where(prompt < 60, "old", "new").astype(object)

    behind = depth(
        ratings,
        comparison,
        prompt=prompt,
        method=method,
        rater_rows=rater_table(ratings),
        facets={"kind": kinds},
        rng=rng,
    )

    assert behind.effect.odds_low > 1
    assert behind.robustness.survives
    subsets = {universe.subset for universe in behind.robustness.universes}
    assert subsets == {"all units", "kind: new", "kind: old"}
    # The reference universe is the comparison itself.
    assert behind.robustness.reference.estimate.value == pytest.approx(comparison.mean_diff.value)
    assert behind.sequence.decision == "refined"
    narrow = {(half, per): plan for half, per, n_raters, plan in behind.sizes if n_raters == 24}
    assert narrow[0.3, 5] is not None
    assert narrow[0.1, 5] is None or narrow[0.1, 5].n_prompts > narrow[0.3, 5].n_prompts
