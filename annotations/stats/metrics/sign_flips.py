"""Signs for permutation tests that swap two scores of whole prompts: one sign for each prompt, all columns at once."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Signs = Iterator[tuple[slice, NDArray[np.float64]]]
"""Chunks of clusters with their signs, (n_flips, chunk): 1 for +, 0 for −."""

_CELLS = 4_000_000
"""Signs held at once (32 MB)."""


BLOCKS = 2000
"""Tests flip no more signs than this: more prompts are pooled at random into this many blocks, each with one sign. The
test keeps its size, as any set of exchanges does, and with z the difference over its standard error the null variance
grows by z²/2000 only."""


def flipped_sums(columns: NDArray[np.float64], signs: Signs) -> NDArray[np.float64]:
    """Σ_g sign_g · columns[g]: (n_flips, n_columns) from columns (n_clusters, n_columns), chunk by chunk.

    Raises ValueError where there is no cluster.
    """
    total: NDArray[np.float64] | None = None
    for part, chunk in signs:
        rows = columns[part]
        sums = chunk @ (2 * rows)
        sums -= rows.sum(axis=0)
        total = sums if total is None else total + sums
    if total is None:
        raise ValueError("there is no cluster whose scores could be swapped")
    return total


def block_sums(columns: NDArray[np.float64], block: NDArray[np.int64], n_blocks: int) -> NDArray[np.float64]:
    """(n_blocks, n_columns) sums of the rows of columns (n_clusters, n_columns) in each block."""
    sums = [np.bincount(block, weights=column, minlength=n_blocks) for column in columns.T]
    return np.stack(sums, axis=1) if sums else np.zeros((n_blocks, 0))


def random_signs(n_clusters: int, n_flips: int, rng: np.random.Generator) -> Signs:
    """Chunks of clusters with independent fair signs, (n_flips, chunk)."""
    width = max(8, _CELLS // max(n_flips, 1) // 8 * 8)
    for start in range(0, n_clusters, width):
        stop = min(start + width, n_clusters)
        n_bytes = -(-(stop - start) // 8)
        packed = np.frombuffer(rng.bytes(n_flips * n_bytes), dtype=np.uint8).reshape(n_flips, n_bytes)
        bits = np.unpackbits(packed, axis=1, count=stop - start)
        yield slice(start, stop), bits.astype(np.float64)


def all_signs(n_clusters: int) -> Signs:
    """Every one of the 2ⁿ sign vectors, once; for n up to about 16."""
    codes = np.arange(2**n_clusters)[:, None]
    yield slice(0, n_clusters), ((codes >> np.arange(n_clusters)) & 1).astype(np.float64)
