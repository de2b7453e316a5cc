"""Child processes that live and end together: when one stops, or we are told to, all stop."""

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
POLL_S = 0.2


@dataclass
class Child:
    name: str
    process: subprocess.Popen[str]
    reader: threading.Thread


class ChildProcesses:
    """Starts processes, passes their output on line by line under their names, and ends them together.

    Children get their own process group, so that Ctrl-C in the terminal reaches only us and the order of events is
    ours. `say` prints one line. Use as a context manager, in the main thread: leaving it leaves no child behind.
    """

    def __init__(self, say: Callable[[str], object], *, patience_s: float = 15) -> None:
        self._say = say
        self._patience_s = patience_s
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
        self._children.append(Child(name, process, reader))

    def ended(self) -> Child | None:
        """The first child that is no longer running, if any."""
        return next((child for child in self._children if child.process.poll() is not None), None)

    def wait(self, until: Callable[[], bool] = lambda: False) -> int | None:
        """Wait for a signal (returns 0), the end of a child (its status, never 0) or `until` (None)."""
        while not self.told_to_stop:
            if child := self.ended():
                self._say(f"The {child.name} process ended by itself (status {child.process.returncode}).")
                return abs(child.process.returncode) or 1
            if until():
                return None
            time.sleep(POLL_S)
        return 0

    def stop(self) -> None:
        """Ask every child to end, then insist: after our patience, or at once on a second signal, kill them."""
        for child in self._children:
            if child.process.poll() is None:
                child.process.terminate()
        asked_at, last_word = time.monotonic(), 2 if self.told_to_stop else 1
        while any(child.process.poll() is None for child in self._children):
            if time.monotonic() - asked_at > self._patience_s or self._signals >= last_word:
                break
            time.sleep(0.05)
        for child in self._children:
            # The whole group, always: a child that died by itself may have left its own children behind.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
            child.reader.join(timeout=1)
        self._children.clear()

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        if self._raises:
            self._raises = False
            raise KeyboardInterrupt

    def _pass_on(self, name: str, output: IO[str]) -> None:
        for line in output:
            if line.strip():
                self._say(f"{name:>9} | {line.rstrip()}")
