"""Soft pairwise accuracy at the level of methods: does the metric believe as firmly as people do which is better?"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from annotations.stats.sign_flips import BLOCKS, all_signs, block_sums, flipped_sums, random_signs

METHOD = (
    "1 − mean |p_human − p_metric| over pairs of methods (Thompson et al. 2024), p by flipping the signs of prompts' "
    "differences, with mid-p so that it does not depend on the methods' order"
)
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class SoftPairwise:
    """The value, and how many prompts with every method it rests on; NaN and a reason where undefined."""

    value: float
    n_prompts: int
    reason: str = ""


def soft_pairwise_accuracy(
    tables: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    *,
    rng: np.random.Generator,
    n_permutations: int = 1000,
    mid_p: bool = True,
) -> list[SoftPairwise]:
    """Soft pairwise accuracy, 1 − PCE, of each metric; 1 is full accord, chance is near 2/3.

    tables: for each metric the human scores and its own, (n_prompts, n_methods) each, NaN where a method has no unit
    for a prompt. Prompts with a gap are left out. For each pair of methods p is the share of random sign flips of the
    prompts' differences whose sum reaches the observed one (one-sided); the same flips serve people and metrics. With
    few prompts all 2ⁿ flips are used; more than 2,000 prompts are flipped in as many random blocks. `mid_p` counts a
    tie of flipped and observed sums by half; without it a tie counts in full, as Thompson et al. have it, and the value
    depends on which of two methods comes first.
    """
    complete = [np.all(np.isfinite(np.add(human, metric)), axis=1) for human, metric in tables]
    out: list[SoftPairwise] = []
    n_clusters = len(tables[0][0]) if tables else 0
    n_methods = tables[0][0].shape[1] if tables else 0
    reason = "needs two or more methods" if n_methods < 2 else ""
    if reason or not any(rows.any() for rows in complete):
        reason = reason or "no prompt has a score of every method"
        return [SoftPairwise(nan, int(rows.sum()), reason) for rows in complete]
    columns = np.concatenate(
        [np.where(rows[:, None], table, 0.0) for pair, rows in zip(tables, complete, strict=True) for table in pair],
        axis=1,
    )
    exhaustive = 2 ** min(n_clusters, 60) <= n_permutations
    if exhaustive:
        sums = flipped_sums(columns, all_signs(n_clusters))
    else:
        pooled = n_clusters > BLOCKS
        rows = block_sums(columns, rng.permutation(n_clusters) % BLOCKS, BLOCKS) if pooled else columns
        sums = flipped_sums(rows, random_signs(len(rows), n_permutations, rng))
    flipped = sums.reshape(-1, len(tables), 2, n_methods)
    observed = columns.sum(axis=0).reshape(len(tables), 2, n_methods)
    size = np.abs(columns).sum(axis=0).reshape(len(tables), 2, n_methods)
    first, second = np.triu_indices(n_methods, 1)
    for index, rows in enumerate(complete):
        if not rows.any():
            out.append(SoftPairwise(nan, 0, "no prompt has a score of every method"))
            continue
        null = flipped[:, index][:, :, first] - flipped[:, index][:, :, second]
        delta = observed[index][:, first] - observed[index][:, second]
        noise = _SAME * (size[index][:, first] + size[index][:, second])
        ties = (np.abs(null - delta) <= noise).mean(axis=0)
        p = (null > delta + noise).mean(axis=0) + ties * (0.5 if mid_p else 1.0)
        out.append(SoftPairwise(1 - float(np.abs(p[0] - p[1]).mean()), int(rows.sum())))
    return out
