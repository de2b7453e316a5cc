"""Child processes that live as long as this one: one that dies is restarted, and all end when we are asked to stop."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import IO

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NO_SIGNAL = 0  # only asks whether anybody would hear one
POLL_S = 0.2
ORPHANS_PATIENCE_S = 2
"""How long processes left by a dead child may go on, such as a web server's workers that still answer requests."""


@dataclass
class Child:
    name: str
    command: Sequence[str]
    pass_fds: Sequence[int]
    process: subprocess.Popen[str]
    reader: threading.Thread
    started_at: float
    n_early_deaths: int = 0
    start_again_at: float | None = None


class ChildProcesses:
    """Starts processes, passes their output on line by line under their names, starts them again, and ends them.

    A child that dies is started again at once; one that dies early again and again, after pauses that grow. The others
    go on meanwhile. At the end the first child that was started is the last to go.

    Children get their own process group, so that Ctrl-C in the terminal reaches only us and the order of events is
    ours. Use as a context manager, in the main thread: leaving it leaves no child behind.

    say              prints one line
    patience_s       how long children may take to end before they are killed
    lived_long_s     a child that lived for this long began well: when it dies, it is started again at once
    longest_pause_s  the pauses of a child that keeps dying grow up to this
    """

    def __init__(
        self,
        say: Callable[[str], object],
        *,
        patience_s: float = 15,
        lived_long_s: float = 20,
        longest_pause_s: float = 30,
    ) -> None:
        self._say = say
        self._patience_s = patience_s
        self._lived_long_s = lived_long_s
        self._longest_pause_s = longest_pause_s
        self._children: list[Child] = []
        self._signals = 0
        self._handlers: dict[signal.Signals, object] = {}
        self._raises = False

    def __enter__(self) -> "ChildProcesses":
        for number in STOP_SIGNALS:
            self._handlers[number] = signal.signal(number, self._note_signal)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @property
    def told_to_stop(self) -> bool:
        return self._signals > 0

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within this block a signal raises KeyboardInterrupt: for work of our own while the children run."""
        self._raises = True
        try:
            if self.told_to_stop:
                raise KeyboardInterrupt
            yield
        finally:
            self._raises = False

    def start(self, name: str, command: Sequence[str], *, pass_fds: Sequence[int] = ()) -> None:
        process, reader = self._run(name, command, pass_fds)
        self._children.append(Child(name, command, pass_fds, process, reader, time.monotonic()))

    def wait(self, until: Callable[[], bool] = lambda: False, *, needs: str = "") -> int | None:
        """Look after the children until a signal comes (returns 0) or until `until` (None).

        needs  a child that must not die: if it does, its status is returned, never 0
        """
        while not self.told_to_stop:
            for child in self._children:
                status = child.process.poll()
                if status is not None and child.name == needs:
                    self._say(f"The {child.name} process ended by itself ({_ending(status)}).")
                    return abs(status) or 1
                self._look_after(child)
            if until():
                return None
            time.sleep(POLL_S)
        return 0

    def stop(self) -> None:
        """Ask every child to end, the first one after all others, then insist.

        A child that has not ended after our patience is killed; on a second signal all are, at once.
        """
        last_word = 2 if self.told_to_stop else 1
        for together in (self._children[1:], self._children[:1]):
            for child in together:
                if child.process.poll() is None:
                    child.process.terminate()
            asked_at = time.monotonic()
            while any(child.process.poll() is None for child in together):
                if time.monotonic() - asked_at > self._patience_s or self._signals >= last_word:
                    break
                time.sleep(0.05)
            for child in together:
                # The whole group, always: a child that died by itself may have left its own children behind.
                _signal_group(child.process, signal.SIGKILL)
                child.process.wait()
                child.reader.join(timeout=1)
        self._children.clear()

    def _run(
        self, name: str, command: Sequence[str], pass_fds: Sequence[int]
    ) -> tuple[subprocess.Popen[str], threading.Thread]:
        process = subprocess.Popen(  # noqa: S603 - the commands are the site's own
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=pass_fds,
        )
        reader = threading.Thread(target=self._pass_on, args=(name, process.stdout), daemon=True)
        reader.start()
        return process, reader

    def _look_after(self, child: Child) -> None:
        """Start a dead child again, now or after a pause."""
        status = child.process.poll()
        if status is None:
            return
        now = time.monotonic()
        if child.start_again_at is None:
            is_early = now - child.started_at < self._lived_long_s
            child.n_early_deaths = child.n_early_deaths + 1 if is_early else 0
            pause_s = min(2 ** (child.n_early_deaths - 2), self._longest_pause_s) if child.n_early_deaths > 1 else 0
            child.start_again_at = now + pause_s
            self._say(f"The {child.name} process ended by itself ({_ending(status)}). {_what_next(child, pause_s)}")
            _end_orphans(child.process)
        if now >= child.start_again_at:
            try:
                child.process, child.reader = self._run(child.name, child.command, child.pass_fds)
            except OSError as error:  # no memory or no process number left, for now
                child.start_again_at = now + self._longest_pause_s
                self._say(
                    f"The {child.name} process cannot be started ({error}). Next try in {self._longest_pause_s:g} s."
                )
                return
            child.started_at, child.start_again_at = time.monotonic(), None

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._raises:
            self._raises = False
            raise KeyboardInterrupt

    def _pass_on(self, name: str, output: IO[str]) -> None:
        for line in output:
            if line.strip():
                self._say(f"{name:>9} | {line.rstrip()}")


def _ending(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"


def _what_next(child: Child, pause_s: float) -> str:
    if not pause_s:
        return "Starting it again."
    return f"It has died soon after its start {child.n_early_deaths} times in a row: next try in {pause_s:g} s."


def _end_orphans(dead: subprocess.Popen[str]) -> None:
    """End processes that a dead child left: two workers of one name would share its work, two servers its socket."""
    _signal_group(dead, signal.SIGTERM)
    give_up_at = time.monotonic() + ORPHANS_PATIENCE_S
    while _signal_group(dead, NO_SIGNAL) and time.monotonic() < give_up_at:
        time.sleep(0.05)
    _signal_group(dead, signal.SIGKILL)


def _signal_group(leader: subprocess.Popen[str], number: int) -> bool:
    """Whether anything of a child's process group is still there to hear it."""
    try:
        os.killpg(leader.pid, number)
    except (ProcessLookupError, PermissionError):  # macOS forbids what only zombies would hear
        return False
    return True
