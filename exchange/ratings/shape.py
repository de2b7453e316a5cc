"""A recognised file of ratings: the answers that each of its rows holds, and what is known about the file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from exchange.tables.row import JsonValue, Row

ONLY_QUESTION = "rating"
"""The name of the only question if a file does not name it."""


class Answer(NamedTuple):
    """One answer.

    item, rater, dimension   as in the file; a missing one is "", which is refused later, by row
    value                    None or "" if there is no answer
    field                    the file's own name for the place of the value
    more                     further columns of a table of ratings: answered_at, active_ms, prompt, method
    """

    item: str
    rater: str
    dimension: str
    value: JsonValue
    field: str = "value"
    more: Mapping[str, JsonValue] = {}


class Skipped(NamedTuple):
    """n answers that are left out for a reason that is not a fault: a cancelled annotation, a preview, a comment."""

    reason: str
    n: int = 1


Parts = Iterable[Answer | Skipped]


@dataclass(frozen=True)
class Sheet:
    """The beginning of a file: the keys of its first rows in order, and these rows."""

    file: str
    columns: Sequence[str]
    head: Sequence[Row]

    def values(self, column: str) -> list[JsonValue]:
        """The cells of a column in the first rows that are not empty."""
        cells = (row.values.get(column) for row in self.head)
        return [cell for cell in cells if not is_blank(cell)]


def is_blank(cell: JsonValue) -> bool:
    """Whether a cell does not hold anything that could be an answer."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


@dataclass(frozen=True)
class Shape:
    """How a file is read.

    name        the program that wrote it, or what its columns are: for the output
    parts       row → its answers
    mapping     the columns in the form of a mapping file; {} if the program alone determines them
    references  items are paths or addresses of images, and are named by their files
    choices     questions whose answers are choices from a list, not numbers
    questions   question → its wording, if the file has it
    unused      columns that are not read although the user may want them to be
    header_rows rows under the header that do not hold answers
    is_paired   items have no names of their own: they are a prompt's image by a method (`columns.pair_name`)
    """

    name: str
    parts: Callable[[Row], Parts]
    mapping: Mapping[str, JsonValue] = field(default_factory=dict)
    references: bool = False
    choices: frozenset[str] = frozenset()
    questions: Mapping[str, str] = field(default_factory=dict)
    unused: Sequence[str] = ()
    header_rows: int = 0
    is_paired: bool = False
