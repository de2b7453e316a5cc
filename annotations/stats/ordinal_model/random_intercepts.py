"""Linear algebra of random intercepts: the matrix H = I + Λ Zᵀ W Z Λ, factored by eliminating large diagonal blocks.

Every rating belongs to one group of each factor (its image, its prompt, its rater). The block of the largest factor is
diagonal, and stays diagonal for the next one where factors are nested (images within prompts); what remains, the
raters, is small and dense. That is block Gaussian elimination (Schur complements), linear in the number of ratings.

Eliminating nested groups joins only groups that share a rating anyway. So where H has entries is known from the
ratings alone: it is looked up once for a design, and every factorisation is a few sums over vectors of entries.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy import linalg

from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.ordinal_model.border import Border, sums_of

DENSE_LIMIT = 4000
"""Groups of the factors that cannot be eliminated diagonally: their matrix is dense (128 MB at this size)."""


class TooLarge(ValueError):
    """The factors cross in too many groups for a sparse elimination."""


@dataclass(frozen=True)
class Factored:
    """H with its first factors eliminated: their diagonals, links to later ones and borders, then the rest.

    diagonals[e] (n_groups of e,); links[e][i] (n_groups of e,) the entry with the parent of factor e + 1 + i;
    entries[e] of the border to the rest; the rest's Cholesky factor.
    """

    design: "Design"
    deviations: FloatArray
    diagonals: list[FloatArray]
    links: list[list[FloatArray]]
    entries: list[FloatArray]
    cholesky: FloatArray

    @cached_property
    def inverse(self) -> FloatArray:
        """(n_rest, n_rest) of the rest's matrix, from its Cholesky factor."""
        if len(self.cholesky) == 0:
            return np.zeros((0, 0))
        lower, failed = linalg.lapack.dpotri(self.cholesky, lower=True)
        if failed:
            raise linalg.LinAlgError("the matrix of the random effects is singular")
        inverse: FloatArray = np.tril(lower) + np.tril(lower, -1).T
        return inverse

    @property
    def log_determinant(self) -> float:
        return float(sum(np.log(d).sum() for d in self.diagonals) + 2 * np.log(np.diag(self.cholesky)).sum())

    def solve(self, right: FloatArray) -> FloatArray:
        """H⁻¹ right, (M,) in and out."""
        *heads, rest = np.split(right, self.design.offsets[1 : len(self.diagonals) + 1])
        heads = [head.copy() for head in heads]
        for e, border in enumerate(self.design.borders):
            ready = heads[e] / self.diagonals[e]
            for j, parent, link in self._later(e):
                heads[j] -= sums_of(parent, link * ready, len(heads[j]))
            rest = rest - sums_of(border.columns, self.entries[e] * ready[border.rows], len(rest))
        if len(rest):
            rest = linalg.lapack.dpotrs(self.cholesky, rest, lower=True)[0]
        for e in reversed(range(len(heads))):
            border = self.design.borders[e]
            heads[e] -= border.summed(self.entries[e] * rest[border.columns])
            for j, parent, link in self._later(e):
                heads[e] -= link * heads[j][parent]
            heads[e] /= self.diagonals[e]
        return np.concatenate((*heads, rest))

    def leverages(self) -> FloatArray:
        """(n,) x H⁻¹ xᵀ for the row x of Z Λ of every rating."""
        design, k = self.design, len(self.diagonals)
        total, weights = self._eliminated(0, self.deviations[:k])
        found = total[design.codes[0]]
        # What elimination has moved from the eliminated groups to the rest meets the rating's own groups of the rest.
        for place, own in enumerate(design.rest):
            deviation = self.deviations[k + place]
            found += deviation**2 * np.diag(self.inverse)[own]
            for border, weight, through in zip(design.borders, weights, self._through_inverse, strict=True):
                found -= 2 * deviation * weight[design.codes[0]] * through[border.rating[place]]
        for one, other in combinations(range(len(design.rest)), 2):
            both = 2 * self.deviations[k + one] * self.deviations[k + other]
            found += both * self.inverse[design.rest[one], design.rest[other]]
        return found

    def diagonal(self, factor: int) -> FloatArray:
        """(n_groups,) the diagonal of H⁻¹ at one factor's groups."""
        k = len(self.diagonals)
        if factor < k:
            return self._eliminated(factor, np.append(1.0, np.zeros(k - factor - 1)))[0]
        offsets = self.design.offsets
        begin, end = offsets[factor : factor + 2] - offsets[k]
        return np.diag(self.inverse)[begin:end]

    def _eliminated(self, first: int, given: FloatArray) -> tuple[FloatArray, list[FloatArray]]:
        """x H⁻¹ xᵀ for the rows x that have given[i] at a group of eliminated factor first + i, i = 0, 1, …; and the
        weight of each of these factors' borders in what elimination moves to the rest. By groups of `first`."""
        n = len(self.diagonals[first])
        borders = self.design.borders[first:]
        at = [np.arange(n), *borders[0].parents]
        value = [np.full(n, one) for one in given]
        total, weights = np.zeros(n), []
        for i, groups in enumerate(at):
            weight = value[i] / self.diagonals[first + i][groups]
            total += value[i] * weight
            weights.append(weight)
            for j, _, link in self._later(first + i):
                value[j - first] -= weight * link[groups]
        through = self._through_inverse[first:]
        for i, groups in enumerate(at):
            entries = self.entries[first + i]
            total += weights[i] ** 2 * borders[i].summed(entries * through[i])[groups]
            for j, above in enumerate(borders[i].above, start=i + 1):
                total += 2 * weights[i] * weights[j] * borders[i].summed(entries * through[j][above])[groups]
        return total, weights

    @cached_property
    def _through_inverse(self) -> list[FloatArray]:
        """Of each eliminated factor its border times the rest's inverse, at the border's own entries."""
        pairs = zip(self.design.borders, self.entries, strict=True)
        return [border.times(entries, self.inverse) for border, entries in pairs]

    def _later(self, e: int) -> Iterator[tuple[int, IntArray, FloatArray]]:
        """The factors eliminated after e: their place, the group that each group of e lies in, and the link to it."""
        yield from zip(range(e + 1, len(self.diagonals)), self.design.borders[e].parents, self.links[e], strict=True)


