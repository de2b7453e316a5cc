"""Linear algebra of random intercepts: the matrix I + Λ Zᵀ W Z Λ, factored by eliminating the large, diagonal blocks.

Every rating belongs to one group of each factor (its image, its prompt, its rater). The block of the largest factor is
diagonal, and stays diagonal for the next one where factors are nested (images within prompts); what remains, the
raters, is small and dense. That is block Gaussian elimination (Schur complements), linear in the number of ratings.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

Floats = NDArray[np.float64]

DENSE_LIMIT = 4000
"""Groups of the factors that cannot be eliminated diagonally: their matrix is dense (128 MB at this size)."""
SMALL = 100
"""Up to this many groups altogether everything is dense: sparse bookkeeping would cost more than it saves. Beyond, a
dense factorisation would start threads, which wait for each other where the machine is busy."""
_ROWS = 20_000


class TooLarge(ValueError):
    """The factors cross in so many groups that no sparse elimination is at hand."""


@dataclass(frozen=True)
class Factored:
    """Diagonals and borders of the eliminated blocks, then the inverse and the Cholesky factor of the rest."""

    diagonals: tuple[Floats, ...]
    borders: tuple[sparse.csr_array, ...]
    cholesky: Floats
    inverse: Floats

    @property
    def log_determinant(self) -> float:
        return float(sum(np.log(d).sum() for d in self.diagonals) + 2 * np.log(np.diag(self.cholesky)).sum())

    def solve(self, right: Floats) -> Floats:
        """H⁻¹ right, (M,) in and out."""
        kept, rest = [], right
        for diagonal, border in zip(self.diagonals, self.borders, strict=True):
            head, rest = rest[: len(diagonal)], rest[len(diagonal) :]
            rest = rest - border @ (head / diagonal)
            kept.append(head)
        solution = self.inverse @ rest
        for diagonal, border, head in zip(self.diagonals[::-1], self.borders[::-1], kept[::-1], strict=True):
            solution = np.concatenate(((head - border.T @ solution) / diagonal, solution))
        return solution

    def quadratic_forms(self, rows: sparse.csr_array) -> Floats:
        """x H⁻¹ xᵀ for every row x of a sparse (k, M) matrix."""
        total = np.zeros(rows.shape[0])
        for diagonal, border in zip(self.diagonals, self.borders, strict=True):
            head, rest = rows[:, : len(diagonal)], rows[:, len(diagonal) :]
            total += head.power(2) @ (1 / diagonal)
            scaled = head @ sparse.diags_array(1 / diagonal)
            rows = (rest - scaled @ border.T).tocsr()
        for start in range(0, rows.shape[0] if len(self.inverse) else 0, _ROWS):
            part = rows[start : start + _ROWS]
            total[start : start + _ROWS] += part.multiply(part @ self.inverse).sum(axis=1)
        return total

    def diagonal(self, offset: int, size: int) -> Floats:
        """(size,) the diagonal of H⁻¹ from column `offset` on."""
        if not self.diagonals:
            return np.diag(self.inverse)[offset : offset + size]
        m = sum(len(diagonal) for diagonal in self.diagonals) + len(self.inverse)
        own = sparse.csr_array((np.ones(size), np.arange(offset, offset + size), np.arange(size + 1)), shape=(size, m))
        return self.quadratic_forms(own)


class Design:
    """Random intercepts of several factors: which group of each factor a rating belongs to.

    codes: one (n,) int array a factor, 0 ≤ code < sizes[f]; factors in descending order of size. Columns of all
    matrices are the groups, factor after factor.
    """

    def __init__(self, codes: list[NDArray[np.int64]], sizes: list[int]) -> None:
        self.codes = codes
        self.sizes = sizes
        self.offsets = np.concatenate(([0], np.cumsum(sizes))).astype(int)
        n = len(codes[0]) if codes else 0
        shape = (n, int(self.offsets[-1]))
        columns = np.column_stack([code + offset for code, offset in zip(codes, self.offsets, strict=False)])
        indptr = np.arange(n + 1) * len(codes)
        self.incidence = sparse.csr_array((np.ones(n * len(codes)), columns.ravel(), indptr), shape=shape)
        # Where each rating's weight goes in ZᵀWZ: one list of distinct (group, group) pairs for every two factors.
        self._pairs = []
        for first in range(len(codes)):
            for second in range(first + 1, len(codes)):
                key = codes[second] * np.int64(sizes[first]) + codes[first]
                distinct, place = np.unique(key, return_inverse=True)
                at = (distinct // sizes[first] + self.offsets[second], distinct % sizes[first] + self.offsets[first])
                self._pairs.append((first, second, at, place))

    def spread(self, values: Floats) -> Floats:
        """(M,) repeated per factor: sizes[f] copies of values[f]."""
        return np.repeat(values, self.sizes)

    def scaled(self, deviations: Floats) -> sparse.csr_array:
        """Z Λ: the incidence with each factor's ones replaced by its standard deviation."""
        z = self.incidence
        return sparse.csr_array((np.tile(deviations, len(z.indptr) - 1), z.indices, z.indptr), shape=z.shape)

    def factor(self, weight: Floats, deviations: Floats) -> Factored:
        """I + Λ Zᵀ W Z Λ for weights (n,) ≥ 0 and standard deviations (n_factors,), factored."""
        scale = self.spread(deviations)
        diagonal = 1 + scale**2 * np.concatenate(
            [np.bincount(code, weight, minlength=size) for code, size in zip(self.codes, self.sizes, strict=True)]
        )
        n = len(diagonal)
        if n <= SMALL:
            dense = np.diag(diagonal)
            for first, second, (row, column), place in self._pairs:
                data = np.bincount(place, weight) * deviations[first] * deviations[second]
                dense[row, column] = dense[column, row] = data
            return Factored((), (), *_inverted(dense))
        matrix = sparse.diags_array(diagonal, format="csr")
        for first, second, at, place in self._pairs:
            data = np.bincount(place, weight) * deviations[first] * deviations[second]
            lower = sparse.coo_array((data, at), shape=(n, n))
            matrix = matrix + (lower + lower.T).tocsr()
        diagonals, borders = [], []
        for size in self.sizes:
            block = matrix[:size, :size]
            if block.nnz > size:
                break
            head = block.diagonal()
            border = matrix[size:, :size].tocsr()
            matrix = (matrix[size:, size:] - (border @ sparse.diags_array(1 / head)) @ border.T).tocsr()
            diagonals.append(head)
            borders.append(border)
        if matrix.shape[0] > DENSE_LIMIT:
            raise TooLarge(f"{matrix.shape[0]} groups cross; at most {DENSE_LIMIT} can be treated together")
        return Factored(tuple(diagonals), tuple(borders), *_inverted(matrix.toarray()))


def _inverted(matrix: Floats) -> tuple[Floats, Floats]:
    """The lower Cholesky factor and the inverse of a positive definite matrix, which may be empty."""
    if len(matrix) == 0:
        return np.zeros((0, 0)), np.zeros((0, 0))
    # Not from the Cholesky factor: its triangular solves start threads at 40 rows, and cost 50 times as much on a busy
    # machine. The matrices are well conditioned: the identity plus something positive semidefinite.
    inverse: Floats = np.linalg.inv(matrix).astype(np.float64, copy=False)
    return linalg.cholesky(matrix, lower=True), inverse
