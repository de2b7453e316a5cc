"""What the cumulative link model cannot be fitted to, and what it says then."""

import numpy as np
import pytest

from annotations.stats.ordinal_model.fit import fit_ordinal


def test_separation_has_no_effect_and_says_so() -> None:
    fit = fit_ordinal(np.array([0, 1, 1, 2, 3, 3]), {"refined": np.array([0, 0, 0, 1, 1, 1])}, groups={})
    assert np.isnan(fit.coefficients["refined"])
    assert fit.reason.startswith("separation")
    assert not fit.intervals["refined"].is_defined
    assert fit.intervals["refined"].reason == fit.reason


@pytest.mark.parametrize("is_turned", [False, True])
def test_separation_says_what_was_seen(is_turned: bool) -> None:
    """A is always 3, B is 3 or 4: they overlap at 3, and still no rating of A is above any of B."""
    side = np.array([0, 0, 0, 1, 1, 1])
    fit = fit_ordinal(
        np.array([2, 2, 2, 2, 3, 3]),
        {"refined": 1 - side if is_turned else side},
        groups={},
        sides={"refined": ("A", "B")},
    )
    lower, upper = ("B", "A") if is_turned else ("A", "B")
    said = f"separation: no rating of {lower} is above any rating of {upper}, so the effect has no bound"
    assert fit.reason == said


def test_separation_by_another_number_names_both_values() -> None:
    fit = fit_ordinal(np.array([1, 0, 1, 2, 3, 1]), {"dose": np.array([1.5, 1.5, 1.5, 3, 3, 3])}, groups={})
    assert fit.reason.startswith("separation: no rating of dose = 1.5 is above any rating of dose = 3, ")


def test_a_variance_without_bound_says_so() -> None:
    # All ratings of a prompt are equal but one: how far the prompts lie apart has hardly a finite size.
    prompt = np.repeat(np.arange(12), 4)
    level = prompt % 4
    level[0] = 1
    fit = fit_ordinal(level, {"refined": np.tile([0, 1], 24)}, groups={"prompts": prompt}, n_nodes=1)
    assert not fit.is_fitted
    assert fit.reason == "the variance of prompts has no bound in these ratings"


@pytest.mark.parametrize(
    ("level", "fixed", "reason"),
    [
        ([2, 2, 2, 2], [0, 1, 0, 1], "fewer than two levels"),
        ([0, 1, 2, 1], [1, 1, 1, 1], "cannot be separated"),
        ([], [], "fewer than two levels"),
    ],
)
def test_data_that_cannot_carry_the_model(level: list[int], fixed: list[int], reason: str) -> None:
    fit = fit_ordinal(np.array(level, dtype=int), {"refined": np.array(fixed)}, groups={})
    assert not fit.is_fitted
    assert reason in fit.reason
    assert np.isnan(fit.log_likelihood)
