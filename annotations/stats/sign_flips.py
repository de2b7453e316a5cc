"""Signs for permutation tests that swap two scores of whole prompts: one sign for each prompt, all columns at once."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Signs = Iterator[tuple[slice, NDArray[np.float64]]]
"""Chunks of clusters with their signs, (n_flips, chunk): 1 for +, 0 for −."""

_CELLS = 4_000_000
"""Signs held at once (32 MB)."""


Columns = Callable[[slice], NDArray[np.float64]]
"""Gives the rows (chunk, n_columns) of some clusters, so that wide tables need never exist as a whole."""


def flipped_sums(columns: NDArray[np.float64], signs: Signs) -> NDArray[np.float64]:
    """Σ_g sign_g · columns[g]: (n_flips, n_columns) from columns (n_clusters, n_columns), chunk by chunk."""
    return flipped_sums_of([lambda part: columns[part]], signs)[0]


def flipped_sums_of(sources: Sequence[Columns], signs: Signs) -> list[NDArray[np.float64]]:
    """`flipped_sums` of several tables under the same signs. Raises ValueError where there is no cluster."""
    total: list[NDArray[np.float64]] = []
    for part, chunk in signs:
        rows = [source(part) for source in sources]
        sums = [2 * (chunk @ row) - row.sum(axis=0) for row in rows]
        total = [a + b for a, b in zip(total, sums, strict=True)] if total else sums
    if not total and sources:
        raise ValueError("there is no cluster whose scores could be swapped")
    return total


def random_signs(n_clusters: int, n_flips: int, rng: np.random.Generator) -> Signs:
    """Chunks of clusters with independent fair signs, (n_flips, chunk)."""
    width = max(8, _CELLS // max(n_flips, 1) // 8 * 8)
    for start in range(0, n_clusters, width):
        stop = min(start + width, n_clusters)
        packed = np.frombuffer(rng.bytes(n_flips * (width // 8)), dtype=np.uint8).reshape(n_flips, width // 8)
        bits = np.unpackbits(packed, axis=1, count=stop - start)
        yield slice(start, stop), bits.astype(np.float64)


def all_signs(n_clusters: int) -> Signs:
    """Every one of the 2ⁿ sign vectors, once; for n up to about 16."""
    codes = np.arange(2**n_clusters)[:, None]
    yield slice(0, n_clusters), ((codes >> np.arange(n_clusters)) & 1).astype(np.float64)
