"""Nothing that is printed of small ratings with gaps, or of sparse crowds, is impossible or takes long.

See `tests.benchmarks.small_matrices`.
"""

import time
import tracemalloc
from collections import Counter

import numpy as np
import pytest

from annotations.stats.agreement.report import agreement_report
from annotations.stats.ratings import Ratings
from tests.benchmarks.small_matrices import estimates, faults, matrices


@pytest.mark.slow
def test_every_statistic_lies_in_its_interval_and_every_interval_in_its_range() -> None:
    rng = np.random.default_rng(3)
    broken: Counter[tuple[str, str]] = Counter()
    intervals = 0
    for ratings in matrices(250, rng):
        for estimate in estimates(ratings, rng, n_resamples=99):
            intervals += sum(interval.is_defined for interval in estimate.intervals)
            broken.update((estimate.statistic, fault) for fault in faults(estimate, ratings))
    assert not broken
    assert intervals > 5000


def test_a_value_at_the_end_of_its_range_has_no_interval_beyond_it() -> None:
    # Nothing varies between the units (means 2 and 2): the ICC is −1/(m₀ − 1), and resamples only go lower.
    ratings = Ratings.from_matrix([[2, 1], [2, np.nan], [2, 3]], (1, 2, 3))
    for estimate in estimates(ratings, np.random.default_rng(1)):
        assert not faults(estimate, ratings), estimate


def test_five_thousand_raters_with_three_ratings_each() -> None:
    rng = np.random.default_rng(0)
    raters = rng.permutation(np.arange(5000).repeat(3)).reshape(-1, 5)
    raters = raters[[len(set(row)) == 5 for row in raters]]
    unit = np.arange(len(raters)).repeat(5)
    level = rng.integers(0, 5, len(unit))
    ratings = Ratings(unit, raters.ravel(), level, np.arange(1.0, 6.0), len(raters), 5000)
    agreement_report(ratings, rng=np.random.default_rng(0), n_resamples=10)  # Imports and caches.
    began = time.process_time()
    report = agreement_report(ratings, rng=np.random.default_rng(0))
    took = time.process_time() - began
    tracemalloc.start()
    agreement_report(ratings, rng=np.random.default_rng(0))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 2
    assert peak < 500e6
    assert "too few pairs of raters" in report["kendall_w"].reason
