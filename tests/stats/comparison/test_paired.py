from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotations.stats.comparison.over_raters import rater_intervals
from annotations.stats.comparison.paired import paired_cells, paired_differences
from annotations.stats.ratings import BadRatings, Ratings
from tests.stats.comparison.comparison_data import Design, paired_scores, random_design

seeds = st.integers(0, 10_000)


def slow_differences(design: Design, *, without_rater: int = -1) -> dict[int, Fraction]:
    """The definition, one rating at a time, in fractions."""
    ratings, prompt, method = design
    of_unit: dict[int, list[Fraction]] = defaultdict(list)
    for unit, rater, level in zip(ratings.unit, ratings.rater, ratings.level, strict=True):
        if rater != without_rater:
            of_unit[int(unit)].append(Fraction(str(ratings.values[level])))
    of_cell: dict[tuple[int, int], list[Fraction]] = defaultdict(list)
    for unit, values in of_unit.items():
        of_cell[int(prompt[unit]), int(method[unit])].append(sum(values, Fraction(0)) / len(values))
    means = {cell: sum(values, Fraction(0)) / len(values) for cell, values in of_cell.items()}
    return {p: means[p, 1] - means[p, 0] for p, m in sorted(means) if m == 1 and (p, 0) in means}


@settings(max_examples=60, deadline=None)
@given(seeds, st.sampled_from([(1, 2, 3, 4, 5), (0, 0.5, 1), (0.1, 0.2, 0.3)]))
def test_differences_equal_the_definition_in_fractions(seed: int, scale: tuple[float, ...]) -> None:
    design = random_design(seed, scale=scale, missing=0.6)
    ratings, prompt, method = design
    paired = paired_differences(ratings, prompt=prompt, method=method, baseline=0, refined=1)
    slow = slow_differences(design)
    assert paired.prompts.tolist() == list(slow)
    assert [Fraction(int(x), paired.denominator) for x in paired.numerators] == list(slow.values())
    assert paired.differences.tolist() == [float(x) for x in slow.values()]
    assert paired.exact
    assert paired.wins == sum(x > 0 for x in slow.values())
    assert paired.ties == sum(x == 0 for x in slow.values())
    assert paired.wins + paired.ties + paired.losses == len(paired)


def test_equal_means_tie_where_floating_point_would_not() -> None:
    # 0.1 + 0.2 + 0.3 against 0.3 + 0.2 + 0.1: equal as fractions; as floats the two sums differ by 1e-16.
    ratings = Ratings.from_matrix([[0.1, 0.3], [0.2, 0.2], [0.3, 0.1]], (0.1, 0.2, 0.3))
    paired = paired_differences(ratings, prompt=np.array([0, 0]), method=np.array([0, 1]), baseline=0, refined=1)
    assert (0.1 + 0.2) + 0.3 != (0.3 + 0.2) + 0.1
    assert paired.ties == 1
    assert paired.differences.tolist() == [0.0]


def test_every_image_counts_once_however_many_raters_saw_it() -> None:
    # Refined: one image rated 5, 5, 5 and one rated 2 → (5 + 2) / 2 = 7/2, not 17/4. Baseline 3. Difference 1/2.
    ratings = Ratings.from_matrix([[3, 5, 2], [np.nan, 5, np.nan], [np.nan, 5, np.nan]], (1, 2, 3, 4, 5))
    paired = paired_differences(
        ratings, prompt=np.zeros(3, dtype=int), method=np.array([0, 1, 1]), baseline=0, refined=1
    )
    assert paired.differences.tolist() == [0.5]
    assert paired.n_units == 3


def test_prompts_with_one_method_alone_are_left_out_and_counted() -> None:
    ratings = Ratings.from_matrix([[1, 2, 3, 4, np.nan, 5]], (1, 2, 3, 4, 5))
    prompt = np.array([7, 7, 8, 9, 9, -1])
    method = np.array([0, 1, 0, 1, 0, 1])
    paired = paired_differences(ratings, prompt=prompt, method=method, baseline=0, refined=1)
    assert paired.prompts.tolist() == [7]
    assert (paired.n_baseline_only, paired.n_refined_only) == (1, 1)


def test_nothing_rated_gives_no_differences() -> None:
    ratings = Ratings.from_matrix([[np.nan, np.nan]], (1, 2))
    paired = paired_differences(ratings, prompt=np.array([0, 0]), method=np.array([0, 1]), baseline=0, refined=1)
    assert len(paired) == 0
    assert np.isnan(paired.mean)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_exchanging_the_methods_negates_the_differences(seed: int) -> None:
    ratings, prompt, method = random_design(seed)
    there = paired_differences(ratings, prompt=prompt, method=method, baseline=0, refined=1)
    back = paired_differences(ratings, prompt=prompt, method=method, baseline=1, refined=0)
    assert (there.numerators == -back.numerators).all()
    assert (there.wins, there.losses) == (back.losses, back.wins)


