"""Linear algebra of random intercepts: the matrix H = I + Λ Zᵀ W Z Λ, factored by eliminating large diagonal blocks.

Every rating belongs to one group of each factor (its image, its prompt, its rater). The block of the largest factor is
diagonal, and stays diagonal for the next one if factors are nested (images within prompts). What remains, the raters,
is small and dense. That is block Gaussian elimination (Schur complements), linear in the number of ratings.

Eliminating nested groups joins only groups that share a rating anyway. So the ratings alone determine where H has
entries. Their places are found once for a design, and every factorisation is a few sums over vectors of entries. What
remains is often nested itself, raters × methods in raters. Then the sums are taken over the finest factor alone, and
added up for the others: G below says which of its groups lie in which group of the rest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
from scipy import linalg, sparse

from annotations.stats.arrays import FloatArray, IntArray, numbered
from annotations.stats.ordinal_model.border import FEW, NARROW, Border, sums_of

DENSE_LIMIT = 4000
"""Groups of the factors that cannot be eliminated diagonally: their matrix is dense (128 MB at this size)."""


class TooLarge(ValueError):
    """The factors cross in too many groups for a sparse elimination."""


@dataclass(frozen=True)
class Factored:
    """H with its first factors eliminated: their diagonals, links to later ones and borders, then the rest.

    diagonals[e] (n_groups of e,); links[e][i] (n_groups of e,) the entry with the parent of factor e + 1 + i;
    entries[e] of the border to the columns, without the rest's deviations; the rest's Cholesky factor.
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

    @cached_property
    def _rest_deviations(self) -> FloatArray:
        """(n_rest,) of each group's factor."""
        k = len(self.diagonals)
        return np.repeat(self.deviations[k:], self.design.sizes[k:])

    @cached_property
    def _inner(self) -> FloatArray:
        """(n_columns, n_columns) Gᵀ Λ (the rest's inverse) Λ G."""
        to_columns = self.design.to_columns
        scaled = self.inverse * np.outer(self._rest_deviations, self._rest_deviations)
        return np.ascontiguousarray(to_columns(to_columns(scaled).T))

    def solve(self, right: FloatArray) -> FloatArray:
        """H⁻¹ right, (M,) in and out."""
        *heads, rest = np.split(right, self.design.offsets[1 : len(self.diagonals) + 1])
        heads = [head.copy() for head in heads]
        moved = np.zeros(self.design.n_columns)
        for e, border in enumerate(self.design.borders):
            ready = heads[e] / self.diagonals[e]
            for j, parent, link in self._later(e):
                heads[j] -= sums_of(parent, link * ready, len(heads[j]))
            moved += sums_of(border.columns, self.entries[e] * ready[border.rows], len(moved))
        if len(rest):
            rest = rest - self._rest_deviations * self.design.to_rest(moved)
            rest = linalg.lapack.dpotrs(self.cholesky, rest, lower=True)[0]
        back = self.design.to_columns(self._rest_deviations * rest)
        for e in reversed(range(len(heads))):
            border = self.design.borders[e]
            heads[e] -= border.summed(self.entries[e] * back[border.columns])
            for j, parent, link in self._later(e):
                heads[e] -= link * heads[j][parent]
            heads[e] /= self.diagonals[e]
        return np.concatenate((*heads, rest))

    def leverages(self) -> FloatArray:
        """(n,) x H⁻¹ xᵀ for the row x of Z Λ of every rating."""
        design, k = self.design, len(self.diagonals)
        total, weights = self._eliminated(0, self.deviations[:k])
        found = total[design.codes[0]]
        # What elimination has moved from the eliminated groups to the rest meets the rating's own columns.
        for place, own in enumerate(design.columns):
            found += np.diag(self._inner)[own]
            for border, weight, through in zip(design.borders, weights, self._through_inverse, strict=True):
                found -= 2 * weight[design.codes[0]] * through[border.rating[place]]
        for one, other in combinations(design.columns, 2):
            found += 2 * self._inner[one, other]
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
        """For each eliminated factor, its border times the rest's inverse, at the border's own entries."""
        pairs = zip(self.design.borders, self.entries, strict=True)
        return [border.times(entries, self._inner) for border, entries in pairs]

    def _later(self, e: int) -> Iterator[tuple[int, IntArray, FloatArray]]:
        """The factors eliminated after e: their place, the group that each group of e lies in, and the link to it."""
        yield from zip(range(e + 1, len(self.diagonals)), self.design.borders[e].parents, self.links[e], strict=True)


