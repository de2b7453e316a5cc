"""The test over prompts and raters, where raters are alike: no test can err in 5% there and in every other world."""

import numpy as np
import pytest

from tests.benchmarks.coverage.preference_bound import DIFFER, errors, highest_error

SOME = {"n_leads": 25, "n_spreads": 30}


def test_students_t_of_raters_means_would_err_in_5_percent_everywhere() -> None:
    """Without the coherence that the bound demands there is such a test, so that it is the coherence that costs."""
    assert highest_error(3, 0.0, 1.0, coherent=False, **SOME) > 0.045
    rng = np.random.default_rng(1)
    for v in (1.0, 4.0, 60.0):
        found = errors(3, 0.0, v, 20_000, rng)
        assert abs(found["t of raters' means"] - 0.05) < 0.006
    alike = errors(3, 0.0, 1.0, 20_000, rng)
    assert alike["t of raters' means is narrower than prompts'"] > 0.15


def test_no_coherent_test_of_alike_raters_errs_in_4_percent_with_three() -> None:
    assert highest_error(3, 0.0, 1.0, cap=0.06, **SOME) < 0.03
    assert highest_error(3, 0.11, 1.27, cap=0.05, **SOME) < 0.036


@pytest.mark.parametrize("n_raters", [3, 5, 8])
def test_the_one_in_use_is_near_the_bound_and_errs_in_about_5_percent_where_raters_differ(n_raters: int) -> None:
    rng = np.random.default_rng(n_raters)
    bound = highest_error(n_raters, 0.11, 1.27, **SOME)
    here = errors(n_raters, 0.11, 1.27, 20_000, rng)["in use"]
    assert bound - 0.02 < here < bound
    everywhere = [errors(n_raters, 0.11, float(v), 20_000, rng) for v in DIFFER[::5]]
    assert max(one["in use"] for one in everywhere) < 0.067
    assert max(one["raters' component alone"] for one in everywhere) > 0.06