def test_denominators_beyond_64_bits_are_rounded_and_say_so() -> None:
    # Images rated by 1…60 raters: the least common multiple of 1…60 is about 1e25.
    n = 60
    sizes = np.repeat(np.arange(1, n + 1), 2)
    unit = np.repeat(np.arange(2 * n), sizes)
    rater = np.concatenate([np.arange(size) for size in sizes])
    level = np.random.default_rng(0).integers(0, 5, len(unit))
    design = Ratings(unit, rater, level, np.arange(1.0, 6.0), 2 * n, n), np.repeat(np.arange(n), 2), np.tile([0, 1], n)
    paired = paired_differences(design[0], prompt=design[1], method=design[2], baseline=0, refined=1)
    slow = slow_differences(design)
    assert not paired.exact
    assert "rounded" in paired.convention
    assert paired.differences == pytest.approx([float(x) for x in slow.values()], abs=1e-11)
    assert paired.ties == sum(x == 0 for x in slow.values())


def test_codes_that_do_not_fit_are_refused() -> None:
    ratings, prompt, method = paired_scores([1, 2], [2, 3])
    with pytest.raises(BadRatings, match="one code for each of the 4 units"):
        paired_differences(ratings, prompt=prompt[:2], method=method, baseline=0, refined=1)
    with pytest.raises(BadRatings, match="name two"):
        paired_differences(ratings, prompt=prompt, method=method, baseline=1, refined=1)


@settings(max_examples=30, deadline=None)
@given(seeds)
def test_rater_jackknife_equals_leaving_each_rater_out(seed: int) -> None:
    design = random_design(seed, missing=0.3, n_raters=5)
    ratings, prompt, method = design
    cells = paired_cells(ratings, prompt=prompt, method=method, baseline=0, refined=1)
    full = slow_differences(design)
    over_raters, over_both = rater_intervals(ratings, cells, np.array([float(x) for x in full.values()]))
    means, excess = [], 0.0
    raters_of = {
        code: {int(r) for r, u in zip(ratings.rater, ratings.unit, strict=True) if prompt[u] == code and method[u] < 2}
        for code in full
    }
    for rater in range(5):
        # Only prompts compared at all may lose a rater.
        kept = {p: x for p, x in slow_differences(design, without_rater=rater).items() if p in full}
        means.append(float(sum(kept.values(), Fraction(0)) / len(kept)))
        excess += sum(float(x - full[p]) ** 2 / len(raters_of[p]) for p, x in kept.items()) / len(full) ** 2
    jackknife = 4 / 5 * np.sum((np.array(means) - np.mean(means)) ** 2)
    # t(4, .975) = 2.776445105197793 (any table of Student's t)
    error = np.sqrt(max(jackknife - excess, jackknife / 2))
    assert (over_raters.high - over_raters.low) / 2 == pytest.approx(2.776445105197793 * error)
    assert over_both.high - over_both.low > 0


def test_one_rater_has_no_interval_over_raters() -> None:
    ratings, prompt, method = paired_scores([1, 2, 3], [2, 4, 1])
    cells = paired_cells(ratings, prompt=prompt, method=method, baseline=0, refined=1)
    for interval in rater_intervals(ratings, cells, np.array([1.0, 2.0, -2.0])):
        assert not interval.is_defined
        assert interval.reason == "too few raters (1)"


def test_raters_who_share_no_prompt_are_lost_with_their_prompts() -> None:
    # Each of three prompts is rated by a rater of its own: without one of them the mean is that of the other prompts'
    # d = 1, 3, 2: 2.5, 1.5 and 2. Jackknife variance 2/3 · (½² + ½² + 0²) = 1/3.
    matrix = np.full((3, 6), np.nan)
    for k, pair in enumerate(([1, 2], [1, 4], [1, 3])):
        matrix[k, 2 * k : 2 * k + 2] = pair
    ratings = Ratings.from_matrix(matrix, (1, 2, 3, 4))
    prompt, method = np.repeat(np.arange(3), 2), np.tile([0, 1], 3)
    cells = paired_cells(ratings, prompt=prompt, method=method, baseline=0, refined=1)
    over_raters, _ = rater_intervals(ratings, cells, np.array([1.0, 3.0, 2.0]))
    half = 4.302652729749464 / np.sqrt(3)  # t(2, .975)
    assert (over_raters.low, over_raters.high) == pytest.approx((2 - half, 2 + half))
