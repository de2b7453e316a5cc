from math import sqrt

import numpy as np
import pytest
from scipy import stats

from annotations.stats.ordinal_model.effect import ordinal_effect
from annotations.stats.ratings import BadRatings, Ratings
from tests.stats.comparison.comparison_data import dsg_consistency, paired_scores, random_design


def test_published_ratings_of_five_models() -> None:
    (ratings, prompt, method), models, expected = dsg_consistency()
    for row in expected["paired_dsg5"][:1]:
        got = ordinal_effect(
            ratings,
            prompt=prompt,
            method=method,
            rng=np.random.default_rng(0),
            baseline=models.index(row["baseline"]),
            refined=models.index(row["refined"]),
        )
        assert not got.fit.reason
        interval = got.effect.interval("images and prompts and raters")
        assert interval is not None
        assert 0 < interval.low < got.effect.value < interval.high
        assert got.odds_low < got.odds_ratio == pytest.approx(np.exp(got.effect.value))
        # The verdict agrees with the paired test of the means to an order of magnitude or two in p.
        assert got.p < 100 * row["t_p"] ** 0.5
        assert any("5 groups say little" in note for note in got.fit.notes)


@pytest.mark.slow
def test_exchanging_the_methods_negates_the_effect() -> None:
    ratings, prompt, method = random_design(5, n_prompts=6, n_raters=5)
    there = ordinal_effect(ratings, prompt=prompt, method=method, rng=np.random.default_rng(0), baseline=0, refined=1)
    back = ordinal_effect(ratings, prompt=prompt, method=method, rng=np.random.default_rng(0), baseline=1, refined=0)
    assert there.effect.value == pytest.approx(-back.effect.value, abs=1e-4)
    assert there.p == pytest.approx(back.p, abs=1e-4)
    assert "prompts × methods" in there.fit.n
    assert "raters × methods" in there.fit.n


def test_crossings_are_left_out_where_they_are_something_else() -> None:
    # One image a method and prompt: prompt × method is the image. Raters of one method: rater × method is the rater.
    ratings, prompt, method = random_design(2, n_prompts=10, images=1, missing=0.0)
    chosen = (ratings.rater % 2 == 0) == (method[ratings.unit] == 0)
    split = Ratings(
        ratings.unit[chosen], ratings.rater[chosen], ratings.level[chosen], ratings.values, ratings.n_units, 4
    )
    got = ordinal_effect(split, prompt=prompt, method=method, rng=np.random.default_rng(0), baseline=0, refined=1)
    assert set(got.fit.n) == {"ratings", "images", "prompts", "raters"}


