from math import nan

import numpy as np
from hypothesis import given, settings

from annotations.stats.agreement.connected_raters import connected_raters
from annotations.stats.ratings import Ratings
from tests.stats.strategies import matrices


def slow_components(matrix: np.ndarray) -> list[set[int]]:
    groups = [{j} for j in range(len(matrix)) if not np.isnan(matrix[j]).all()]
    for i in range(matrix.shape[1]):
        together = {j for j in range(len(matrix)) if not np.isnan(matrix[j, i])}
        touched = [group for group in groups if group & together]
        if touched:
            groups = [group for group in groups if not group & together] + [set().union(*touched)]
    return groups


@settings(max_examples=80, deadline=None)
@given(matrices(max_raters=7, max_units=5))
def test_equals_joining_group_by_group(matrix: np.ndarray) -> None:
    found = connected_raters(Ratings.from_matrix(matrix, (1, 2, 3, 4, 5)))
    assert sorted(map(sorted, found)) == sorted(map(sorted, slow_components(matrix)))
    assert [len(group) for group in found] == sorted((len(group) for group in found), reverse=True)


def test_raters_linked_through_others_are_one_group() -> None:
    matrix = [[1, 2, nan, nan], [nan, 2, 3, nan], [nan, nan, 3, 4], [nan] * 4]
    assert connected_raters(Ratings.from_matrix(matrix, (1, 2, 3, 4))) == ((0, 1, 2),)


def test_no_ratings_no_groups() -> None:
    assert connected_raters(Ratings.from_matrix([[nan, nan]], (1, 2))) == ()
