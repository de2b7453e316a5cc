"""Quantiles and tails of the usual distributions, from SciPy's special functions.

`scipy.stats` computes its distributions from the same functions, but takes a second to import and a tenth of a
millisecond per call. SciPy is loaded at the first call, since much of the code that handles ratings needs no
distribution.

Arguments are numbers or arrays, broadcast together; NaN in, NaN out.
"""

from typing import Any

import numpy as np

Numbers = Any
"""A float or an array of floats; the result is alike."""


class _Special:
    """`scipy.special`, loaded when its first function is asked for."""

    def __getattr__(self, name: str) -> Any:
        from scipy import special

        found = getattr(special, name)
        setattr(self, name, found)
        return found


special = _Special()


def normal_quantile(p: Numbers) -> Numbers:
    """x with P(X ≤ x) = p, 0 < p < 1."""
    return special.ndtri(p)


def normal_below(x: Numbers) -> Numbers:
    """P(X ≤ x)."""
    return special.ndtr(x)


def normal_above(x: Numbers) -> Numbers:
    """P(X > x), with all its digits far out."""
    return special.ndtr(-np.asarray(x))


def normal_density(x: Numbers) -> Numbers:
    return np.exp(-np.square(x) / 2) / np.sqrt(2 * np.pi)


def t_quantile(p: Numbers, freedom: Numbers) -> Numbers:
    """x with P(T ≤ x) = p, 0 < p < 1, Student's t with `freedom` degrees, whole or not; NaN for freedom ≤ 0."""
    return special.stdtrit(freedom, p)


def t_above(x: Numbers, freedom: Numbers) -> Numbers:
    """P(T > x)."""
    return special.stdtr(freedom, -np.asarray(x))


def chi2_above(x: Numbers, freedom: Numbers) -> Numbers:
    """P(χ² > x)."""
    return special.chdtrc(freedom, x)


def f_quantile(p: Numbers, above: Numbers, below: Numbers) -> Numbers:
    """x with P(F ≤ x) = p, 0 < p < 1, for the degrees of freedom above and below the line."""
    return special.fdtri(above, below, p)


def f_above(x: Numbers, above: Numbers, below: Numbers) -> Numbers:
    """P(F > x)."""
    return special.fdtrc(above, below, x)
