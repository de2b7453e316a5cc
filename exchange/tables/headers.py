"""Which columns an importer needs, which names they may have, and what is reported when they are missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal

from exchange.identity import identity
from exchange.rejects import BadFile, RejectLog, bad_file
from exchange.wording import is_or_are, listed

_NO_ALIASES: Mapping[str, str] = MappingProxyType({})


def folded(name: str) -> str:
    """A column name as names are compared: without outer blanks and case; blank, hyphen and underscore are the same."""
    return identity(name).casefold().replace(" ", "_").replace("-", "_")


@dataclass(frozen=True)
class Columns:
    """The columns of one file format.

    required  must all be present
    optional  are read if present
    aliases   other name → our name; a column under our own name wins over its aliases, and an earlier alias over a
              later one; the loser is an extra column under the name it came with
    names     those of these columns whose cells name something; true, false, a list or an object in one is refused
    extra     what happens to any other column: "keep" it, "drop" it, "refuse" the file
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=lambda: _NO_ALIASES)
    names: tuple[str, ...] = ()
    extra: Literal["keep", "drop", "refuse"] = "keep"

    def __post_init__(self) -> None:
        stray = set(self.aliases.values()) - {*self.required, *self.optional}
        if stray:
            raise ValueError(f"aliases point to columns that are neither required nor optional: {sorted(stray)}")

    def resolve(self, found: Sequence[str]) -> dict[str, str]:
        """Found name → name to use. Dropped columns are absent; refused ones are present under their own name."""
        by_folded: dict[str, str] = {}
        for name in found:
            by_folded.setdefault(folded(name), name)
        known = (*self.required, *self.optional)
        taken: dict[str, str] = {}  # found → ours
        filled: set[str] = set()
        for ours, offered in [*((name, name) for name in known), *((o, a) for a, o in self.aliases.items())]:
            match = offered if offered in found else by_folded.get(folded(offered))
            if match is not None and match not in taken and ours not in filled:
                taken[match] = ours
                filled.add(ours)
        result: dict[str, str] = {}
        for name in found:
            if name in taken:
                result[name] = taken[name]
            elif self.extra != "drop" and name not in filled:
                result[name] = name
        return result

    def missing(self, resolved: Mapping[str, str]) -> list[str]:
        present = set(resolved.values())
        return [name for name in self.required if name not in present]

    def unknown(self, resolved: Mapping[str, str]) -> list[str]:
        """Found columns that are refused; empty unless extra="refuse"."""
        if self.extra != "refuse":
            return []
        known = {*self.required, *self.optional}
        return [name for name, ours in resolved.items() if ours not in known]

    def warn_of_unused(self, found: Sequence[str], *, file: str, log: RejectLog) -> None:
        """Warn, naming the columns that are dropped."""
        resolved = self.resolve(found)
        unused = [name for name in found if name not in resolved]
        if unused:
            log.warn(f"{file}: the column{'s' * (len(unused) > 1)} {listed(unused)} {is_or_are(unused)} not used.")

    def explain_missing(self, missing: Sequence[str], found: Sequence[str]) -> tuple[str, str]:
        """(problem, cure): what is needed, what was found, and which found column may be a misspelling."""
        problem = f"{listed(missing)} {is_or_are(missing)} missing; found {listed(found)}"
        hints = self._renamings(missing, found)
        needed = f"the file needs {listed(self.required)}"
        if len(found) == 1 and len(self.required) > 1:
            hints.append(f'if "{found[0]}" is a title, delete the rows above the one with the names of the columns')
        return problem, "; ".join([needed, *hints])

    def _renamings(self, missing: Sequence[str], found: Sequence[str]) -> list[str]:
        """Which columns to rename; empty unless each missing column has exactly one likely candidate.

        Several columns that resemble one name are most likely one per rater, question or image: a table with one of
        them renamed could be read, but would mean something else.
        """
        resolved = self.resolve(found)
        free = {folded(name): name for name in found if resolved.get(name, name) not in self.required}
        hints: dict[str, str] = {}
        for name in missing:
            ways = [folded(way) for way in (name, *(alias for alias, ours in self.aliases.items() if ours == name))]
            near = {match for way in ways for match in get_close_matches(way, free, cutoff=0.7)}
            if len(near) != 1 or free[min(near)] in hints:
                return []
            hints[free[min(near)]] = f'rename "{free[min(near)]}" to "{name}" if that is what it is'
        return list(hints.values())

    def check_header(self, found: Sequence[str], *, file: str, row: int | None) -> dict[str, str]:
        """`resolve` for a file with one header. Raises BadFile for blank, repeated, missing and refused columns."""
        check_names(found, file=file, row=row)
        resolved = self.resolve(found)
        missing = self.missing(resolved)
        if missing:
            problem, cure = self.explain_missing(missing, found)
            raise bad_file(file, problem, cure, row=row, field=missing[0])
        unknown = self.unknown(resolved)
        if unknown:
            raise bad_file(
                file,
                f"{listed(unknown)} {'is not a column' if len(unknown) == 1 else 'are not columns'} of this format",
                f"remove or rename; understood are {listed([*self.required, *self.optional])}",
                row=row,
                field=unknown[0],
            )
        return resolved


def check_names(found: Sequence[str], *, file: str, row: int | None) -> None:
    """Raises BadFile if a column has no name, or two have the same name."""
    seen: dict[str, int] = {}
    for position, name in enumerate(found, start=1):
        if not identity(name):
            raise _header_fault(file, row, name, f"column {position} has no name", "give it a name or remove it")
        if name in seen:
            raise _header_fault(
                file, row, name, f'columns {seen[name]} and {position} are both named "{name}"', "rename or remove one"
            )
        seen[name] = position


def _header_fault(file: str, row: int | None, name: str, problem: str, cure: str) -> BadFile:
    return bad_file(file, problem, cure, row=row, field=name[:100], value=name)
