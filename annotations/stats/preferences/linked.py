"""Which methods votes can compare: those joined by chains of wins (or ties) in both directions.

The maximum-likelihood strengths of Bradley–Terry models are finite and unique if and only if, in every split of the
methods into two groups, some method of each group beat or tied one of the other (Ford 1957, Am. Math. Mon. 64(8):28;
for ties Davidson 1970, J. Am. Stat. Assoc. 65:317, section 3).
"""

from collections.abc import Sequence
from math import inf
from typing import Literal

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, connected_components

from annotations.stats.preferences.votes import LOSES, TIE, WINS, Votes

Answers = Literal["votes", "rankings", "choices"]
"""What people gave: rankings and choices of the best and the worst are compared two methods at a time."""


def beaten_by(votes: Votes) -> sparse.csr_array:
    """(k, k) sparse counts: entry (i, j) is how often i beat or tied j."""
    k = len(votes.methods)
    ties = votes.outcome == TIE
    winner = np.where(votes.outcome == LOSES, votes.second, votes.first)
    loser = np.where(votes.outcome == LOSES, votes.first, votes.second)
    rows, columns = np.concatenate([winner, loser[ties]]), np.concatenate([loser, winner[ties]])
    counts = np.concatenate([votes.count, votes.count[ties]])
    return sparse.csr_array(sparse.coo_array((counts, (rows, columns)), shape=(k, k)))


def comparable_groups(votes: Votes) -> list[list[int]]:
    """The groups of methods whose strengths can be compared, the largest first; a single method is a group, too."""
    _, label = connected_components(beaten_by(votes), directed=True, connection="strong")
    groups = [np.flatnonzero(label == group).tolist() for group in np.unique(label)]
    return sorted(groups, key=lambda group: (-len(group), group))


def unbeaten_groups(votes: Votes) -> list[list[int]]:
    """The comparable groups of which no method lost to, or tied with, a method outside, in the order of their methods.

    If there is one, its methods come before all others by some chain of wins. If there are several, no votes compare
    their methods, not even through others. A method without votes is a group of its own.
    """
    beaten = beaten_by(votes)
    n_groups, label = connected_components(beaten, directed=True, connection="strong")
    winner, loser = beaten.nonzero()
    across = label[winner] != label[loser]
    free = np.setdiff1d(np.arange(n_groups), label[loser[across]])
    return sorted(np.flatnonzero(label == group).tolist() for group in free)


def before(votes: Votes, one: int, other: int) -> float | None:
    """inf where `one` beat or tied `other`, directly or through other methods, and never the reverse; −inf where only
    the reverse is so; None where neither or both are."""
    beaten = beaten_by(votes)
    is_ahead, is_behind = (
        bool((breadth_first_order(beaten, start, return_predecessors=False) == end).any())
        for start, end in ((one, other), (other, one))
    )
    return None if is_ahead == is_behind else inf if is_ahead else -inf


def why_alone(
    votes: Votes,
    method: int,
    group: Sequence[int],
    *,
    them: str = "the ranked methods",
    answers: Answers = "votes",
) -> str:
    """Why a method has no strength on the scale of a group that it does not belong to, and what is missing.

    them     the group in words
    answers  what the votes were made from
    """
    inside = np.zeros(len(votes.methods), bool)
    inside[list(group)] = True
    met = ((votes.first == method) & inside[votes.second]) | ((votes.second == method) & inside[votes.first])
    if not met.any():
        return f"never met {them}: collect {answers} {'against' if answers == 'votes' else 'that include'} one of them"
    of_method = votes.only(met)
    won = int(of_method.count[_came_off(of_method, method) == WINS].sum())
    lost = int(of_method.count[_came_off(of_method, method) == LOSES].sum())
    if lost == 0:
        return f"won {_all(won, answers)} {them}: no finite strength before it loses or ties one"
    if won == 0:
        return f"lost {_all(lost, answers)} {them}: no finite strength before it wins or ties one"
    return f"no chain of wins in both directions joins it to {them}: collect more {answers}"


def _all(n: int, answers: Answers) -> str:
    noun, against = ("vote", "against") if answers == "votes" else ("comparison", "with")
    return f"its only {noun} {against}" if n == 1 else f"{'both' if n == 2 else f'all {n:,}'} {noun}s {against}"


def _came_off(votes: Votes, method: int) -> np.ndarray:
    turned = votes.second == method
    return np.where(turned & (votes.outcome != TIE), 1 - votes.outcome, votes.outcome)
