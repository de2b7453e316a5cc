"""Independent computations in parallel: NumPy releases Python's lock while it sorts and sums large arrays."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from threadpoolctl import threadpool_limits

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")

_MOST = 4
"""Each thread holds its own arrays, tens of megabytes for a million ratings, and all share the memory's bandwidth."""


def one_linear_algebra_thread() -> threadpool_limits:
    """A context in which products of matrices use one thread.

    Sums are then added in the same order on any number of cores, so figures agree to their last digit; and our own
    threads do not spin while they wait for those of the linear algebra library.
    """
    return threadpool_limits(limits=1, user_api="blas")


_lock = Lock()
_at_work: set[object] = set()
"""One for each pair of parallel computations that are both still running."""


def _n_free() -> int:
    """Processors for the caller and further threads of its own, at least 1."""
    return max(1, (os.cpu_count() or 1) - len(_at_work))


def side_by_side(computations: Sequence[Callable[[], T]]) -> list[T]:
    """The results in the order of the computations, which must not share a random generator. Errors propagate.

    Computations of `both` leave each other a processor: inside them there are fewer threads, and with two processors
    one.
    """
    n_threads = min(len(computations), _n_free(), _MOST)
    with one_linear_algebra_thread():
        if n_threads < 2:
            return [compute() for compute in computations]
        with ThreadPoolExecutor(n_threads) as pool:
            return list(pool.map(lambda compute: compute(), computations))


def both(here: Callable[[], A], beside: Callable[[], B]) -> tuple[A, B]:
    """The results of two computations, the first in the caller's own thread: it may report progress there."""
    with one_linear_algebra_thread():
        if _n_free() < 2:
            return here(), beside()
        this = object()
        with _lock:
            _at_work.add(this)
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(_until_done, beside, this)
            return _until_done(here, this), other.result()


def _until_done(compute: Callable[[], T], this: object) -> T:
    """The first of the two to finish leaves its processor to the other."""
    try:
        return compute()
    finally:
        with _lock:
            _at_work.discard(this)
