"""Fair averages."""

from typing import Any

import numpy as np
import pytest

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.comparison.adjusted import adjusted_means
from annotations.stats.distributions import t_quantile
from annotations.stats.ratings import BadRatings, Ratings

nan = np.nan


def test_a_severe_rater_who_saw_one_method_alone_by_hand() -> None:
    # Prompts A and B, methods 0 and 1. Rater 0 rates all; rater 1 is 2 lower and saw method 1 alone.
    # Units A0 A1 B0 B1. Plain means: 3.5, and (5 + 4 + 3 + 2)/4 = 3.5. Rater 0 alone distinguishes them: 1 is better.
    ratings = Ratings.from_matrix([[4, 5, 3, 4], [nan, 3, nan, 2]], [1, 2, 3, 4, 5])
    found = adjusted_means(ratings, prompt=np.array([0, 0, 1, 1]), method=np.array([0, 1, 0, 1]))
    assert [one.raw for one in found.methods] == [3.5, 3.5]
    assert [one.mean.n for one in found.methods] == [
        {"ratings": 2, "prompts": 2, "raters": 2},
        {"ratings": 4, "prompts": 2, "raters": 2},
    ]
    assert found.severity == pytest.approx([1, -1])
    # Of the mean rater (severity 0 between both): method 0 has 3.5 − 1, method 1 has 4.5 − 1.
    assert [one.mean.value for one in found.methods] == pytest.approx([2.5, 3.5])
    assert [one.reason for one in found.methods[0].mean.intervals] == ["too few prompts (2)"] * 2 + [
        "too few raters (2)"
    ]


