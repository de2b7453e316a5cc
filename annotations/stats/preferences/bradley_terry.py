"""The Bradley–Terry model with Davidson's ties and an effect of the side, by maximum likelihood.

With x = λ_i − λ_j + s·δ, where s is 1 if i was on the left and −1 if on the right, the chances that i wins, j wins and
that they tie are e^(x/2) : e^(−x/2) : ν. Bradley & Terry (1952), Biometrika 39:324; Davidson (1970), J. Am. Stat.
Assoc. 65:317; the order effect as in Davidson & Beaver (1977), Biometrics 33:693.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from annotations.stats.arrays import FloatArray
from annotations.stats.preferences.linked import comparable_groups
from annotations.stats.preferences.newton import invert, maximise, with_ghost
from annotations.stats.preferences.votes import LOSES, TIE, WINS, Votes


@dataclass(frozen=True)
class Fit:
    """Maximum-likelihood estimates.

    log_worth      (k,) λ, with mean 0
    side           δ, 0 where sides are unknown; tie: log ν, −inf where nothing was tied
    information    (p, p) of the parameters λ (k), then δ and log ν as far as they were fitted
    log_likelihood of the votes; has_side, has_ties: which parameters there are
    """

    log_worth: FloatArray
    side: float
    tie: float
    information: FloatArray
    log_likelihood: float
    has_side: bool
    has_ties: bool

    def chances(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """P(first wins), P(second wins), P(tie) for log odds x of any shape."""
        return _chances(x, self.tie)

    def inverse(self) -> FloatArray:
        """(p, p) generalised inverse of the information, for contrasts of strengths."""
        return invert(self.information, len(self.log_worth))


def fit(votes: Votes, *, with_side: bool = True, n_pseudo: float = 0.0) -> Fit:
    """The fit to votes among methods that are joined by wins in both directions (see `linked`).

    with_side  fit δ where sides are known and differ; n_pseudo: a prior of this many wins and losses of each method
    against a ghost method of mean strength, stated wherever it is used (Turner et al. 2020, Comput. Stat. 35:1027).
    Raises NotConverged where there is no finite maximum.
    """
    cells = _cells(votes)
    has_side = with_side and bool(np.any(cells.side)) and not _is_constant_side(cells)
    has_ties = bool(np.any(cells.outcome == TIE))
    k = len(votes.methods)

    def likelihood(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        found = _likelihood(theta, cells, k, has_side, has_ties)
        return with_ghost(theta, k, n_pseudo, *found)

    theta, value, information = maximise(likelihood, np.zeros(k + has_side + has_ties), k)
    worth = theta[:k] - theta[:k].mean()
    return Fit(
        worth,
        float(theta[k]) if has_side else 0.0,
        float(theta[-1]) if has_ties else -np.inf,
        information,
        value,
        has_side,
        has_ties,
    )


class VoteSample:
    """Votes and their fit, in the form that `spread` takes."""

    def __init__(self, votes: Votes, fitted: Fit) -> None:
        self._votes, self._fitted, self.n_methods = votes, fitted, len(votes.methods)
        self.information = fitted.information
        more = [fitted.side] * fitted.has_side + [fitted.tie] * fitted.has_ties
        self.parameters = np.concatenate([fitted.log_worth, more])

    @property
    def n(self) -> int:
        return self._votes.n

    def scores(self) -> sparse.csr_array:
        return contributions(self._votes, self._fitted)

    def information_of(self, mask: NDArray[np.bool_]) -> FloatArray:
        return information_of(self._votes.only(mask), self._fitted)

    def is_joined(self, mask: NDArray[np.bool_]) -> bool:
        return len(comparable_groups(self._votes.only(mask))[0]) == self.n_methods


def contributions(votes: Votes, fitted: Fit) -> sparse.csr_array:
    """(n, p): each vote's part of the gradient at the maximum, in the order of the fit's parameters."""
    k = len(votes.methods)
    of_x, of_tie = _gradients(votes, fitted)
    n = len(of_x)
    rows = np.arange(n)
    parts = [
        sparse.coo_array((of_x, (rows, votes.first)), shape=(n, k)),
        sparse.coo_array((-of_x, (rows, votes.second)), shape=(n, k)),
    ]
    found = sparse.csr_array(parts[0] + parts[1])
    more = []
    if fitted.has_side:
        more.append((of_x * votes.side)[:, None])
    if fitted.has_ties:
        more.append(of_tie[:, None])
    return sparse.csr_array(sparse.hstack([found, *map(sparse.csr_array, more)])) if more else found


def information_of(votes: Votes, fitted: Fit) -> FloatArray:
    """(p, p): the part of the fit's information that these votes give."""
    k = len(votes.methods)
    more = [fitted.side] * fitted.has_side + [fitted.tie] * fitted.has_ties
    theta = np.concatenate([fitted.log_worth, more])
    return _likelihood(theta, _cells(votes), k, fitted.has_side, fitted.has_ties)[2]


