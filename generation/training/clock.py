"""The progress of a training across interruptions: what is left, when to log, and the state to continue from."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import Any

import torch

from generation.training import parallel


class Clock:
    """Counts the steps of one training that ends after `n_steps`, and the minutes that they take.

    Everything that depends on how far the training has come depends on its steps, so that a slow or busy machine
    makes the same weights as a fast one.
    """

    def __init__(self, name: str, n_steps: int, *, log_every: int = 100) -> None:
        self.name, self.n_steps, self.log_every = name, n_steps, log_every
        self.steps = 0
        self._minutes = self._processor_minutes = 0.0
        self._last = time.monotonic()
        self._last_processor = time.process_time()
        self._losses: list[float] = []

    @property
    def is_over(self) -> bool:
        return self.steps >= self.n_steps

    @property
    def progress(self) -> float:
        """0 at the start, 1 at the end."""
        return min(1.0, self.steps / self.n_steps)

    def cosine(self, held: float = 0.0, least: float = 0.02) -> float:
        """A factor that is 1 for the share `held` of the steps and then falls to `least` along a cosine."""
        fallen = max(0.0, self.progress - held) / (1 - held)
        return least + (1 - least) * 0.5 * (1 + math.cos(math.pi * fallen))

    def tick(self, loss: float) -> bool:
        """Count a step; whether it is one to log and save at."""
        now, processor = time.monotonic(), time.process_time()
        self._minutes += (now - self._last) / 60
        self._processor_minutes += (processor - self._last_processor) / 60
        self._last, self._last_processor = now, processor
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
        sys.stdout.write(
            f"{self.name}: step {self.steps}, {self._minutes:.1f} min ({self._processor_minutes:.1f} of a processor), "
            f"loss {mean:.4f}  {shown}\n"
        )
        sys.stdout.flush()
        self._losses.clear()

    def save(self, file: Path, **parts: Any) -> None:
        """Write the state of the parts, replacing the file at once."""
        if not parallel.is_first():
            return
        state: dict[str, Any] = {name: part.state_dict() for name, part in parts.items()}
        partial = file.with_suffix(".partial")
        spent = {"minutes": self._minutes, "processor_minutes": self._processor_minutes}
        torch.save({**state, "steps": self.steps, **spent}, partial)
        partial.replace(file)

    def resume(self, file: Path, **parts: Any) -> None:
        """Load what `save` wrote, if it is there."""
        if not file.exists():
            return
        state = torch.load(file, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        self.steps = state["steps"]
        self._minutes, self._processor_minutes = state["minutes"], state["processor_minutes"]
        self._last, self._last_processor = time.monotonic(), time.process_time()
