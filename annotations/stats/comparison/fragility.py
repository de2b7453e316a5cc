"""How fragile is the winner? The fewest prompts, raters or ratings without which the better mean no longer leads.

Standard errors do not answer this: in public arenas a few votes in a hundred thousand decide the first place (Huang et
al. 2025, arXiv 2508.11847). Prompts are counted exactly. A few raters are tried in every combination. Many raters, and
ratings, are removed in the order of their influence (Broderick, Giordano & Meager 2020, arXiv 2011.14999), and the
difference is computed again without them. So the number found is sufficient, but a smaller one may be too. Removing
ratings may also take whole prompts out of the comparison, where that needs fewer.
"""

from collections.abc import Callable
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import FloatArray, IntArray, numbered, totals
from annotations.stats.comparison.paired import paired_cells
from annotations.stats.estimate import Fewest
from annotations.stats.ratings import Ratings
from annotations.stats.removals import fewest_removed

MOST_COMBINATIONS = 3_000
"""Sets of raters that are tried one by one."""
_TIE = 1e-12

Without = Callable[[NDArray[np.bool_]], float]
"""Which of a kind are kept → by how much the leader leads: 0 or less if it does not; NaN if nothing is left."""


def fewest_to_change(
    ratings: Ratings,
    *,
    prompt: NDArray[np.integer],
    method: NDArray[np.integer],
    baseline: int,
    refined: int,
    most_combinations: int = MOST_COMBINATIONS,
) -> tuple[Fewest, Fewest, Fewest]:
    """Prompts, raters and ratings, for the mean difference of `compare`, whose arguments these are.

    The leader is the method with the higher mean; it no longer leads if the mean difference is 0 or reversed. The codes
    are those of `prompt`, of `ratings.rater`, and places in `ratings`. At a difference of 0 there is no leader: n is 0.
    """
    cells = paired_cells(ratings, prompt=prompt, method=method, baseline=baseline, refined=refined)
    cell_of_unit = np.full(ratings.n_units, -1, np.int64)
    cell_of_unit[cells.unit] = cells.cell
    used = np.flatnonzero(cell_of_unit[ratings.unit] >= 0)
    units, unit = numbered(ratings.unit[used])
    design = _Design(
        unit,
        cell_of_unit[units],
        ratings.values[ratings.level[used]],
        len(cells.prompts),
    )
    differences = design.differences(np.ones(len(used)))
    mean = float(differences.mean()) if len(differences) else 0.0
    raters, rater = numbered(ratings.rater[used])
    sizes = {"prompts": len(differences), "raters": len(raters), "ratings": len(used)}
    if abs(mean) <= _TIE:
        found = [Fewest(kind, 0, size) for kind, size in sizes.items()]
        return found[0], found[1], found[2]
    sign = float(np.sign(mean))

    def lead(kept: NDArray[np.bool_]) -> float:
        without = design.differences(kept.astype(float))
        return sign * float(without.mean()) if len(without) else np.nan

    influence = sign * design.influences()
    of_rater = totals(rater, influence, len(raters))
    of_prompts = _of_prompts(sign * differences, cells.prompts)
    single = by_influence("ratings", influence, lead, used)
    if of_prompts.n is not None:
        # All ratings of a method on a prompt take the prompt out of the comparison.
        ordered = np.searchsorted(cells.prompts, of_prompts.codes)
        out = design.smaller_sides(ordered)
        if single.n is None or len(out) < single.n:
            single = Fewest("ratings", len(out), len(used), tuple(used[out].tolist()), is_exact=len(out) == 1)
    return of_prompts, fewest_raters(of_rater, lambda kept: lead(kept[rater]), raters, most_combinations), single


