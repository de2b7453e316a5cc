"""Which ratings a model is fitted to: all of them if possible, or else those of whole prompts drawn at random."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from annotations.stats.ordinal_model.random_intercepts import n_together
from annotations.stats.ratings import Ratings

MAX_RATINGS = 1_000_000
"""A fit of this many ratings takes half a minute, and its interval is already as narrow as prompts and raters allow."""
MOST_TOGETHER = 2_000
"""The most groups of factors that cross. Their matrix is dense, and is factored about a hundred times at a second
each."""
_FEWER = 6_000
"""The most ratings where more groups cross than that; or half as many, and so on."""

Groups = Mapping[str, NDArray[np.int64]]


def chosen_ratings(
    ratings: Ratings,
    prompt: NDArray[np.integer],
    groups_of: Callable[[NDArray[np.bool_]], Groups],
    most: int,
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], Groups, str]:
    """Which ratings (n,) to use, their random factors, and a note where they are not all.

    prompt (n_units,) codes; a negative one leaves the unit out. groups_of: the factors' codes of the ratings that a
    mask (n,) chooses. All ratings of a prompt are used, or none. At most `most` ratings, and 6,000, 3,000 … where more
    than 2,000 groups of the factors cross.
    """
    chosen, note = _of_prompts(ratings, prompt, most, rng)
    groups = groups_of(chosen)
    while chosen.any() and n_together(list(groups.values())) > MOST_TOGETHER:
        most = min(_FEWER, int(chosen.sum())) if most > _FEWER else most // 2
        chosen, note = _of_prompts(ratings, prompt, most, rng)
        groups = groups_of(chosen)
    return chosen, groups, note


def _of_prompts(
    ratings: Ratings, prompt: NDArray[np.integer], most: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], str]:
    usable = prompt >= 0
    per_unit = np.bincount(ratings.unit, minlength=ratings.n_units) * usable
    if per_unit.sum() <= most:
        return usable[ratings.unit], ""
    codes, index = np.unique(prompt, return_inverse=True)
    per_prompt = np.bincount(index, per_unit)
    order = rng.permutation(len(codes))
    taken = np.zeros(len(codes), dtype=bool)
    taken[order[np.cumsum(per_prompt[order]) <= most]] = True
    n_prompts = int(np.count_nonzero(per_prompt))
    n_taken = int(np.count_nonzero(taken & (per_prompt > 0)))
    return (usable & taken[index])[ratings.unit], f"fitted to {n_taken} of {n_prompts} prompts, drawn at random"
