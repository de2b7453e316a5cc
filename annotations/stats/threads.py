"""Independent computations side by side: NumPy lets go of Python's lock while it sorts and sums large arrays."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")

_MOST = 4
"""Each thread holds arrays of its own, tens of megabytes for a million ratings; and memory's speed is shared."""


def one_linear_algebra_thread() -> threadpool_limits:
    """A context in which products of matrices use one thread.

    Sums are then added in the same order on any number of cores, so figures agree to their last digit; and threads of
    ours do not wait, spinning, for those of the linear algebra library.
    """
    return threadpool_limits(limits=1, user_api="blas")


def side_by_side(computations: Sequence[Callable[[], T]]) -> list[T]:
    """The results in the order of the computations, which must not share a random generator. Errors propagate."""
    n_threads = min(len(computations), os.cpu_count() or 1, _MOST)
    with one_linear_algebra_thread():
        if n_threads < 2:
            return [compute() for compute in computations]
        with ThreadPoolExecutor(n_threads) as pool:
            return list(pool.map(lambda compute: compute(), computations))


def both(here: Callable[[], A], beside: Callable[[], B]) -> tuple[A, B]:
    """The results of two computations, the first in the caller's own thread: it may report progress there."""
    with one_linear_algebra_thread():
        if (os.cpu_count() or 1) < 2:
            return here(), beside()
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(beside)
            return here(), other.result()