class Design:
    """Random intercepts of several factors: which group of each factor a rating belongs to.

    codes: one (n,) int array per factor, 0 ≤ code < sizes[f]; the first and what it is nested in are eliminated, see
    `elimination_order`. Vectors (M,) hold the groups, factor after factor. `borders` are those of the factors that can
    be eliminated. `columns` (n,) each say where a rating is in them: its group of the finest of the other factors, or,
    where these are not nested, of each; `spreading` is G (n_rest, n_columns), see above.
    Raises TooLarge where more than `dense_limit` groups remain. narrow, few: see `border`.
    """

    def __init__(
        self,
        codes: list[IntArray],
        sizes: list[int],
        dense_limit: int = DENSE_LIMIT,
        narrow: int = NARROW,
        few: int = FEW,
    ) -> None:
        self.codes = codes
        self.sizes = sizes
        self.offsets = np.concatenate(([0], np.cumsum(sizes))).astype(int)
        k = n_eliminated(codes)
        self.n_rest = int(self.offsets[-1] - self.offsets[k])
        if self.n_rest > dense_limit:
            raise TooLarge(f"{self.n_rest} groups cross; at most {dense_limit} can be treated together")
        self._parents = [_parent(codes[0], codes[e]) for e in range(1, k)]
        begins = (self.offsets[k:-1] - self.offsets[k]).tolist()
        rest = list(zip(codes[k:], begins, strict=True))
        if rest and all(_is_nested(rest[0][0], code) for code, _ in rest[1:]):
            self.columns, self.n_columns = [rest[0][0]], sizes[k]
            within = np.concatenate([begin + _parent(rest[0][0], code) for code, begin in rest])
        else:
            self.columns, self.n_columns = [code + begin for code, begin in rest], self.n_rest
            within = np.arange(self.n_rest)
        at = np.arange(len(within)) % max(1, self.n_columns)
        shape = (self.n_rest, self.n_columns)
        self.spreading = sparse.csr_array((np.ones(len(within)), (within, at)), shape=shape)
        self._gathering = self.spreading.T
        self.borders: list[Border] = []
        for e in reversed(range(k)):
            self.borders.insert(0, self._border(e, k, narrow, few))
        # Where each rating's weight goes between columns: the distinct pairs of columns of every two factors of them.
        self._crossings = []
        for one, other in combinations(self.columns, 2):
            distinct, place = np.unique(other * self.n_columns + one, return_inverse=True)
            self._crossings.append((divmod(distinct, self.n_columns), place))

    def spread(self, values: FloatArray) -> FloatArray:
        """(M,) repeated per factor: sizes[f] copies of values[f]."""
        return np.repeat(values, self.sizes)

    def at_ratings(self, effects: FloatArray) -> FloatArray:
        """Z effects: (M,) → (n,) each rating's sum over its groups."""
        *heads, rest = np.split(effects, self.offsets[1 : len(self.borders) + 1])
        total = heads[0]
        for parent, head in zip(self._parents, heads[1:], strict=True):
            total = total + head[parent]
        found = total[self.codes[0]]
        of_columns = self.to_columns(rest)
        for own in self.columns:
            found += of_columns[own]
        return found

    def by_group(self, values: FloatArray) -> FloatArray:
        """Zᵀ values: (n,) → (M,) each group's sum over its ratings."""
        return np.concatenate((*self._heads(values), self.to_rest(self._of_columns(values))))

    def factor(self, weight: FloatArray, deviations: FloatArray) -> Factored:
        """I + Λ Zᵀ W Z Λ for weights (n,) ≥ 0 and standard deviations (n_factors,), factored."""
        k = len(self.borders)
        sums = self._heads(weight)
        diagonals = [1 + deviation**2 * one for deviation, one in zip(deviations, sums, strict=False)]
        links = [[deviations[e] * deviations[j] * sums[e] for j in range(e + 1, k)] for e in range(k)]
        entries = [deviations[e] * border.of_ratings(weight) for e, border in enumerate(self.borders)]
        between = np.diag(self._of_columns(weight))
        for (row, column), place in self._crossings:
            between[row, column] = between[column, row] = np.bincount(place, weight)
        for e, border in enumerate(self.borders):
            inverse = 1 / diagonals[e]
            for i, (parent, above) in enumerate(zip(border.parents, border.above, strict=True)):
                j, pull = e + 1 + i, links[e][i] * inverse
                diagonals[j] -= sums_of(parent, pull * links[e][i], self.sizes[j])
                for further in range(i + 1, len(border.parents)):
                    moved = sums_of(parent, pull * links[e][further], self.sizes[j])
                    links[j][further - i - 1] -= moved
                entries[j] -= sums_of(above, pull[border.rows] * entries[e], len(entries[j]))
            between -= border.outer(entries[e], inverse)
        scale = np.repeat(deviations[k:], self.sizes[k:])
        rest = self.to_rest(self.to_rest(between).T) * np.outer(scale, scale) + np.eye(self.n_rest)
        return Factored(self, deviations, diagonals, links, entries, _cholesky(rest))

    def to_rest(self, values: FloatArray) -> FloatArray:
        """G values: (n_columns, …) → (n_rest, …)."""
        return np.asarray(self.spreading @ values, dtype=np.float64)

    def to_columns(self, values: FloatArray) -> FloatArray:
        """Gᵀ values: (n_rest, …) → (n_columns, …)."""
        return np.asarray(self._gathering @ values, dtype=np.float64)

    def _heads(self, values: FloatArray) -> list[FloatArray]:
        """For each eliminated factor, the sums over the ratings of its groups."""
        first = sums_of(self.codes[0], values, self.sizes[0])
        later = zip(self._parents, self.sizes[1:], strict=False)
        return [first, *(sums_of(parent, first, size) for parent, size in later)]

    def _of_columns(self, values: FloatArray) -> FloatArray:
        """(n_columns,) sums over the ratings of each column."""
        found = np.zeros(self.n_columns)
        for own in self.columns:
            found += sums_of(own, values, self.n_columns)
        return found

    def _parent(self, inner: int, outer: int) -> IntArray:
        """(n_groups of inner,) a group of `outer` that each shares a rating with."""
        return _parent(self.codes[inner], self.codes[outer])

    def _border(self, e: int, k: int, narrow: int, few: int) -> Border:
        """The border of factor e; those of the factors from e + 1 to k exist already."""
        n_columns = max(self.n_columns, 1)
        keys = [self.codes[e] * n_columns + own for own in self.columns]
        distinct, place = np.unique(np.concatenate((np.zeros(0, np.int64), *keys)), return_inverse=True)
        rows, columns = divmod(distinct, n_columns)
        parents = tuple(self._parent(e, j) for j in range(e + 1, k))
        above = [
            np.searchsorted(later.rows * n_columns + later.columns, parent[rows] * n_columns + columns)
            for parent, later in zip(parents, self.borders, strict=True)
        ]
        starts = np.searchsorted(rows, np.arange(self.sizes[e] + 1))
        by_factor = place.reshape(len(self.columns), len(self.codes[e]))
        return Border(
            self.sizes[e], self.n_columns, rows, columns, by_factor, parents, tuple(above), starts, narrow, few
        )


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
    dense = [dense_codes(code) for code in codes]
    if not dense or not len(dense[0]):
        return 0
    ordered = [dense[at] for at in elimination_order(dense)]
    return sum(int(code.max()) + 1 for code in ordered[n_eliminated(ordered) :])


def dense_codes(codes: IntArray) -> IntArray:
    """(n,) the same groups, numbered 0, 1, 2… in the order of their codes (n,), which may be any."""
    return numbered(codes)[1]


def n_eliminated(codes: list[IntArray]) -> int:
    """How many of the first factors are nested, each in all of those that follow it."""
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
