"""Children live and end together, whatever they think of it."""

import os
import signal
import sys
import time

import pytest

from evalsite.processes import ChildProcesses

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def wait_for(lines: list[str], text: str) -> None:
    end = time.monotonic() + 20
    while not any(text in line for line in lines):
        assert time.monotonic() < end, lines
        time.sleep(0.02)


def test_a_child_that_will_not_end_is_killed_when_patience_is_over() -> None:
    lines: list[str] = []
    with ChildProcesses(lines.append, patience_s=0.3) as children:
        children.start("deaf", [sys.executable, "-c", STUBBORN])
        wait_for(lines, "up")
        child = children._children[0].process
        began = time.monotonic()
    assert child.returncode == -signal.SIGKILL
    assert 0.3 <= time.monotonic() - began < 10
    assert lines == ["     deaf | up"]


def test_a_second_signal_ends_our_patience() -> None:
    lines: list[str] = []
    with ChildProcesses(lines.append, patience_s=60) as children:
        children.start("deaf", [sys.executable, "-c", STUBBORN])
        wait_for(lines, "up")
        child = children._children[0].process
        os.kill(os.getpid(), signal.SIGTERM)
        assert children.wait() == 0
        os.kill(os.getpid(), signal.SIGTERM)
        began = time.monotonic()
    assert child.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(("code", "status"), [("raise SystemExit(3)", 3), ("pass", 1)])
def test_a_child_that_ends_by_itself_is_never_a_success(code: str, status: int) -> None:
    lines: list[str] = []
    with ChildProcesses(lines.append) as children:
        children.start("brief", [sys.executable, "-c", code])
        assert children.wait() == status
    assert any("The brief process ended by itself" in line for line in lines)


def test_our_own_work_is_interrupted_by_a_signal_and_its_handlers_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ChildProcesses(print) as children:
        with pytest.raises(KeyboardInterrupt), children.interruptible():  # noqa: PT012 - the sleep is interrupted
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        assert children.told_to_stop
        with pytest.raises(KeyboardInterrupt), children.interruptible():
            raise AssertionError("must not be reached: we were told to stop before")
    assert signal.getsignal(signal.SIGTERM) == before
