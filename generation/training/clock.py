"""How long a training has run, over all its sittings: what is left, what to log, and what to continue from."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any

import torch

from generation.training import parallel


class Clock:
    """Counts steps and minutes of one training that ends after `minutes`, interruptions not counted.

    However slow the machine is, it is not over before the first line of its log.
    """

    def __init__(self, name: str, minutes: float, *, log_every: int = 100) -> None:
        self.name, self.minutes, self.log_every = name, minutes, log_every
        self.steps = 0
        self._spent = 0.0  # minutes
        self._last = time.monotonic()
        self._losses: list[float] = []

    @property
    def is_over(self) -> bool:
        return self.progress >= 1 and self.steps >= self.log_every

    @property
    def progress(self) -> float:
        """0 at the start, 1 at the end; the same in all processes."""
        return min(1.0, self._spent / self.minutes)

    def cosine(self, held: float = 0.0, least: float = 0.02) -> float:
        """A factor that is 1 for the share `held` of the time and then falls to `least` along a cosine."""
        fallen = max(0.0, self.progress - held) / (1 - held)
        return least + (1 - least) * 0.5 * (1 + math.cos(math.pi * fallen))

    def tick(self, loss: float) -> bool:
        """Count a step; whether it is one to log and save at."""
        now = time.monotonic()
        self._spent = parallel.agreed(self._spent + (now - self._last) / 60)
        self._last = now
        self.steps += 1
        self._losses.append(loss)
        return self.steps % self.log_every == 0

    def log(self, **figures: float) -> None:
        """Print the mean loss since the last line, and the figures."""
        if not parallel.is_first():
            self._losses.clear()
            return
        mean = sum(self._losses) / max(1, len(self._losses))
        shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        sys.stdout.write(f"{self.name}: step {self.steps}, {self._spent:.1f} min, loss {mean:.4f}  {shown}\n")
        sys.stdout.flush()
        self._losses.clear()

    def save(self, file: Path, **parts: Any) -> None:
        """Write the state of the parts, replacing the file at once."""
        if not parallel.is_first():
            return
        state: dict[str, Any] = {name: part.state_dict() for name, part in parts.items()}
        partial = file.with_suffix(".partial")
        torch.save({**state, "steps": self.steps, "spent": self._spent}, partial)
        partial.replace(file)

    def resume(self, file: Path, **parts: Any) -> None:
        """Load what `save` wrote, if it is there."""
        if not file.exists():
            return
        state = torch.load(file, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        self.steps, self._spent = state["steps"], state["spent"]
        self._last = time.monotonic()
