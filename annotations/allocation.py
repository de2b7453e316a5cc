"""Which rater sees what, in which order: pure functions of the study's seed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def global_order(methods: ArrayLike, prompts: ArrayLike, seed: int) -> NDArray[np.int64]:
    """The order in which a study's items are given out, so that wherever raters stop, methods and prompts are balanced.

    methods, prompts: (n_items,) codes ≥ 0 of each item's method and prompt. Returns a permutation of 0…n_items − 1.

    A Latin square: in round r, every prompt that has an (r + 1)th item comes once, in one shuffled order of prompts,
    and the methods rotate along it. When every prompt has one item of each method, any two methods' counts differ by
    at most one in every beginning of a round, and no prompt comes again before all others came.
    """
    method, prompt = np.asarray(methods, np.int64), np.asarray(prompts, np.int64)
    if len(method) == 0:
        return np.empty(0, np.int64)
    rng = np.random.default_rng([seed, 1])
    prompt_place = rng.permutation(int(prompt.max()) + 1)[prompt]
    n_methods = int(method.max()) + 1
    turn = (rng.permutation(n_methods)[method] - prompt_place) % n_methods
    # Items of one prompt and one method (several seeds) follow each other in random order.
    by_prompt = np.lexsort((rng.random(len(method)), turn, prompt_place))
    starts = np.r_[True, np.diff(prompt_place[by_prompt]) != 0]
    index = np.arange(len(method))
    round_ = np.empty(len(method), np.int64)
    round_[by_prompt] = index - np.maximum.accumulate(np.where(starts, index, 0))
    return np.lexsort((prompt_place, round_))


def batch_order(n: int, *, seed: int, rater: int, n_before: int) -> list[int]:
    """In which order a rater sees the n items reserved for them after `n_before` earlier ones."""
    return [int(i) for i in np.random.default_rng([seed, 2, rater, n_before]).permutation(n)]


def shown_order(n_images: int, *, seed: int, rater: int, item: int) -> list[int]:
    """The images' slots from left to right, as one rater sees one item."""
    return [int(i) for i in np.random.default_rng([seed, 3, rater, item]).permutation(n_images)]
