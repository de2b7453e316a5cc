"""Children live as long as we do, whatever becomes of one of them, and end with us, whatever they think of it."""

import os
import signal
import sys
import time
from typing import Any

import pytest

from evalsite.serving.processes import ChildProcesses
from tests.servers import is_running

POLITE = (
    "import signal, sys, time; signal.signal(15, lambda *_: (print('bye', flush=True), sys.exit())); "
    "print('up', flush=True); time.sleep(60)"
)
WITH_A_CHILD = (
    "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    "print('orphan', child.pid, flush=True); time.sleep(60)"
)
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
def test_one_that_must_not_die_and_does_ends_the_wait_and_is_never_a_success(code: str, status: int) -> None:
    lines: list[str] = []
    with ChildProcesses(lines.append) as children:
        children.start("brief", [sys.executable, "-c", code])
        assert children.wait(needs="brief") == status
    assert any("The brief process ended by itself" in line for line in lines)


def count(lines: list[str], text: str) -> int:
    return sum(text in line for line in lines)


def test_one_that_dies_is_started_again_and_the_others_go_on() -> None:
    lines: list[str] = []
    with ChildProcesses(lines.append, patience_s=0.1) as children:
        children.start("web", [sys.executable, "-c", STUBBORN])
        children.start("worker", [sys.executable, "-c", STUBBORN])
        web, worker = (child.process for child in children._children)
        assert children.wait(lambda: count(lines, "| up") == 2) is None
        worker.kill()
        assert children.wait(lambda: count(lines, "worker | up") == 2) is None
        assert web.poll() is None
        assert children._children[1].process is not worker
    assert "The worker process ended by itself (killed by SIGKILL). Starting it again." in lines


def test_one_that_keeps_dying_is_started_after_pauses_that_grow() -> None:
    lines: list[str] = []
    with ChildProcesses(lines.append, longest_pause_s=1.5) as children:
        children.start("brief", [sys.executable, "-c", "raise SystemExit(7)"])
        assert children.wait(lambda: count(lines, "ended by itself (status 7)") == 4) is None
    ends = [line.partition("(status 7). ")[2] for line in lines]
    assert ends == [
        "Starting it again.",
        "It has died soon after its start 2 times in a row: next try in 1 s.",
        "It has died soon after its start 3 times in a row: next try in 1.5 s.",
        "It has died soon after its start 4 times in a row: next try in 1.5 s.",
    ]


def test_one_that_lived_long_is_started_again_at_once_each_time() -> None:
    lines: list[str] = []
    with ChildProcesses(lines.append, lived_long_s=0) as children:
        children.start("brief", [sys.executable, "-c", "raise SystemExit(7)"])
        assert children.wait(lambda: count(lines, "Starting it again.") == 3) is None


def test_one_that_cannot_be_started_again_for_now_is_tried_later(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    with ChildProcesses(lines.append, patience_s=0.1, longest_pause_s=0.3) as children:
        children.start("worker", [sys.executable, "-c", STUBBORN])
        assert children.wait(lambda: count(lines, "| up") == 1) is None
        run = children._run
        refusals = [OSError(12, "Cannot allocate memory")] * 2

        def refuse_twice(*arguments: Any) -> Any:
            if refusals:
                raise refusals.pop()
            return run(*arguments)

        monkeypatch.setattr(children, "_run", refuse_twice)
        children._children[0].process.kill()
        assert children.wait(lambda: count(lines, "| up") == 2) is None
    assert count(lines, "The worker process cannot be started") == 2


def test_what_a_dead_child_started_is_ended_before_its_successor_begins() -> None:
    """It would go on with work that the successor takes up, or listen at the same socket."""
    lines: list[str] = []
    command = [sys.executable, "-c", WITH_A_CHILD]
    with ChildProcesses(lines.append, patience_s=0.1) as children:
        children.start("worker", command)
        assert children.wait(lambda: count(lines, "orphan") == 1) is None
        orphan = int(lines[0].rpartition(" ")[2])
        children._children[0].process.kill()
        assert children.wait(lambda: count(lines, "orphan") == 2) is None
        assert not is_running(orphan)


def test_the_first_that_was_started_is_the_last_to_end() -> None:
    """The web server answers while the workers finish what they have."""
    lines: list[str] = []
    slow = (
        "import signal, sys, time; signal.signal(15, lambda *_: (time.sleep(1), print('bye', flush=True), sys.exit()))"
    )
    with ChildProcesses(lines.append) as children:
        children.start("web", [sys.executable, "-c", POLITE])
        children.start("worker", [sys.executable, "-c", f"{slow}; print('up', flush=True); time.sleep(60)"])
        assert children.wait(lambda: count(lines, "| up") == 2) is None
    assert [line for line in lines if "bye" in line] == ["   worker | bye", "      web | bye"]


def test_our_own_work_is_interrupted_by_a_signal_and_its_handlers_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ChildProcesses(print) as children:
        with pytest.raises(KeyboardInterrupt), children.interruptible():  # noqa: PT012 - the sleep is interrupted
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        assert children.told_to_stop
        with pytest.raises(KeyboardInterrupt), children.interruptible():
            raise AssertionError("must not be reached: we were asked to stop before")
    assert signal.getsignal(signal.SIGTERM) == before
