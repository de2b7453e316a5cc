"""Which items need a further rater, and what their raters agree on.

Every item first has the same number of *base* raters. A disputed one then gets one rater more at a time, up to a cap.
Two rules say when an item is disputed:

"open"    raters who may still come, up to the cap, could change its consensus. A rater who could not change it is not
          asked, so every consensus is exactly the one that a study with the cap for all items finds: nothing is
          estimated, and no error rate changes. This is curtailed sampling; for tests see Wald (1947), *Sequential
          Analysis*, section 5.
"differ"  two of its answers are at least `distance` levels apart.

Whether further raters come depends on what the base raters said. So the plain mean of all of an item's ratings is
biased (`design_weights` removes that), and so is any agreement coefficient over items with different numbers of raters.
Both are computed from the base raters only.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray, IntArray

Consensus = Literal["majority", "median"]
"""The level that most raters chose, or the middle one of their levels in order."""
Rule = Literal["open", "differ"]


def consensus(counts: IntArray, kind: Consensus) -> FloatArray:
    """(n_items,) the level, from 0, on which an item's raters agree.

    counts  (n_items, n_levels) how many raters chose each level
    "majority" is NaN where two levels tie for the lead; "median" is halfway where two levels are in the middle. Both
    are NaN without ratings.
    """
    n_given = counts.sum(axis=1)
    if kind == "majority":
        top = counts.max(axis=1, keepdims=True)
        is_single = (counts == top).sum(axis=1) == 1
        return np.where(is_single & (n_given > 0), counts.argmax(axis=1), np.nan)
    below = counts.cumsum(axis=1)
    middle = [(below >= rank[:, np.newaxis]).argmax(axis=1) for rank in ((n_given + 1) // 2, n_given // 2 + 1)]
    return np.where(n_given > 0, (middle[0] + middle[1]) / 2, np.nan)


def is_open(counts: IntArray, left: IntArray, kind: Consensus) -> NDArray[np.bool_]:
    """(n_items,) whether further answers could change the consensus or make it.

    counts  (n_items, n_levels) how many raters chose each level
    left    (n_items,) how many raters may still come
    Where this is false, the consensus stays the same whatever the further answers are.
    """
    if kind == "majority":
        ordered = np.sort(counts, axis=1)
        second = ordered[:, -2] if counts.shape[1] > 1 else np.zeros(len(counts), np.int64)
        return (left > 0) & (ordered[:, -1] - second <= left)
    # The extremes: all further raters choose the lowest level, or all choose the highest.
    low, high = counts.copy(), counts.copy()
    low[:, 0] += left
    high[:, -1] += left
    return (left > 0) & (consensus(low, "median") != consensus(high, "median"))


def differs(counts: IntArray, distance: int) -> NDArray[np.bool_]:
    """(n_items,) whether two answers are at least `distance` levels apart.

    counts  (n_items, n_levels) how many raters chose each level
    """
    chosen = counts > 0
    highest = counts.shape[1] - 1 - chosen[:, ::-1].argmax(axis=1)
    return chosen.any(axis=1) & (highest - chosen.argmax(axis=1) >= distance)


def is_disputed(
    counts: IntArray, left: IntArray, *, rule: Rule, kind: Consensus = "majority", distance: int = 1
) -> NDArray[np.bool_]:
    """(n_items,) which items the rule gives a further rater.

    counts    (n_items, n_levels) how many raters chose each level; raters who could not answer are not counted
    left      (n_items,) how many raters may still come
    kind      of the consensus that "open" keeps
    distance  levels, for "differ": on unordered levels, 1 is the only meaningful distance
    """
    if rule == "open":
        return is_open(counts, left, kind)
    return (left > 0) & differs(counts, distance)


def design_weights(is_further: NDArray[np.bool_], probability: FloatArray) -> FloatArray:
    """(n,) what each item's further ratings count by: 1 / probability where they were made, 0 where not.

    is_further   (n,) whether the item was given to all raters up to the cap
    probability  (n,) probability of that, given the item's base ratings: 1 for a disputed item
    Raises ValueError for a probability of 0 or above 1, since nothing can represent items that could not be chosen.

    Horvitz and Thompson (1952), JASA 47:663.
    """
    if np.any(~(probability > 0)) or np.any(probability > 1):
        raise ValueError("each item needs a probability above 0, at most 1, of getting further raters")
    return np.where(is_further, 1 / probability, 0.0)


def weighted_item_means(
    base: FloatArray, full: FloatArray, is_further: NDArray[np.bool_], probability: FloatArray
) -> FloatArray:
    """(n_items,) estimates whose expected value is the mean that raters up to the cap would give each item.

    base   (n_items,) means of the base raters
    full   (n_items,) means of all raters up to the cap; ignored where there were none
    The other arguments are those of `design_weights`. An estimate is base + weight · (full − base): unbiased over the
    draw of the items, whatever the ratings are. A single estimate can lie off the scale, and a small probability makes
    the estimates noisier than base means; docs/methods/adaptive.md says by how much.
    """
    weights = design_weights(is_further, probability)
    return base + np.where(is_further, weights * (np.where(is_further, full, 0.0) - base), 0.0)
