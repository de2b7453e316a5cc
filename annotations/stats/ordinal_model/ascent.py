"""Maximisation of smooth log-likelihoods whose first parameters are ascending cut points."""

from collections.abc import Callable
from math import inf

import numpy as np
from scipy import linalg

from annotations.stats.arrays import FloatArray

_ITERATIONS = 300
GAIN = 1e-10
"""The search ends where a full step promises less than this, in units of log-likelihood."""
_WIDTH = 1e-4


class OutOfReach(ValueError):
    """The function cannot be computed at this point: the search takes a shorter step."""


def maximise(
    function: Callable[[FloatArray], tuple[float, FloatArray]],
    start: FloatArray,
    around: FloatArray,
    n_cuts: int,
    gain: float = GAIN,
    is_enough: Callable[[FloatArray, FloatArray], bool] = lambda _at, _gradient: False,
    longest: Callable[[FloatArray, FloatArray], float] = lambda _at, _step: 1.0,
) -> FloatArray:
    """Quasi-Newton ascent (BFGS updates, halved steps; Nocedal and Wright 2006, chapter 6) from `start`.

    function gives value and gradient; `around` is a guess of minus its second derivatives; steps that would put the
    first n_cuts parameters out of order, or lead where the function is OutOfReach, are halved too. The search ends
    where a step promises less than `gain`, or where the caller stops it; `longest` says which share of a step is tried
    first. Whether the end is a maximum is for the caller to check.
    """
    inverse = _inverse(around)
    at, (value, gradient) = start, function(start)
    for _ in range(_ITERATIONS):
        step = inverse @ gradient
        promise = float(gradient @ step)
        if promise < gain or is_enough(at, gradient):
            break
        size = longest(at, step)
        while True:
            tried = at + size * step
            if (np.diff(tried[:n_cuts]) > 0).all():
                reached, slope = _within_reach(function, tried)
                if reached >= value + 1e-4 * size * promise:
                    break
            size /= 2
            if size < 1e-8:
                return at
        moved, bent = tried - at, gradient - slope
        at, value, gradient = tried, reached, slope
        curvature = float(moved @ bent)
        if curvature > 1e-12:
            left = np.eye(len(at)) - np.outer(moved, bent) / curvature
            inverse = left @ inverse @ left.T + np.outer(moved, moved) / curvature
    return at


def _within_reach(
    function: Callable[[FloatArray], tuple[float, FloatArray]], at: FloatArray
) -> tuple[float, FloatArray]:
    try:
        return function(at)
    except OutOfReach:
        return -inf, np.zeros(len(at))


def information(
    function: Callable[[FloatArray], tuple[float, FloatArray]], at: FloatArray, gradient: FloatArray | None = None
) -> FloatArray:
    """Minus the matrix of second derivatives, by central differences of the gradient that `function` gives.

    If the gradient at this point is given, by forward differences: half the work, and accurate to four digits.
    """
    steps = np.eye(len(at)) * _WIDTH
    if gradient is None:
        columns = [(function(at - step)[1] - function(at + step)[1]) / (2 * _WIDTH) for step in steps]
    else:
        columns = [10 * (gradient - function(at + step / 10)[1]) / _WIDTH for step in steps]
    matrix = np.column_stack(columns)
    return (matrix + matrix.T) / 2


def _inverse(around: FloatArray) -> FloatArray:
    """The inverse of a positive definite guess; of its diagonal where it is not."""
    try:
        return linalg.cho_solve(linalg.cho_factor(around), np.eye(len(around)))
    except linalg.LinAlgError:
        return np.diag(1 / np.maximum(np.abs(np.diag(around)), 1.0))
