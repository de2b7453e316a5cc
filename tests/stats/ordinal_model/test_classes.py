"""The classes into which the levels of a slider are joined."""

import numpy as np
import pytest
from scipy import special

from annotations.stats.ordinal_model.fit import fit_ordinal


def test_an_effect_hardly_changes_where_many_levels_are_joined() -> None:
    rng = np.random.default_rng(2)
    side, rater = np.arange(600) % 2, np.arange(600) // 2 % 10
    slider = np.rint(20 * (rng.logistic(size=600) + 0.8 * side + rng.normal(size=10)[rater])).astype(np.int64)
    few, many = (
        fit_ordinal(slider, {"refined": side}, groups={"raters": rater}, n_nodes=1, most_classes=most)
        for most in (20, 60)
    )
    assert len(few.thresholds) == 19
    assert "levels in use were joined to 20 classes of about equally many ratings" in few.notes[0]
    assert few.coefficients["refined"] == pytest.approx(many.coefficients["refined"], abs=0.1)
    assert few.standard_errors["refined"] == pytest.approx(many.standard_errors["refined"], rel=0.03)


@pytest.mark.parametrize("n", [40, 120, 200, 203])
def test_a_slider_reversed_gives_the_opposite_effect(n: int) -> None:
    """With few ratings, many levels lie exactly on the border of two classes, and one may hold the median."""
    rng = np.random.default_rng(n)
    for width in (8, 15, 25):
        side = np.arange(n) % 2
        slider = np.clip(np.rint(50 + width * (rng.logistic(size=n) + 0.5 * side)), 0, 100).astype(np.int64)
        here, there = (fit_ordinal(level, {"refined": side}, groups={}) for level in (slider, 100 - slider))
        assert len(np.unique(slider)) > 20
        assert len(here.thresholds) < 20
        assert there.coefficients["refined"] == pytest.approx(-here.coefficients["refined"], abs=1e-6)
        assert there.standard_errors == pytest.approx(here.standard_errors, abs=1e-6)
        assert there.thresholds == pytest.approx(-here.thresholds[::-1], abs=1e-5)


def test_classes_by_hand() -> None:
    """Six levels with equally many ratings have middle ranks 1/12, 3/12, …; the borders of four classes are 3/12, 6/12
    and 9/12. The second and the fifth level are on one and join the outer class: 1 2 | 3 | 4 | 5 6.

    Five levels have theirs at 1/10, 3/10, …: the third is in the middle, so there are three classes, 1 2 | 3 | 4 5.
    """

    def thresholds(n_levels: int) -> list[float]:
        level, side = np.repeat(np.arange(n_levels), 10), np.tile([0, 1], 5 * n_levels)
        return [float(cut) for cut in fit_ordinal(level, {"refined": side}, groups={}, most_classes=4).thresholds]

    assert thresholds(6) == pytest.approx(special.logit([1 / 3, 1 / 2, 2 / 3]), abs=1e-6)
    assert thresholds(5) == pytest.approx(special.logit([0.4, 0.6]), abs=1e-6)
