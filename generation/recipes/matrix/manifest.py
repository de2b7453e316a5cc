"""How each image was made, as a file: enough to make the images again elsewhere, without the database.

One JSON object per line. A record's `start` names the image whose latents it started from; that image is in the
manifest too, even if nobody asked for it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TextIO

from generation.recipes.contract import DrawRequest
from generation.recipes.engine_spec import EngineSpec

FORMAT = "evalsite-images/1"


class BadManifest(ValueError):
    """A manifest that cannot be used: the line, the problem, and the cure."""


@dataclass(frozen=True)
class Start:
    """Where a drawing began. mode: "renoise" or "resume"; image: the record of the image that it began from.

    n        renoise: the step's index k; resume: how many steps were done
    noise_seed, earlier_prompt, swap_pooled: see `requests.Renoise` and `requests.Resume`
    sha256   of the latents, to check that the reproduction starts from the same ones
    """

    mode: str
    image: str
    n: int
    sha256: str = ""
    noise_seed: int = 0
    earlier_prompt: str = ""
    swap_pooled: bool = True


@dataclass(frozen=True)
class Record:
    """One image. id: unique in the manifest. copied_from: another record whose file this is (a choice, an early stop).

    engine, identity   what was asked for, and what it said of itself when it drew
    request            the fields of `DrawRequest` but `start`
    sha256, pixels     of the file, and of its decoded RGB pixels with their size
    """

    id: str
    prompt: str
    method: str
    seed: int | None
    round: int
    sha256: str
    pixels: str
    engine: EngineSpec | None = None
    identity: Mapping[str, Any] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    start: Start | None = None
    copied_from: str = ""

    def draw_request(self) -> DrawRequest:
        """The request without its start: anyone who has the latents adds it."""
        known = {**self.request, "keep_after": tuple(self.request.get("keep_after", ()))}
        return DrawRequest(**known)


def lines(records: Iterable[Record]) -> Iterator[str]:
    """The lines of a manifest, the first of which names the format, as the records come."""
    yield json.dumps({"format": FORMAT}) + "\n"
    for record in records:
        row = {**asdict(record), "engine": record.engine.as_json() if record.engine else None}
        yield json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n"


def write(records: Iterable[Record], stream: TextIO) -> int:
    """Write a manifest; how many records."""
    n_lines = 0
    for line in lines(records):
        stream.write(line)
        n_lines += 1
    return n_lines - 1


def read(stream: Iterable[str]) -> list[Record]:
    """The records of a manifest, each after those that it needs. Raises BadManifest with line and cure."""
    records: dict[str, Record] = {}
    for number, row in _rows(stream):
        try:
            record = _record(row)
        except (KeyError, TypeError, ValueError) as error:
            problem = f"Line {number}: this is not an image's record ({error!r})."
            raise BadManifest(f"{problem} Export the manifest again.") from error
        if record.id in records:
            raise BadManifest(f"Line {number}: {record.id} is there twice. Remove one of the two lines.")
        records[record.id] = record
    return list(in_order(records))


def in_order(records: Mapping[str, Record]) -> Iterator[Record]:
    """Each record after the one it began from or copies. Raises BadManifest where that one is missing or a circle."""
    done: set[str] = set()
    for name in records:
        chain: list[str] = []
        at = name
        while at and at not in done:
            if at not in records:
                raise BadManifest(f"{chain[-1]} begins from {at}, which is not in the manifest. Export it whole.")
            if at in chain:
                raise BadManifest(f"{at} begins from itself. Export the manifest again.")
            chain.append(at)
            at = needed(records[at])
        for link in reversed(chain):
            done.add(link)
            yield records[link]


def needed(record: Record) -> str:
    """The record that must be made before this one; empty if none."""
    return record.copied_from or (record.start.image if record.start else "")


def _rows(stream: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    is_first = True
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadManifest(f"Line {number}: this is not JSON ({error}). Export the manifest again.") from error
        if is_first:
            if not isinstance(row, dict) or row.get("format") != FORMAT:
                raise BadManifest(f'Line {number}: the first line must be {{"format": "{FORMAT}"}}.')
            is_first = False
            continue
        if not isinstance(row, dict):
            raise BadManifest(f"Line {number}: a record is a JSON object.")
        yield number, row
    if is_first:
        raise BadManifest("The manifest is empty. Export it again.")


def _record(row: dict[str, Any]) -> Record:
    engine, start = row.get("engine"), row.get("start")
    return Record(
        **{
            **row,
            "engine": EngineSpec.from_json(engine) if engine else None,
            "start": Start(**start) if start else None,
        }
    )