def _gradients(votes: Votes, fitted: Fit) -> tuple[FloatArray, FloatArray]:
    x = fitted.log_worth[votes.first] - fitted.log_worth[votes.second] + fitted.side * votes.side
    wins, loses, ties = _chances(x, fitted.tie)
    won = (votes.outcome == WINS).astype(float) - (votes.outcome == LOSES)
    of_x = votes.count * (won - (wins - loses)) / 2
    return of_x, votes.count * ((votes.outcome == TIE) - ties)


def _chances(x: FloatArray, tie: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    largest = np.maximum(np.abs(x) / 2, tie)
    wins, loses = np.exp(x / 2 - largest), np.exp(-x / 2 - largest)
    ties = np.exp(tie - largest) if np.isfinite(tie) else np.zeros_like(wins)
    total = wins + loses + ties
    return wins / total, loses / total, ties / total


def _cells(votes: Votes) -> Votes:
    """The votes with equal rows counted once; clusters do not matter here."""
    k = len(votes.methods)
    code = ((votes.first * k + votes.second) * 3 + votes.outcome) * 3 + votes.side + 1
    found, inverse = np.unique(code, return_inverse=True)
    count = np.bincount(inverse, weights=votes.count, minlength=len(found)).astype(np.int64)
    side, rest = found % 3 - 1, found // 3
    outcome, rest = rest % 3, rest // 3
    return Votes(votes.methods, rest // k, rest % k, outcome, side=side, count=count)


def _is_constant_side(cells: Votes) -> bool:
    """Whether side and method cannot be distinguished: each pair was always shown the same way round, in a chain."""
    k, rows = len(cells.methods), np.arange(len(cells.first))
    ones = np.ones(len(rows))
    design = sparse.csr_array(sparse.coo_array((ones, (rows, cells.first)), shape=(len(rows), k)))
    design = design - sparse.csr_array(sparse.coo_array((ones, (rows, cells.second)), shape=(len(rows), k)))
    with_side = sparse.csr_array(sparse.hstack([design, sparse.csr_array(cells.side[:, None].astype(float))]))
    ranks = [np.linalg.matrix_rank((matrix.T @ matrix).toarray(), hermitian=True) for matrix in (design, with_side)]
    return bool(ranks[0] == ranks[1])


def _likelihood(
    theta: FloatArray, cells: Votes, k: int, has_side: bool, has_ties: bool
) -> tuple[float, FloatArray, FloatArray]:
    worth = theta[:k]
    side, tie = (theta[k] if has_side else 0.0), (theta[-1] if has_ties else -np.inf)
    x = worth[cells.first] - worth[cells.second] + side * cells.side
    wins, loses, ties = _chances(x, tie)
    weight = cells.count.astype(float)
    chance = np.choose(cells.outcome, [wins, loses, ties])
    with np.errstate(divide="ignore"):  # too long a step, which is shortened
        value = float(weight @ np.log(chance))
    won = (cells.outcome == WINS).astype(float) - (cells.outcome == LOSES)
    of_x = weight * (won - (wins - loses)) / 2
    curve = weight * ((wins + loses) / 4 - ((wins - loses) / 2) ** 2)
    p = len(theta)
    gradient = np.zeros(p)
    np.add.at(gradient, cells.first, of_x)
    np.add.at(gradient, cells.second, -of_x)
    information = np.zeros((p, p))
    for i, j, sign in (
        (cells.first, cells.first, 1.0),
        (cells.second, cells.second, 1.0),
        (cells.first, cells.second, -1.0),
        (cells.second, cells.first, -1.0),
    ):
        np.add.at(information, (i, j), sign * curve)
    if has_side:
        gradient[k] = of_x @ cells.side
        information[k, k] = curve @ cells.side**2
        _cross(information, k, cells, curve * cells.side)
    if has_ties:
        gradient[-1] = weight @ ((cells.outcome == TIE) - ties)
        information[-1, -1] = weight @ (ties * (1 - ties))
        across = -weight * ties * (wins - loses) / 2
        _cross(information, p - 1, cells, across)
        if has_side:
            information[k, -1] = information[-1, k] = across @ cells.side
    return value, gradient, information


def _cross(information: FloatArray, at: int, cells: Votes, values: FloatArray) -> None:
    column = np.zeros(len(information))
    np.add.at(column, cells.first, values)
    np.add.at(column, cells.second, -values)
    column[at] = information[at, at]
    information[:, at] = column
    information[at, :] = column
