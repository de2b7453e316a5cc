"""Tables with a column for each rater, or for each question, and the mapping with which they can be read again."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import IO

from annotations.models import Study
from annotations.services.exports import Rows
from annotations.services.formats.answers import Answered, Given, answered
from exchange.export import csv_chunks
from exchange.ratings.mapping import AS_WRITTEN
from exchange.tables.row import JsonValue


def write_by_rater(study: Study, target: IO[bytes]) -> None:
    """CSV: a row for each unit and question, a column for each rater; empty where the rater gave no answer."""
    found = answered(study)
    fixed = _free(("item", "prompt_id", "method", "dimension"), found.raters)
    _write(csv_chunks([*fixed, *found.raters], _by_rater(found)), target)


def write_by_question(study: Study, target: IO[bytes]) -> None:
    """CSV: a row for each unit and rater, a column for each question; empty where there is no answer."""
    found = answered(study)
    asked = [dimension.name for dimension in found.dimensions]
    fixed = _free(("item", "prompt_id", "method", "rater", "rater_kind"), asked)
    _write(csv_chunks([*fixed, *asked], _by_question(found)), target)


def write_mapping_by_rater(study: Study, target: IO[bytes]) -> None:
    """What `--mapping` takes to read the table with a column for each rater."""
    found = answered(study)
    item, _prompt, _method, dimension = _free(("item", "prompt_id", "method", "dimension"), found.raters)
    _write_mapping({"item": item, "dimension": dimension, "raters": [*found.raters]}, target)


def write_mapping_by_question(study: Study, target: IO[bytes]) -> None:
    """What `--mapping` takes to read the table with a column for each question that a level answers."""
    found = answered(study)
    asked = [dimension.name for dimension in found.dimensions]
    item, _prompt, _method, rater, _kind = _free(("item", "prompt_id", "method", "rater", "rater_kind"), asked)
    levels: list[JsonValue] = [dimension.name for dimension in found.rows.data.dimensions]
    _write_mapping({"item": item, "rater": rater, "questions": levels}, target)


def _by_rater(found: Answered) -> Rows:
    place = {name: at for at, name in enumerate(found.raters)}

    def about(given: Given) -> tuple[str, int]:
        return given.unit.name, given.dimension.pk

    for (unit, _asked), some in groupby(found.given("unit, question"), about):
        cells: list[object] = [None] * len(place)
        for given in some:
            cells[place[given.rater]] = given.cell
            first = given
        yield unit, first.unit.prompt_id, first.unit.method, first.dimension.name, *cells


def _by_question(found: Answered) -> Rows:
    place = {dimension.pk: at for at, dimension in enumerate(found.dimensions)}

    def about(given: Given) -> tuple[str, str, str]:
        return given.unit.name, given.rater, given.rater_kind

    for (unit, rater, kind), some in groupby(found.given("unit, rater"), about):
        cells: list[object] = [None] * len(place)
        for given in some:
            cells[place[given.dimension.pk]] = given.cell
            first = given
        yield unit, first.unit.prompt_id, first.unit.method, rater, kind, *cells


def _free(names: Sequence[str], taken: Iterable[str]) -> list[str]:
    """The names, each with enough underscores appended to differ from those of raters or questions."""
    others = {name.casefold() for name in taken}
    found: list[str] = []
    for name in names:
        while name.casefold() in others:
            name += "_"
        found.append(name)
    return found


def _write(chunks: Iterator[str], target: IO[bytes]) -> None:
    for chunk in chunks:
        target.write(chunk.encode())


def _write_mapping(mapping: dict[str, JsonValue], target: IO[bytes]) -> None:
    said = json.dumps({**mapping, "names": AS_WRITTEN}, ensure_ascii=False, indent=1)
    target.write(f"{said}\n".encode())