def test_of_complete_ratings_they_are_the_plain_means() -> None:
    rng = np.random.default_rng(0)
    ratings = Ratings.from_matrix(rng.integers(1, 6, (4, 30)), [1, 2, 3, 4, 5])
    found = adjusted_means(ratings, prompt=np.arange(30) // 3, method=np.arange(30) % 3)
    for one in found.methods:
        assert one.mean.value == pytest.approx(one.raw)
        both, prompts, raters = one.mean.intervals
        assert both.high - both.low >= max(prompts.high - prompts.low, 0) * 0.99
        assert raters.is_defined


def test_groups_that_share_no_ratings_are_not_adjusted() -> None:
    ratings = Ratings.from_matrix([[4, 5, nan, nan], [nan, nan, 1, 2]], [1, 2, 3, 4, 5])
    found = adjusted_means(ratings, prompt=np.array([0, 1, 2, 3]), method=np.array([0, 0, 1, 1]))
    assert found.reason == "methods, prompts and raters fall into groups that share no ratings"
    with pytest.raises(BadRatings):
        adjusted_means(ratings, prompt=np.array([0]), method=np.array([0, 0, 1, 1]))


@pytest.mark.slow
def test_a_biased_panel_gives_the_true_order_and_its_intervals_cover() -> None:
    rng = np.random.default_rng(5)
    covered, order = 0, 0
    for _ in range(60):
        prompts, raters = 30, 8
        method = np.arange(2 * prompts) % 2
        prompt = np.arange(2 * prompts) // 2
        severity = rng.normal(0, 1, raters)
        # The four severest mostly see the better method.
        severe = np.argsort(severity)[:4]
        chance = np.where(np.isin(np.arange(raters), severe)[:, None] == (method == 1)[None], 0.7, 0.2)
        quality = 50 + 10 * rng.normal(size=prompts)[prompt] + 6 * method
        table = quality[None] + 10 * severity[:, None] + 5 * rng.normal(size=(raters, 2 * prompts))
        seen = rng.random(table.shape) < chance
        ratings = Ratings.from_matrix(np.where(seen, np.clip(np.rint(table), 0, 100), nan), list(range(101)))
        low, high = adjusted_means(ratings, prompt=prompt, method=method).methods
        order += high.mean.value > low.mean.value
        interval = high.mean.intervals[0]
        covered += interval.low <= 56 <= interval.high
    assert order == 60
    assert covered >= 54


def test_raters_of_one_method_each_cannot_be_separated_from_the_methods() -> None:
    # Prompts join all of them, but a method that everybody rates 1 higher and a panel that is 1 milder look the same.
    matrix = np.random.default_rng(3).integers(1, 6, (6, 40)).astype(float)
    method = np.arange(40) % 2
    matrix[np.arange(6)[:, None] % 2 != method] = nan
    found = adjusted_means(Ratings.from_matrix(matrix, [1, 2, 3, 4, 5]), prompt=np.arange(40) // 2, method=method)
    assert found.reason == "what methods add cannot be separated from how severe their raters are"
    assert found.methods == ()


def slow_fit(value: FloatArray, method: IntArray, prompt: IntArray, rater: IntArray) -> FloatArray | None:
    """Each method's mean over the prompts and raters there are, by dummies; None where they do not determine it."""
    levels = [np.unique(codes) for codes in (method, prompt, rater)]
    dummies = [codes[:, None] == names for codes, names in zip((method, prompt, rater), levels, strict=True)]
    design = np.concatenate(dummies, axis=1).astype(float)
    if np.linalg.matrix_rank(design) < design.shape[1] - 2:
        return None
    effects = np.linalg.lstsq(design, value, rcond=None)[0]
    of_method, of_prompt, of_rater = np.split(effects, np.cumsum([len(names) for names in levels])[:-1])
    return np.asarray(of_method + of_prompt.mean() + of_rater.mean())


def slow_variance(n_blocks: int, code: IntArray, *columns: Any) -> FloatArray | None:
    parts = [slow_fit(*(column[code % n_blocks != out] for column in columns)) for out in range(n_blocks)]
    if any(part is None or len(part) < len(np.unique(columns[1])) for part in parts):
        return None
    spread = np.array(parts) - np.mean(parts, axis=0)
    return np.asarray((n_blocks - 1) / n_blocks * (spread**2).sum(axis=0))


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.6, 0.8])
def test_means_and_intervals_are_those_of_fits_without_each_prompt_and_each_rater(missing: float) -> None:
    rng = np.random.default_rng(round(10 * missing))
    undefined = 0
    for _ in range(25):
        n_raters, n_units = int(rng.integers(3, 8)), int(rng.integers(8, 40))
        matrix = rng.integers(1, 6, (n_raters, n_units)).astype(float)
        matrix[rng.random(matrix.shape) < missing] = nan
        ratings = Ratings.from_matrix(matrix, [1, 2, 3, 4, 5])
        prompt, method = rng.integers(0, n_units // 3 + 1, n_units), rng.integers(0, 3, n_units)
        found = adjusted_means(ratings, prompt=prompt, method=method)
        value, m, rater = ratings.values[ratings.level], method[ratings.unit], ratings.rater
        p = np.unique(prompt[ratings.unit], return_inverse=True)[1]
        r = np.unique(rater, return_inverse=True)[1]
        slow = slow_fit(value, m, p, r)
        assert bool(found.reason) == (slow is None)
        if slow is None:
            undefined += 1
            continue
        assert [one.mean.value for one in found.methods] == pytest.approx(slow)
        for place, code in ((1, p), (2, r)):
            n = int(code.max()) + 1
            variance = slow_variance(n, code, value, m, p, r) if n >= 3 else None
            for at, one in enumerate(found.methods):
                interval = one.mean.intervals[place]
                # Means beyond the scale's end, which models of few ratings can have, have no interval.
                assert interval.is_defined == (variance is not None and 1 <= slow[at] <= 5)
                if variance is not None and interval.is_defined:
                    half = t_quantile(0.975, n - 1) * np.sqrt(variance[at])
                    assert interval.low == pytest.approx(max(1.0, slow[at] - half))
                    assert interval.high == pytest.approx(min(5.0, slow[at] + half))
    assert undefined < 25


def test_methods_that_share_no_prompt_cannot_be_separated_from_their_prompts() -> None:
    """Every rater rated everything, but each prompt has an image of one method only."""
    matrix = np.random.default_rng(0).integers(1, 6, (4, 12)).astype(float)
    found = adjusted_means(Ratings.from_matrix(matrix, range(1, 6)), prompt=np.arange(12), method=np.repeat([0, 1], 6))
    assert found.reason == "what methods add cannot be separated from how hard their prompts are"
