"""Images from outside and the images they were refined from."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from exchange.rejects import RejectLog
from exchange.tables.row import JsonValue


@dataclass(frozen=True)
class ImageRow:
    """One image that a manifest names, or only a prompt's reference image.

    number      its row in the manifest (both images of a pair have the same)
    file        the entry in the bundle; "" where the row has only a reference
    prompt      the prompt's text, or prompt_key its key; one of them is given
    method      "imported" if the manifest does not say
    round       number of refinements: 0 for a baseline; by default one more than its parent's
    parent      the entry in the bundle from which it was refined, "" for none
    key         "" if the manifest gives none
    provenance  every further column that is filled in
    has_method  False if the manifest has a column for it that is empty here
    reference   the entry in the bundle with the prompt's reference image, "" for none
    """

    number: int
    file: str
    prompt: str
    prompt_key: str
    method: str
    seed: int | None
    round: int
    parent: str
    key: str
    provenance: dict[str, JsonValue] = field(default_factory=dict)
    has_method: bool = True
    reference: str = ""


def parents_first(good: dict[str, ImageRow], called: str, log: RejectLog) -> Iterator[ImageRow]:
    """The rows with each parent before its children, otherwise in the manifest's order; other rows go to the log."""
    done: dict[str, int] = {}  # entry → round
    refused: set[str] = set()
    for start in good.values():
        line: list[ImageRow] = []  # from a row up to an ancestor whose round is known
        on_line: set[str] = set()
        image: ImageRow | None = start
        while image is not None and image.file not in done and image.file not in refused and image.file not in on_line:
            line.append(image)
            on_line.add(image.file)
            image = good.get(image.parent)
        circle = image is not None and image.file in on_line
        for row in reversed(line):
            if row.parent and (circle or row.parent not in done):
                refused.add(row.file)
                if circle:
                    problem, cure = "the parents go round in a circle", "let one of them have no parent"
                else:
                    problem, cure = "the parent image has no good row in this manifest", "add or fix its row"
                log.note(called, row.number, "parent", row.parent, problem, cure)
                continue
            depth = row.round if row.round >= 0 else done[row.parent] + 1 if row.parent else 0
            done[row.file] = depth
            yield replace(row, round=depth)
