"""Variances of prompts, seeds and raters."""

import numpy as np
import pytest

from annotations.stats.comparison.compare import compare
from annotations.stats.raters.seeds import NAMES, over_seeds, seed_study
from annotations.stats.ratings import BadRatings, Ratings
from tests.stats.test_r_reference import reference


def as_ratings(scores: np.ndarray, kept: np.ndarray | None = None) -> tuple[Ratings, np.ndarray]:
    """scores (prompts, seeds, raters) on a scale of their own values; the prompt of each image."""
    prompts, seeds, raters = scores.shape
    values, level = np.unique(scores, return_inverse=True)
    unit = np.repeat(np.arange(prompts * seeds), raters)
    rater = np.tile(np.arange(raters), prompts * seeds)
    use = slice(None) if kept is None else kept.ravel()
    ratings = Ratings(unit[use], rater[use], level.ravel()[use], values, prompts * seeds, raters)
    return ratings, np.arange(prompts * seeds) // seeds


def slow_definition(scores: np.ndarray, kept: np.ndarray) -> dict[str, float]:
    """Every pair of ratings, one by one."""
    squares: dict[tuple[bool, bool, bool], list[float]] = {}
    at = np.argwhere(kept)
    for i, (p, s, r) in enumerate(at):
        for q, t, u in at[:i]:
            squares.setdefault((p == q, p == q and s == t, r == u), []).append(
                (scores[p, s, r] - scores[q, t, u]) ** 2 / 2
            )
    mean = {kind: float(np.mean(found)) for kind, found in squares.items()}
    image, both = mean[True, True, False], mean[True, False, True]
    prompt, rater, none = mean[True, False, False], mean[False, False, True], mean[False, False, False]
    return {
        "prompt": none - prompt,
        "seed": prompt - image,
        "rater": none - rater,
        "prompt × rater": image - (none - rater) - both + prompt - image,
        "rest": both - prompt + image,
    }


def test_a_balanced_design_has_the_variances_of_lmer() -> None:
    prompt, seed, rater = (axis.astype(int) for axis in np.indices((12, 4, 3)))
    scores = (
        prompt * 37 % 11 / 2
        + (prompt * 5 + seed * 13) % 7 / 2
        + rater * 5 % 3 / 2
        + prompt * rater * 11 % 5 / 3
        + (prompt * 3 + seed * 7 + rater * 5) % 4 / 4
    )
    ratings, of_unit = as_ratings(scores)
    found = seed_study(ratings, prompt=of_unit, method=np.zeros(48, np.int64))
    right = reference("seeds")
    theirs = ("prompt", "prompt:seed", "rater", "prompt:rater", "Residual")
    for ours, name in zip(NAMES, theirs, strict=True):
        assert found.components[ours] == pytest.approx(right[f"variance:{name}"], rel=1e-4)
    error = found.error_of_mean(n_prompts=12, n_seeds=4, n_raters=3, raters_per_image=3)
    assert error == pytest.approx(right["se_of_mean"], rel=1e-4)


def test_with_gaps_it_is_the_mean_over_all_pairs() -> None:
    rng = np.random.default_rng(8)
    scores = rng.integers(1, 6, (6, 3, 4)).astype(float)
    kept = rng.random(scores.shape) < 0.7
    ratings, of_unit = as_ratings(scores, kept)
    found = seed_study(ratings, prompt=of_unit, method=np.zeros(18, np.int64))
    assert found.components == pytest.approx(slow_definition(scores, kept))


def test_one_image_per_prompt_says_nothing_of_seeds() -> None:
    ratings, of_unit = as_ratings(np.random.default_rng(0).integers(1, 6, (8, 1, 3)).astype(float))
    found = seed_study(ratings, prompt=of_unit, method=np.zeros(8, np.int64))
    assert found.reason == "there are no two images of one prompt by one rater"
    with pytest.raises(BadRatings):
        seed_study(ratings, prompt=of_unit[1:], method=np.zeros(8, np.int64))
    alone = over_seeds(ratings, prompt=of_unit // 2, method=of_unit % 2, baseline=0, refined=1)
    assert alone.reason == "no prompt has two images of each method"


def test_the_interval_over_seeds_belongs_to_the_comparison_and_covers() -> None:
    rng = np.random.default_rng(3)
    n_prompts, n_seeds, raters = 20, 3, 3
    unit = np.arange(n_prompts * 2 * n_seeds)
    prompt, method = unit // (2 * n_seeds), unit // n_seeds % 2
    covered = 0
    gains, levels = rng.normal(5, 5, n_prompts), rng.normal(50, 10, n_prompts)
    severity = rng.normal(0, 4, raters)
    for _ in range(300):
        quality = levels[prompt] + gains[prompt] * method + rng.normal(0, 8, len(unit))
        table = np.clip(np.rint(quality + severity[:, None] + rng.normal(0, 4, (raters, len(unit)))), 0, 100)
        ratings = Ratings.from_matrix(table, list(range(101)))
        found = over_seeds(ratings, prompt=prompt, method=method, baseline=0, refined=1)
        covered += found.intervals[0].low <= gains.mean() <= found.intervals[0].high
    both = compare(ratings, prompt=prompt, method=method, baseline=0, refined=1, rng=rng, n_resamples=10)
    assert found.value == pytest.approx(both.mean_diff.value)
    assert 0.92 <= covered / 300 <= 0.98
