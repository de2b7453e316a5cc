"""Published ratings that several tests use, each with its source. NaN is a missing cell."""

from math import nan

import numpy as np

KRIPPENDORFF_2011 = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
        [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan],
    ]
)
"""4 coders × 12 units: Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), example C."""

GWET_RAW_4 = KRIPPENDORFF_2011.copy()
"""The same ratings as Gwet prints them (Handbook, 4th ed. 2014, p. 120): unit 12 was rated by rater 3 alone."""
GWET_RAW_4[:, 11] = [nan, nan, 3, nan]

THREE_CODERS = np.array(
    [
        [nan, nan, nan, nan, nan, 3, 4, 1, 2, 1, 1, 3, 3, nan, 3],
        [1, nan, 2, 1, 3, 3, 4, 3, nan, nan, nan, nan, nan, nan, nan],
        [nan, nan, 2, 1, 3, 4, 4, nan, 2, 1, 1, 3, 3, nan, 4],
    ]
)
"""3 coders × 15 units: Wikipedia, "Krippendorff's alpha", and the krippendorff package's README."""

GWET_RAW_5 = np.array(
    [
        [1, 1, 2, nan, 0, 0, 1, 1, 2, 2, nan, 0, 1, 3, 1],
        [1, 1, 3, 0, 0, 0, 0, nan, 2, 1, 1, 0, 2, 3, 1],
        [2, 0, 3, 0, 0, 0, 2, 2, 2, 1, 0, 0, 2, 2, 1],
        [nan, 1, 3, nan, nan, nan, nan, 0, nan, 1, 0, 0, 2, 2, nan],
        [2, nan, nan, 0, 0, 0, 1, nan, 2, nan, nan, nan, nan, 3, 1],
    ]
)
"""5 observers × 15 units on 0–3: R irrCAC `cac.raw5obs`."""

_FLEISS_ROWS = """
444444 222555 233335 555555 222444 113333 333355 113334 114444 555555
144444 124444 222333 144444 224445 333335 111455 111112 224444 133555
555555 244444 224555 114444 144445 222224 111155 224444 133333 555555
"""

FLEISS_1971 = np.array([[int(digit) for digit in row] for row in _FLEISS_ROWS.split()], dtype=float).T
"""6 psychiatrists × 30 patients: Fleiss (1971), Psychological Bulletin 76:378–382; R irr `diagnoses`."""

FLEISS_WIKIPEDIA = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)
"""Counts, 10 subjects × 5 categories, 14 raters each: Wikipedia, "Fleiss' kappa"."""

ANXIETY = np.array(
    [
        [3, 3, 3, 4, 5, 5, 2, 3, 5, 2, 2, 6, 1, 5, 2, 2, 1, 2, 4, 3],
        [3, 6, 4, 6, 2, 4, 2, 4, 3, 3, 2, 3, 3, 3, 2, 2, 1, 3, 3, 4],
        [2, 1, 4, 4, 3, 2, 1, 6, 1, 1, 1, 2, 3, 3, 1, 1, 3, 3, 2, 2],
    ],
    dtype=float,
)
"""3 raters × 20 subjects on 1–6: R irr `anxiety`."""

SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float).T
"""4 judges × 6 targets: Shrout and Fleiss (1979), Psychological Bulletin 86:420–428, Table 2."""

SIEGEL_CASTELLAN = np.array([[5, 6, 7, 1, 2, 4, 3, 8], [1, 7, 6, 2, 3, 5, 4, 8], [4, 5, 1, 3, 2, 7, 6, 8]], dtype=float)
"""3 raters × 8 objects, ranks: Siegel and Castellan (1988), as in the DescTools example."""


def matrix_of_counts(counts: np.ndarray) -> np.ndarray:
    """Raters × units of category numbers 1… from units × categories counts, equally many ratings per unit."""
    return np.array([np.repeat(np.arange(1, counts.shape[1] + 1), row) for row in counts], dtype=float).T