class Design:
    """Random intercepts of several factors: which group of each factor a rating belongs to.

    codes: one (n,) int array per factor, 0 ≤ code < sizes[f]; the first and what it is nested in are eliminated, see
    `elimination_order`. Vectors (M,) hold the
    groups, factor after factor. `borders` are those of the factors that can be eliminated, `rest` (n,) each the
    columns of the others. Raises TooLarge where more than `dense_limit` groups remain.
    """

    def __init__(self, codes: list[IntArray], sizes: list[int], dense_limit: int = DENSE_LIMIT) -> None:
        self.codes = codes
        self.sizes = sizes
        self.offsets = np.concatenate(([0], np.cumsum(sizes))).astype(int)
        k = _n_eliminated(codes)
        self.n_rest = int(self.offsets[-1] - self.offsets[k])
        if self.n_rest > dense_limit:
            raise TooLarge(f"{self.n_rest} groups cross; at most {dense_limit} can be treated together")
        self.rest = [code + offset for code, offset in zip(codes[k:], self.offsets[k:] - self.offsets[k], strict=False)]
        self.borders: list[Border] = []
        for e in reversed(range(k)):
            self.borders.insert(0, self._border(e, k))
        # Where each rating's weight goes in the rest: the distinct pairs of groups of every two of its factors.
        self._crossings = []
        for one, other in combinations(range(len(self.rest)), 2):
            distinct, place = np.unique(self.rest[other] * self.n_rest + self.rest[one], return_inverse=True)
            self._crossings.append((k + one, k + other, divmod(distinct, self.n_rest), place))

    def spread(self, values: FloatArray) -> FloatArray:
        """(M,) repeated per factor: sizes[f] copies of values[f]."""
        return np.repeat(values, self.sizes)

    def at_ratings(self, effects: FloatArray) -> FloatArray:
        """Z effects: (M,) → (n,) each rating's sum over its groups."""
        starts = self.offsets[:-1].tolist()
        return np.add.reduce([effects[start:][code] for start, code in zip(starts, self.codes, strict=True)])

    def by_group(self, values: FloatArray) -> FloatArray:
        """Zᵀ values: (n,) → (M,) each group's sum over its ratings."""
        sums = [sums_of(code, values, size) for code, size in zip(self.codes, self.sizes, strict=True)]
        return np.concatenate(sums)

    def factor(self, weight: FloatArray, deviations: FloatArray) -> Factored:
        """I + Λ Zᵀ W Z Λ for weights (n,) ≥ 0 and standard deviations (n_factors,), factored."""
        k = len(self.borders)
        sums = np.split(self.by_group(weight), self.offsets[1:-1])
        diagonals = [1 + deviation**2 * one for deviation, one in zip(deviations, sums, strict=True)]
        links = [[deviations[e] * deviations[j] * sums[e] for j in range(e + 1, k)] for e in range(k)]
        column_deviation = np.repeat(deviations[k:], self.sizes[k:])
        entries = [
            deviations[e] * column_deviation[border.columns] * border.of_ratings(weight)
            for e, border in enumerate(self.borders)
        ]
        rest = np.diag(np.concatenate((np.zeros(0), *diagonals[k:])))
        for one, other, (row, column), place in self._crossings:
            data = np.bincount(place, weight) * deviations[one] * deviations[other]
            rest[row, column] = rest[column, row] = data
        for e, border in enumerate(self.borders):
            inverse = 1 / diagonals[e]
            for i, (parent, above) in enumerate(zip(border.parents, border.above, strict=True)):
                j, pull = e + 1 + i, links[e][i] * inverse
                diagonals[j] -= sums_of(parent, pull * links[e][i], self.sizes[j])
                for further in range(i + 1, len(border.parents)):
                    moved = sums_of(parent, pull * links[e][further], self.sizes[j])
                    links[j][further - i - 1] -= moved
                entries[j] -= sums_of(above, pull[border.rows] * entries[e], len(entries[j]))
            rest -= border.outer(entries[e], inverse)
        return Factored(self, deviations, diagonals[:k], links, entries, _cholesky(rest))

    def _parent(self, inner: int, outer: int) -> IntArray:
        """(n_groups of inner,) a group of `outer` that each shares a rating with."""
        return _parent(self.codes[inner], self.codes[outer])

    def _border(self, e: int, k: int) -> Border:
        """That of factor e; those of the factors from e + 1 to k are there already."""
        n_columns = max(self.n_rest, 1)
        keys = [self.codes[e] * n_columns + own for own in self.rest]
        distinct, place = np.unique(np.concatenate((np.zeros(0, np.int64), *keys)), return_inverse=True)
        rows, columns = divmod(distinct, n_columns)
        parents = tuple(self._parent(e, j) for j in range(e + 1, k))
        above = [
            np.searchsorted(later.rows * n_columns + later.columns, parent[rows] * n_columns + columns)
            for parent, later in zip(parents, self.borders, strict=True)
        ]
        starts = np.searchsorted(rows, np.arange(self.sizes[e] + 1))
        by_factor = place.reshape(len(self.rest), len(self.codes[e]))
        return Border(self.sizes[e], self.n_rest, rows, columns, by_factor, parents, tuple(above), starts)