class _Design:
    """The ratings of a comparison: unit (n,), cell (n_units,) 2 · prompt + side, value (n,)."""

    def __init__(self, unit: IntArray, cell: IntArray, value: FloatArray, n_prompts: int) -> None:
        self.unit, self.cell, self.value, self.n_prompts = unit, cell, value, n_prompts

    def differences(self, weight: FloatArray) -> FloatArray:
        """(≤ n_prompts,) refined − baseline of the prompts that still have both sides; weight (n,) 0 or 1."""
        n_units, n_cells = len(self.cell), 2 * self.n_prompts
        n = np.bincount(self.unit, weight, minlength=n_units)
        total = np.bincount(self.unit, weight * self.value, minlength=n_units)
        there = n > 0
        mean = np.divide(total, n, out=np.zeros(n_units), where=there)
        images = np.bincount(self.cell, there, minlength=n_cells)
        of_cell = np.bincount(self.cell, mean, minlength=n_cells)
        of_cell = np.divide(of_cell, images, out=np.full(n_cells, np.nan), where=images > 0).reshape(-1, 2)
        found = of_cell[:, 1] - of_cell[:, 0]
        return found[~np.isnan(found)]

    def smaller_sides(self, prompts: IntArray) -> IntArray:
        """(k,) the ratings of these prompts (indices) by the method that has fewer of them there."""
        cell = self.cell[self.unit]
        n = np.bincount(cell, minlength=2 * self.n_prompts).reshape(-1, 2)
        chosen = 2 * prompts + (n[prompts, 1] < n[prompts, 0])
        found: IntArray = np.flatnonzero(np.isin(cell, chosen))
        return found

    def influences(self) -> FloatArray:
        """(n,) how much the mean difference falls when each single rating is left out."""
        n_units = len(self.cell)
        n = np.bincount(self.unit, minlength=n_units).astype(float)
        total = np.bincount(self.unit, self.value, minlength=n_units)
        mean = total / n
        images = np.bincount(self.cell, minlength=2 * self.n_prompts).astype(float)
        of_cell = np.bincount(self.cell, mean, minlength=2 * self.n_prompts) / images
        share = np.where(self.cell % 2 == 1, 1.0, -1.0) / images[self.cell] / self.n_prompts
        more = n[self.unit] > 1
        left = np.where(more, (total[self.unit] - self.value) / np.maximum(n[self.unit] - 1, 1), mean[self.unit])
        fall = share[self.unit] * (mean[self.unit] - left)
        # A lone rating takes its image with it, and a lone image its prompt.
        pairs = of_cell.reshape(-1, 2)
        difference = pairs[:, 1] - pairs[:, 0]
        cell = self.cell[self.unit]
        many = images[cell] > 1
        sign = np.where(cell % 2 == 1, 1.0, -1.0)
        image = sign * (mean[self.unit] - of_cell[cell]) / np.maximum(images[cell] - 1, 1) / self.n_prompts
        prompt = (difference[cell // 2] - difference.mean()) / max(self.n_prompts - 1, 1)
        return np.where(more, fall, np.where(many, image, prompt))


def _of_prompts(leads: FloatArray, prompts: IntArray) -> Fewest:
    """Exact: the prompts on which the leader leads most are removed first, until the rest does not favour it."""
    order = np.argsort(-leads, kind="stable")
    left = leads.sum() - np.cumsum(leads[order])
    gone = np.flatnonzero(left <= _TIE * max(1, len(leads)))
    n = int(gone[0]) + 1
    if n == len(leads):
        return Fewest("prompts", None, len(leads))
    return Fewest("prompts", n, len(leads), tuple(prompts[order[:n]].tolist()))


def fewest_raters(influence: FloatArray, lead: Without, codes: IntArray, most_combinations: int) -> Fewest:
    """Tries every set of raters, the small ones first, as long as there are not too many; after that uses influence."""
    size, tried = len(codes), 0
    for n in range(1, size):
        tried += comb(size, n)
        if tried > most_combinations:
            found = by_influence("raters", influence, lead, codes)
            if found.n is not None and found.n <= n:
                return Fewest("raters", found.n, size, found.codes, is_exact=True)
            return found
        for out in combinations(range(size), n):
            kept = np.ones(size, bool)
            kept[list(out)] = False
            if lead(kept) <= _TIE:
                return Fewest("raters", n, size, tuple(codes[list(out)].tolist()))
    return Fewest("raters", None, size)


def by_influence(kind: str, influence: FloatArray, lead: Without, codes: IntArray) -> Fewest:
    """The first n in descending order of their influence on the lead, for the smallest n that is found to be
    sufficient."""
    order = np.argsort(-influence, kind="stable")
    size = len(order)

    def does_it(n: int) -> bool | None:
        kept = np.ones(size, bool)
        kept[order[:n]] = False
        left = lead(kept)
        return None if np.isnan(left) else bool(left <= _TIE)

    # Influences add up to zero: removing all positive ones need not be enough, so the search goes on beyond them.
    n = fewest_removed(does_it, size - 1)
    if n is None:
        return Fewest(kind, None, size, is_exact=False)
    return Fewest(kind, n, size, tuple(codes[order[:n]].tolist()), is_exact=n == 1)
