"""Whether times tell two kinds of request apart: by ranks within blocks of requests that followed each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Difference:
    """z: standard errors of the rank sum from what is expected if the kind does not matter; share: of the median."""

    z: float
    share: float


def difference(times: Sequence[float], is_kind: Sequence[bool], *, block: int = 20) -> Difference:
    """How far the times of one kind lie above those of the others.

    A stratified rank-sum test (van Elteren 1960) under permutation within blocks, so that a machine that is slower for
    a while slows all kinds alike. share: difference of the medians of times less their block's median, by the median.
    """
    seen, kinds = np.asarray(times, float), np.asarray(is_kind, bool)
    excess = variance = 0.0
    residuals = np.empty(len(seen))
    for first in range(0, len(seen), block):
        own, of_kind = seen[first : first + block], kinds[first : first + block]
        residuals[first : first + block] = own - np.median(own)
        n, m = len(own), int(of_kind.sum())
        if 0 < m < n:
            ranks = _ranks(own)
            excess += float(ranks[of_kind].sum()) - m * (n + 1) / 2
            variance += m * (n - m) / n * float(ranks.var(ddof=1))
    share = (np.median(residuals[kinds]) - np.median(residuals[~kinds])) / np.median(seen)
    return Difference(excess / variance**0.5, float(share))


def _ranks(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """1 for the smallest; ties share the mean of their ranks."""
    below = (values[:, np.newaxis] > values).sum(axis=1)
    return below + ((values[:, np.newaxis] == values).sum(axis=1) + 1) / 2
