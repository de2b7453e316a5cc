"""Making images again from their records, and reporting how close they are."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generation.recipes.contract import Drawn, DrawRequest, EngineError, OnStep, Renoise, Resume
from generation.recipes.difference import Difference, difference
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.manifest import Record, Start
from generation.recipes.pixels import pixels_digest

# Engines that draw a different image each time, and cost each time.
NOT_REPEATABLE = frozenset({"openai-images"})
Original = Callable[[Record], bytes | None]


@dataclass(frozen=True)
class Reproduction:
    """The result for one record.

    png         as made again; empty where it could not be
    is_equal    whether every pixel is the same; None where that is unknown
    difference  how different, if the original is available
    problem     why it was not made, or what its difference may come from; else empty
    """

    record: Record
    png: bytes = b""
    is_equal: bool | None = None
    difference: Difference | None = None
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.record.id,
            "prompt": self.record.prompt,
            "method": self.record.method,
            "seed": self.record.seed,
            "round": self.record.round,
            "is_equal": self.is_equal,
            "difference": self.difference.as_json() if self.difference else None,
            "problem": self.problem,
        }


def reproduce(
    records: Sequence[Record],
    *,
    engine_for: Callable[[EngineSpec], Any],
    original: Original,
    folder: Path,
    on_step: OnStep = lambda done, total: None,
) -> Iterator[Reproduction]:
    """Make the images of a manifest again, each after those that it began from; one result a record, as they come.

    records   in the order of `manifest.read`
    original  the first image's file, if it is available; the digest of its pixels is in the record in any case
    folder    for the latents that later images begin from
    on_step   called between an engine's steps and before each image; what it raises ends the work

    An image that cannot be made, and those that start from it, are reported with the reason. Nothing is stored here.
    """
    made = _Made(records, folder)
    for record in records:
        on_step(0, 1)
        if record.copied_from:
            png, problem = made.copy(record), ""
        else:
            png, problem = _draw(record, engine_for, made, on_step)
        yield _judged(record, png, problem, original)


class _Made:
    """The images made again so far, with the latents that others need."""

    def __init__(self, records: Sequence[Record], folder: Path) -> None:
        self._folder = folder
        self._png: dict[str, bytes] = {}
        self._source = {record.id: record.id for record in records}
        for record in records:
            if record.copied_from:
                self._source[record.id] = self._source[record.copied_from]
        self.keep: Mapping[str, set[int]] = defaultdict(set)
        for record in records:
            if record.start is not None and record.start.mode == "resume":
                self.keep[self._source[record.start.image]].add(record.start.n)

    def copy(self, record: Record) -> bytes:
        self._png[record.id] = self._png.get(record.copied_from, b"")
        return self._png[record.id]

    def add(self, record: Record, drawn: Drawn) -> None:
        self._png[record.id] = drawn.png
        n_steps = int(record.request["n_steps"])
        for n_done, latents in {**drawn.kept, n_steps: drawn.latents}.items():
            self._file(record.id, n_done).write_bytes(latents)

    def latents(self, image: str, n_done: int) -> bytes | None:
        file = self._file(self._source[image], n_done)
        return file.read_bytes() if file.exists() else None

    def _file(self, image: str, n_done: int) -> Path:
        return self._folder / f"{hashlib.sha256(image.encode()).hexdigest()[:32]}-{n_done}.latents"


def _draw(record: Record, engine_for: Callable[[EngineSpec], Any], made: _Made, on_step: OnStep) -> tuple[bytes, str]:
    """The image's file, and the report on it."""
    if record.engine is None:
        return b"", "It was imported: nothing here says how it was made."
    if record.engine.engine in NOT_REPEATABLE:
        return b"", "A remote model made it, which draws another image each time."
    request = replace(record.draw_request(), keep_after=())
    start: Renoise | Resume | None = None
    remark = ""
    if record.start is not None:
        latents = made.latents(record.start.image, _n_done(record.start, request))
        if latents is None:
            return b"", "The image it began from could not be made again."
        if record.start.sha256 and hashlib.sha256(latents).hexdigest() != record.start.sha256:
            remark = "The image it began from came out different."
        start = _start(record.start, latents)
    keep = tuple(sorted(n for n in made.keep.get(record.id, ()) if 0 < n < request.n_steps))
    try:
        engine = engine_for(record.engine)
        drawn = engine.draw([replace(request, start=start, keep_after=keep)], on_step)[0]
    except EngineError as error:
        return b"", f"{error.problem} {error.cure}".strip()
    made.add(record, drawn)
    return drawn.png, remark or _differences(record.identity, engine.identity)


def _n_done(start: Start, request: DrawRequest) -> int:
    """Which of the parent's states is needed: the finished one to add noise to, or that after n steps."""
    return request.n_steps if start.mode == "renoise" else min(start.n, request.n_steps)


def _start(start: Start, latents: bytes) -> Renoise | Resume:
    if start.mode == "renoise":
        return Renoise(latents, start.n, start.noise_seed)
    return Resume(latents, start.n, start.earlier_prompt, start.swap_pooled)


def _differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """How the engine differs today."""
    changed = [
        f"{name}: {before.get(name)} then, {now.get(name)} now"
        for name in sorted(set(before) | set(now))
        if before.get(name) != now.get(name)
    ]
    return "; ".join(changed)


def _judged(record: Record, png: bytes, problem: str, original: Original) -> Reproduction:
    if not png:
        return Reproduction(record, problem=problem or "What it was chosen from could not be made again.")
    first = original(record)
    if first is None:
        is_equal = pixels_digest(png) == record.pixels if record.pixels else None
        return Reproduction(record, png, is_equal, None, "" if is_equal else problem)
    apart = difference(first, png)
    return Reproduction(record, png, apart.bit_equal, apart, "" if apart.bit_equal else problem)
