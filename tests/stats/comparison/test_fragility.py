"""How few prompts, raters or ratings decide who wins."""

from itertools import combinations

import numpy as np
import pytest

from annotations.stats.comparison.compare import compare
from annotations.stats.comparison.fragility import fewest_to_change
from annotations.stats.ratings import Ratings

nan = np.nan
SIDES = {"baseline": 0, "refined": 1}


def without(ratings: Ratings, kept: np.ndarray) -> Ratings:
    return Ratings(
        ratings.unit[kept], ratings.rater[kept], ratings.level[kept], ratings.values, ratings.n_units, ratings.n_raters
    )


def study(seed: int, prompts: int = 4, raters: int = 3) -> tuple[Ratings, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    table = rng.integers(1, 6, (raters, 2 * prompts)).astype(float)
    table[rng.random(table.shape) < 0.2] = nan
    table[0, np.isnan(table).all(axis=0)] = 3
    unit = np.arange(2 * prompts)
    return Ratings.from_matrix(table, [1, 2, 3, 4, 5]), unit // 2, unit % 2


def mean_difference(ratings: Ratings, prompt: np.ndarray, method: np.ndarray) -> float:
    rng = np.random.default_rng(0)
    found = compare(ratings, prompt=prompt, method=method, rng=rng, n_resamples=2, n_permutations=2, **SIDES)
    return found.mean_diff.value


def test_one_prompt_and_one_rater_decide_by_hand() -> None:
    # Differences 3, −1, −1 with both raters: mean 1/3. Without the first prompt it is −1; rater 1 alone sees it.
    table = [[1, 2, 2, 1, 2, 1], [1, 6, 2, 1, 2, 1]]
    ratings = Ratings.from_matrix(table, [1, 2, 3, 4, 5, 6])
    prompts, raters, single = fewest_to_change(ratings, prompt=np.arange(6) // 2, method=np.arange(6) % 2, **SIDES)
    assert (prompts.n, prompts.of, prompts.codes) == (1, 3, (0,))
    assert (raters.n, raters.codes, raters.is_exact) == (1, (1,), True)
    assert (single.n, single.is_exact) == (1, True)
    assert ratings.level[single.codes[0]] == 5


@pytest.mark.parametrize("seed", range(12))
def test_what_is_left_out_is_enough_and_of_prompts_and_raters_nothing_smaller_is(seed: int) -> None:
    ratings, prompt, method = study(seed)
    whole = mean_difference(ratings, prompt, method)
    prompts, raters, single = fewest_to_change(ratings, prompt=prompt, method=method, **SIDES)
    if whole == 0:
        assert prompts.n is raters.n is single.n is None
        return
    groups = {"prompts": prompt[ratings.unit], "raters": ratings.rater, "ratings": np.arange(len(ratings))}

    def leads(kind: str, out: tuple[int, ...]) -> bool:
        rest = mean_difference(without(ratings, ~np.isin(groups[kind], out)), prompt, method)
        return np.isnan(rest) or rest * np.sign(whole) > 1e-12

    for found in (prompts, raters, single):
        if found.n is not None:
            assert len(found.codes) == found.n
            assert not leads(found.kind, found.codes)
        every = range(len(np.unique(groups[found.kind])))
        limit = found.n or len(every)
        fewer = [out for n in range(1, min(limit, 3)) for out in combinations(every, n)]
        if found.is_exact and found.kind != "ratings":
            assert all(leads(found.kind, out) for out in fewer)


def test_many_raters_are_taken_by_influence() -> None:
    ratings, prompt, method = study(5, prompts=30, raters=30)
    exact = fewest_to_change(ratings, prompt=prompt, method=method, **SIDES)[1]
    searched = fewest_to_change(ratings, prompt=prompt, method=method, most_combinations=1, **SIDES)[1]
    assert exact.n is not None
    assert searched.n is not None
    assert exact.n <= searched.n <= exact.n + 1


def test_no_leader_and_a_leader_on_every_prompt() -> None:
    even = Ratings.from_matrix([[1, 2, 2, 1]], [1, 2])
    sides = {"prompt": np.array([0, 0, 1, 1]), "method": np.array([0, 1, 0, 1]), **SIDES}
    assert [one.n for one in fewest_to_change(even, **sides)] == [0] * 3
    always = Ratings.from_matrix([[1, 2, 1, 2], [1, 2, 1, 2]], [1, 2])
    assert [one.n for one in fewest_to_change(always, **sides)] == [None] * 3


def test_a_search_goes_on_where_leaving_out_more_than_half_is_not_enough() -> None:
    """Nine raters see the second method ahead by 1, one sees it behind by 1: eight must go."""
    ratings = Ratings.from_matrix([[1, 2]] * 9 + [[2, 1]], [1, 2])
    sides = {"prompt": np.array([0, 0]), "method": np.array([0, 1]), **SIDES}
    exact, searched = (fewest_to_change(ratings, **sides, most_combinations=most)[1] for most in (2**10, 1))
    assert (exact.n, exact.is_exact) == (8, True)
    assert (searched.n, searched.is_exact, len(searched.codes)) == (8, False, 8)
