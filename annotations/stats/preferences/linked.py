"""Which methods votes can compare: those joined by chains of wins (or ties) in both directions.

The maximum-likelihood strengths of Bradley–Terry models are finite and unique if and only if, in every split of the
methods into two groups, some method of each group beat or tied one of the other (Ford 1957, Am. Math. Mon. 64(8):28;
for ties Davidson 1970, J. Am. Stat. Assoc. 65:317, section 3).
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from annotations.stats.preferences.votes import LOSES, TIE, WINS, Votes


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


def why_alone(votes: Votes, method: int, group: Sequence[int]) -> str:
    """Why a method has no strength on the scale of a group that it does not belong to, and what is missing."""
    inside = np.zeros(len(votes.methods), bool)
    inside[list(group)] = True
    met = ((votes.first == method) & inside[votes.second]) | ((votes.second == method) & inside[votes.first])
    if not met.any():
        return "never met the ranked methods: collect votes against one of them"
    of_method = votes.only(met)
    won = int(of_method.count[_came_off(of_method, method) == WINS].sum())
    lost = int(of_method.count[_came_off(of_method, method) == LOSES].sum())
    if lost == 0:
        return f"won all {won} votes against the ranked methods: no finite strength before it loses or ties one"
    if won == 0:
        return f"lost all {lost} votes against the ranked methods: no finite strength before it wins or ties one"
    return "no chain of wins in both directions joins it to the ranked methods: collect more votes"


def _came_off(votes: Votes, method: int) -> np.ndarray:
    turned = votes.second == method
    return np.where(turned & (votes.outcome != TIE), 1 - votes.outcome, votes.outcome)
