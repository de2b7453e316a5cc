"""Agreement of raters with themselves."""

import numpy as np
import pytest

from annotations.stats.agreement.alpha import krippendorff_alpha
from annotations.stats.raters.table import Repeats
from annotations.stats.raters.within_rater import within_raters
from annotations.stats.ratings import Ratings

SCALE = np.array([1.0, 2, 3, 4, 5])


def repeats(rater: list[int], first: list[int], second: list[int]) -> Repeats:
    return Repeats(np.array(rater, np.int64), np.array(first, np.int64), np.array(second, np.int64))


def test_three_raters_by_hand() -> None:
    # Differences 0 1 | −2 0 | 1 0: half are the same; mean square 6/6 = 1, error √½; mean difference 0.
    found = within_raters(repeats([0, 0, 1, 1, 2, 2], [0, 1, 4, 2, 1, 3], [0, 2, 2, 2, 2, 3]), SCALE)
    assert found.same.value == 0.5
    assert found.error.value == pytest.approx(np.sqrt(0.5))
    assert found.shift.value == pytest.approx(0)
    # Without each rater the mean difference is −1/4, 1/2, −1/4: variance 2/3 · (1/16 + 1/4 + 1/16) = 1/4.
    (interval,) = found.shift.intervals
    assert interval.high == pytest.approx(4.302653 * 0.5, rel=1e-5)
    assert dict(found.shift.n) == {"repeats": 6, "raters": 3}


@pytest.mark.parametrize("is_ordinal", [True, False])
def test_alpha_is_krippendorffs_of_the_pairs(is_ordinal: bool) -> None:
    rng = np.random.default_rng(3)
    first = rng.integers(0, 5, 60)
    second = np.clip(first + rng.integers(-1, 2, 60), 0, 4)
    found = within_raters(Repeats(np.arange(60) % 4, first, second), SCALE, is_ordinal=is_ordinal)
    pairs = Ratings.from_matrix(SCALE[np.stack((first, second))], SCALE.tolist())
    right = krippendorff_alpha(pairs, "interval" if is_ordinal else "nominal")
    assert found.alpha.value == pytest.approx(right.value, abs=1e-12)
    (interval,) = found.alpha.intervals
    assert -1 < interval.low < found.alpha.value < interval.high < 1
    assert found.error.is_defined == is_ordinal


def test_two_raters_cannot_represent_others_and_no_repeat_has_no_figure() -> None:
    found = within_raters(repeats([0, 1], [0, 1], [1, 1]), SCALE)
    assert found.alpha.is_defined
    assert all("2" in one.intervals[0].reason for one in found.estimates)
    none = within_raters(repeats([], [], []), SCALE)
    assert {one.reason for one in none.estimates} == {"no unit was shown to a rater twice"}


def test_one_level_throughout_has_no_alpha() -> None:
    found = within_raters(repeats([0, 1, 2], [2, 2, 2], [2, 2, 2]), SCALE)
    assert found.same.value == 1
    assert not found.alpha.is_defined
