"""Are all raters connected through shared units? Raters who share no unit, even through others, cannot be compared at
all."""

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from annotations.stats.ratings import Ratings


def connected_raters(ratings: Ratings) -> tuple[tuple[int, ...], ...]:
    """Groups of rater codes connected by shared units, largest first, then by their lowest code.

    One group: every rater is linked to every other. More: any figure over all raters describes each group separately,
    and says nothing about agreement between groups. Raters without ratings are in no group.
    """
    n_raters = ratings.n_raters
    if len(ratings) == 0:
        return ()
    # Each rating links its rater with one rater of the same unit: as good as linking all pairs, in one pass.
    representative = np.zeros(ratings.n_units, dtype=np.int64)
    representative[ratings.unit] = ratings.rater
    links = (ratings.rater, representative[ratings.unit])
    graph = sparse.csr_array((np.ones(len(ratings), dtype=bool), links), shape=(n_raters, n_raters))
    _, label = csgraph.connected_components(graph, directed=False)
    groups: dict[int, list[int]] = {}
    for rater in np.flatnonzero(ratings.per_rater):
        groups.setdefault(int(label[rater]), []).append(int(rater))
    return tuple(sorted((tuple(group) for group in groups.values()), key=lambda group: (-len(group), group)))