def elimination_order(codes: list[IntArray]) -> list[int]:
    """The order of factors in which the fewest groups remain to be treated together.

    codes: one (n,) int array per factor. A factor that is eliminated first may be followed by those that it is nested
    in, from small groups to large: images and their prompts, or raters × methods and their raters.
    """
    sizes = [int(code.max()) + 1 for code in codes]
    by_size = sorted(range(len(codes)), key=lambda at: -sizes[at])
    best: list[int] = []
    for first in by_size:
        chain = [first]
        for at in by_size:
            if at not in chain and all(_is_nested(codes[inner], codes[at]) for inner in chain):
                chain.append(at)
        if sum(sizes[at] for at in chain) > sum(sizes[at] for at in best):
            best = chain
    return best + [at for at in by_size if at not in best]


def n_together(codes: list[IntArray]) -> int:
    """How many groups remain where factors (n,), with any codes, are eliminated in the best order."""
    dense = [np.unique(code, return_inverse=True)[1].astype(np.int64) for code in codes]
    if not dense or not len(dense[0]):
        return 0
    ordered = [dense[at] for at in elimination_order(dense)]
    return sum(int(code.max()) + 1 for code in ordered[_n_eliminated(ordered) :])


def _n_eliminated(codes: list[IntArray]) -> int:
    """How many first factors are nested, each in all that follow among them."""
    k = 1
    while k < len(codes) and all(_is_nested(codes[e], codes[k]) for e in range(k)):
        k += 1
    return k


def _is_nested(inner: IntArray, outer: IntArray) -> bool:
    return bool((_parent(inner, outer)[inner] == outer).all())


def _parent(inner: IntArray, outer: IntArray) -> IntArray:
    """(n_groups of inner,) a group of `outer` that each shares a rating with."""
    parent = np.zeros(int(inner.max()) + 1, dtype=np.int64)
    parent[inner] = outer
    return parent


def _cholesky(matrix: FloatArray) -> FloatArray:
    """The lower Cholesky factor of a positive definite matrix, which may be empty."""
    return linalg.cholesky(matrix, lower=True) if len(matrix) else np.zeros((0, 0))