def preferences(n_raters: int, spread: float, seed: int) -> tuple[Ratings, dict[str, object]]:
    """40 prompts, an image of each of two methods, rated by all raters, who differ by `spread` in their preference."""
    rng = np.random.default_rng(seed)
    shape = (40, 2, n_raters)
    quality = rng.normal(size=40)[:, None, None] + rng.normal(size=(40, 2, 1)) + rng.logistic(size=shape)
    quality[:, 1] += 0.8 + spread * np.linspace(-1.0, 1.0, n_raters)
    level = np.searchsorted([-2.0, -0.7, 0.7, 2.0], quality)
    unit, rater = np.divmod(np.arange(level.size), n_raters)
    sides = {"prompt": np.arange(80) // 2, "method": np.arange(80) % 2, "baseline": 0, "refined": 1}
    return Ratings(unit, rater, level.ravel(), np.arange(1.0, 6.0), 80, n_raters), sides


def test_raters_who_seem_not_to_differ_are_covered_by_what_their_table_says() -> None:
    """Maximum likelihood puts their variance at zero; three raters cannot show that there is none."""
    ratings, sides = preferences(3, 0.0, 3)
    got = ordinal_effect(ratings, rng=np.random.default_rng(0), **sides)  # type: ignore[arg-type]
    assert got.fit.deviations["raters × methods"] == 0
    (interval,) = got.effect.intervals
    assert interval.covers == "images and prompts and raters"
    assert got.effect.notes == ()
    error = got.effect.value / got.t
    assert interval.high - got.effect.value == pytest.approx(stats.t.ppf(0.975, got.df) * error)
    assert got.p == pytest.approx(2 * stats.t.sf(abs(got.t), got.df))
    # By hand, of the gain of every rater after one Newton step.
    assert got.fit.working is not None
    score, weight = (
        np.bincount(ratings.rater * 2 + ratings.unit % 2, each).reshape(3, 2)
        for each in (got.fit.working.score, got.fit.working.weight)
    )
    gain = (score / weight)[:, 1] - (score / weight)[:, 0]
    heavy = weight.prod(axis=1) / weight.sum(axis=1)
    squares = heavy @ (gain - heavy @ gain / heavy.sum()) ** 2
    images = 2 * got.fit.deviations["images"] ** 2 / 40
    noise = got.fit.standard_errors["refined"] ** 2 - images
    assert squares / 2 < 1
    by_raters = noise * squares / 2
    assert error**2 == pytest.approx(images + by_raters)
    satterthwaite = (images + by_raters) ** 2 / (images**2 / 39 + by_raters**2 / 2)
    assert got.df == pytest.approx(sqrt(2 * satterthwaite))


def test_few_raters_who_differ_widen_the_interval() -> None:
    ratings, sides = preferences(3, 1.5, 1)
    got = ordinal_effect(ratings, rng=np.random.default_rng(0), **sides)  # type: ignore[arg-type]
    (interval,) = got.effect.intervals
    assert interval.covers == "images and prompts and raters"
    # Maximum likelihood finds two thirds of the variance between three raters, of which all but their noise is left.
    of_raters, all_of_it = 2 * got.fit.deviations["raters × methods"] ** 2 / 3, got.fit.standard_errors["refined"] ** 2
    variance = (got.effect.value / got.t) ** 2
    assert variance == pytest.approx(all_of_it + of_raters / 2, rel=0.1)
    assert 2 <= got.df < 3
    assert interval.high - got.effect.value == pytest.approx(stats.t.ppf(0.975, got.df) * sqrt(variance))


def test_two_raters_cannot_show_how_raters_differ() -> None:
    ratings, sides = preferences(2, 1.0, 2)
    got = ordinal_effect(ratings, rng=np.random.default_rng(0), **sides)  # type: ignore[arg-type]
    assert "raters × methods" not in got.fit.n
    assert "raters" not in got.effect.intervals[0].covers
    assert "the interval does not cover other raters: too few raters (2)" in got.effect.notes


def test_what_cannot_be_fitted_gives_a_reason() -> None:
    ratings, prompt, method = paired_scores([1, 1, 2], [3, 4, 5])
    got = ordinal_effect(ratings, prompt=prompt, method=method, rng=np.random.default_rng(0), baseline=0, refined=1)
    assert np.isnan(got.effect.value)
    assert got.effect.reason.startswith("separation")
    assert np.isnan(got.odds_ratio)
    assert np.isnan(got.p)


def test_malformed_arguments() -> None:
    ratings, prompt, method = paired_scores([1, 1, 2], [3, 4, 5])
    with pytest.raises(BadRatings, match="name two"):
        ordinal_effect(ratings, prompt=prompt, method=method, rng=np.random.default_rng(0), baseline=0, refined=0)
    with pytest.raises(BadRatings, match="one code for each"):
        ordinal_effect(ratings, prompt=prompt[:1], method=method, rng=np.random.default_rng(0), baseline=0, refined=1)


@pytest.mark.slow
def test_a_large_study_is_fitted_to_whole_prompts_drawn_at_random() -> None:
    ratings, prompt, method = random_design(3, n_prompts=40, n_raters=4, images=1, missing=0.1)
    options = {"prompt": prompt, "method": method, "baseline": 0, "refined": 1}
    got = ordinal_effect(ratings, rng=np.random.default_rng(7), max_ratings=100, **options)
    again = ordinal_effect(ratings, rng=np.random.default_rng(7), max_ratings=100, **options)
    assert got.effect == again.effect
    assert got.effect.seed == 7
    assert 80 < got.fit.n["ratings"] <= 100
    assert got.fit.notes[0] == f"fitted to {got.fit.n['prompts']} of 40 prompts, drawn at random"
