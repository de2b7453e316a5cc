"""Fleiss' test that raters agree no better than chance, for equal numbers of ratings a unit."""

import numpy as np

from annotations.stats.chance_corrected import fleiss_kappa
from annotations.stats.distributions import normal_above
from annotations.stats.null_test import NullTest
from annotations.stats.ratings import Ratings
from annotations.stats.undefined import why_undefined


def fleiss_null_test(ratings: Ratings) -> NullTest:
    """z = κ / SE₀(κ), two-sided, over the pairable units; their numbers of ratings must be equal.

    Source: Fleiss, Nee and Landis (1979), Psychological Bulletin 86:974–977, eq. 12, the corrected standard error.
    """
    method = "z test of kappa = 0 (Fleiss, Nee and Landis 1979)"
    kappa = fleiss_kappa(ratings).value
    if np.isnan(kappa):
        return NullTest.undefined("z", method, why_undefined(ratings, "fleiss_kappa"))
    sizes = ratings.per_unit[ratings.per_unit > 0]
    m, n = int(sizes[0]), len(sizes)
    if np.any(sizes != m):
        return NullTest.undefined("z", method, "units differ in their numbers of ratings")
    p = ratings.histogram / len(ratings)
    q = 1 - p
    within = float(p @ q)
    variance = 2 * (within**2 - float(p @ (q * (q - p)))) / (within**2 * n * m * (m - 1))
    z = kappa / float(np.sqrt(variance))
    return NullTest("z", z, (), float(2 * normal_above(abs(z))), method)
