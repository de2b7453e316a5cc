"""Names that are nearly the same, noticed while a file is read row by row."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from exchange.identity import likeness
from exchange.signs import difference
from exchange.wording import listed

MOST_GROUPS_NAMED = 3
GAP_WORDS = frozenset(("nan", "na", "n/a", "#n/a", "none", "null", "nil"))
"""Words that programs write for a cell without a value; in a column of names they are names."""


class Spellings:
    """Collects names, and says which differ only in what a reader would overlook (`identity.likeness`).

    Memory: about 200 bytes per distinct name, and per name that is stored already.
    """

    def __init__(self) -> None:
        self._seen: defaultdict[tuple[str, str], set[int]] = defaultdict(set)  # hashes of names: most come many times
        self._met: defaultdict[tuple[str, str], dict[int, str]] = defaultdict(dict)  # hashes of likenesses
        self._groups: defaultdict[tuple[str, str], dict[int, dict[str, None]]] = defaultdict(dict)
        self._gaps: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        self._here: defaultdict[str, dict[int, str]] = defaultdict(dict)  # by what they name

    def know(self, what: str, names: Iterable[str]) -> None:
        """Add names that are already stored, to compare with those in files. Call it before files are read."""
        for name in names:
            self._here[what].setdefault(hash(likeness(name)), name)

    def meet(self, file: str, what: str, names: Iterable[str]) -> None:
        """Note the names that `file` uses for things of one kind (item, rater…), as `identity` writes them."""
        seen, met, groups = self._seen[file, what], self._met[file, what], self._groups[file, what]
        there = self._here[what]
        fresh = {code: name for name in names if (code := hash(name)) not in seen}
        seen.update(fresh)
        for name in fresh.values():
            if len(name) <= 4 and name.casefold() in GAP_WORDS:
                self._gaps[file, what][name] = None
            like = hash(likeness(name))
            here = there.get(like, name) if there else name
            if here != name:
                groups.setdefault(like, {here: None})[name] = None
            first = met.setdefault(like, name)
            if first != name:
                groups.setdefault(like, {first: None})[name] = None

    def warnings(self) -> Iterator[str]:
        """A sentence for each kind of thing that has such names."""
        for (file, what), groups in self._groups.items():
            if groups:
                here = [self._here[what][like] for like in groups if like in self._here[what]]
                yield near_names(file, what, [list(names) for names in groups.values()], here=here)
        for (file, what), names in self._gaps.items():
            yield gap_names(file, what, list(names))


def near_names(file: str, what: str, groups: Sequence[Sequence[str]], *, here: Sequence[str] = ()) -> str:
    """The sentence that lists names that are nearly the same but count as different, with the first sign that differs.

    here  the names among them that are already stored
    """
    said = "; ".join(_with_differences(group) for group in groups[:MOST_GROUPS_NAMED])
    more = f"; and {len(groups) - MOST_GROUPS_NAMED:,} more" if len(groups) > MOST_GROUPS_NAMED else ""
    return (
        f"{file}, {what}: these names differ only in case, inner blanks, look-alike letters or the way a number is "
        f"written, and count as different: {said}{more}.{_stored_already(here)}"
    )


def gap_names(file: str, what: str, names: Sequence[str]) -> str:
    """The sentence that says that such words are read as names."""
    one = len(names) == 1
    return (
        f"{file}, {what}: {listed(names)} {'is read as a name' if one else 'are read as names'}: only an empty cell is "
        f"missing. If {'it means' if one else 'they mean'} that the name is missing, empty the cell."
    )


def _with_differences(group: Sequence[str], most: int = 6) -> str:
    first, *others = group
    named = [listed([first]), *(f"{listed([name])} ({difference(first, name)})" for name in others[: most - 1])]
    text = ", ".join(named)
    return text if len(group) <= most else f"{text} and {len(group) - most} more"


def _stored_already(here: Sequence[str]) -> str:
    if not here:
        return ""
    more = f" and {len(here) - MOST_GROUPS_NAMED:,} more" if len(here) > MOST_GROUPS_NAMED else ""
    return f" Here already: {listed(here[:MOST_GROUPS_NAMED])}{more}."
