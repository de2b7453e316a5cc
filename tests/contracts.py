"""Kinds of import rule that import-linter does not bring: what a room may import, and who may import a room.

Both look at direct imports and list what is allowed, not what is forbidden, so that a module made tomorrow is held by
them too. A room that does not exist yet imports nothing and breaks nothing.
"""

import sys
from collections.abc import Iterable

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

Violation = tuple[str, str, list[int]]
# `_typeshed` exists for type checkers alone.
STANDARD_LIBRARY = sys.stdlib_module_names | {"_typeshed"}


def within(module: str, packages: Iterable[str]) -> bool:
    """Whether the module is one of the packages or lies in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def direct_imports(graph: ImportGraph) -> Iterable[Violation]:
    """(importer, imported, line numbers) for every import statement of our code."""
    for importer in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            details = graph.get_import_details(importer=importer, imported=imported)
            yield importer, imported, [detail["line_number"] for detail in details]


class Explained(Contract):
    """A contract that says, next to each wrong import, why it is wrong."""

    def wrong(self, graph: ImportGraph) -> Iterable[Violation]:
        raise NotImplementedError

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        violations = list(self.wrong(graph))
        return ContractCheck(kept=not violations, metadata={"violations": violations})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported, lines in check.metadata["violations"]:
            at = ", ".join(f"l.{line}" for line in lines)
            output.print_error(f"{importer} must not import {imported} ({at}).")
        output.print_error(f"Why: {self.why}")  # type: ignore[attr-defined]


class ImportsOnly(Explained):
    """`rooms` import, besides themselves and the standard library, only the packages in `allowed`.

    With `among`, only imports of that package are judged (and the rest of the world is free).
    """

    rooms = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField(), required=False, default=[])
    among = fields.ListField(subfield=fields.StringField(), required=False, default=[])
    why = fields.StringField()

    def wrong(self, graph: ImportGraph) -> Iterable[Violation]:
        for importer, imported, lines in direct_imports(graph):
            room = next((room for room in self.rooms if within(importer, [room])), None)
            if room is None or within(imported, [room, *self.allowed]):
                continue
            if self.among and not within(imported, self.among):
                continue
            if imported.partition(".")[0] not in STANDARD_LIBRARY:
                yield importer, imported, lines


class ImportedOnlyBy(Explained):
    """`rooms` are imported by nobody but themselves and the packages in `allowed`."""

    rooms = fields.ListField(subfield=fields.StringField())
    allowed = fields.ListField(subfield=fields.StringField())
    why = fields.StringField()

    def wrong(self, graph: ImportGraph) -> Iterable[Violation]:
        for importer, imported, lines in direct_imports(graph):
            if within(imported, self.rooms) and not within(importer, [*self.rooms, *self.allowed]):
                yield importer, imported, lines
