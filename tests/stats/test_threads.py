"""Computations side by side: results in order, errors raised on, linear algebra in one thread."""

import threading
import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from annotations.stats import threads
from annotations.stats.threads import both, side_by_side


@pytest.fixture(params=[1, 4])
def n_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(threads.os, "cpu_count", lambda: request.param)
    return int(request.param)


@pytest.mark.usefixtures("n_threads")
def test_results_come_in_the_order_of_the_computations() -> None:
    data = [np.random.default_rng(seed).normal(size=100_000 // (seed + 1)) for seed in range(9)]
    found = side_by_side([lambda one=one: float(np.sort(one)[0]) for one in data])
    assert found == [one.min() for one in data]
    assert side_by_side([]) == []


@pytest.mark.usefixtures("n_threads")
def test_an_error_is_re_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side([lambda: 1.0, lambda: 1 / 0, lambda: 2.0])


def test_two_run_at_a_time_where_there_are_two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 2)
    meeting = threading.Barrier(2, timeout=30)  # each waits for the other: one after the other would never end
    assert sorted(side_by_side([meeting.wait, meeting.wait])) == [0, 1]


@pytest.mark.usefixtures("n_threads")
def test_linear_algebra_has_one_thread_meanwhile_and_its_own_again_afterwards() -> None:
    def blas() -> list[int]:
        np.ones((2, 2)) @ np.ones((2, 2))
        return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]

    before = blas()
    assert set(side_by_side([blas])[0]) == {1}
    assert blas() == before


@pytest.mark.usefixtures("n_threads")
def test_of_two_the_first_is_computed_by_the_caller_s_thread() -> None:
    here, beside = both(threading.get_ident, lambda: "the other")
    assert (here, beside) == (threading.get_ident(), "the other")


@pytest.mark.usefixtures("n_threads")
def test_an_error_of_either_of_two_is_re_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        both(lambda: 1 / 0, lambda: 1.0)
    with pytest.raises(ZeroDivisionError):
        both(lambda: 1.0, lambda: 1 / 0)


def test_what_is_inside_one_of_two_has_its_processor_alone_until_the_other_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threads.os, "cpu_count", lambda: 2)
    is_begun, may_end = threading.Event(), threading.Event()

    def threads_inside() -> set[int]:
        return {threading.get_ident(), *side_by_side([threading.get_ident] * 8)}

    def here() -> set[int]:
        assert is_begun.wait(30)
        alone = threads_inside()
        may_end.set()
        return alone

    def beside() -> set[int]:
        is_begun.set()
        assert may_end.wait(30)
        while threads._at_work:
            time.sleep(0.001)
        meeting = threading.Barrier(2, timeout=30)
        return set(side_by_side([meeting.wait, meeting.wait]))

    found, met = both(here, beside)
    assert len(found) == 1
    assert met == {0, 1}
    with pytest.raises(ZeroDivisionError):
        both(lambda: 1 / 0, lambda: 1)
    assert not threads._at_work
