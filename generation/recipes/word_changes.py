"""What one wording says that another does not, word by word."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_PIECES = re.compile(r"\s+|\w+(?:['’-]\w+)*|[^\w\s]")


@dataclass(frozen=True)
class Piece:
    """A stretch of text: in both wordings, in the new one alone, or in the old one alone."""

    change: Literal["same", "added", "removed"]
    text: str


def changes(old: str, new: str) -> list[Piece]:
    """The new wording in pieces, with what it left out at its place. Capitals and runs of blanks make no difference.

    Joining the pieces that are not "removed" gives the new wording, its blanks made single.
    """
    before, after = _PIECES.findall(" ".join(old.split())), _PIECES.findall(" ".join(new.split()))
    matcher = SequenceMatcher(None, [one.lower() for one in before], [one.lower() for one in after], autojunk=False)
    pieces: list[Piece] = []
    for kind, i, to_i, j, to_j in matcher.get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(after[j:to_j])))
            continue
        if to_i > i:
            pieces.append(Piece("removed", "".join(before[i:to_i])))
        if to_j > j:
            pieces.append(Piece("added", "".join(after[j:to_j])))
    return pieces
