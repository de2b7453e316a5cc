"""One row of an outside file, whatever its format."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = Mapping[str, JsonValue]


class Row(NamedTuple):
    """One row: its place and its values.

    file    the name the user knows the file by
    number  1-based: the line on which the row begins (CSV, TSV, JSON lines), or the record (JSON arrays, Parquet)
    values  column → value. CSV and TSV give only text, "" for an empty cell; JSON and Parquet give JSON values,
            None for null; a JSON object's missing keys are absent
    place   which of the answers of its row this is, from 0, if one row of the file holds several
    field   the file's name for the cell of the value, if that is not "value"
    """

    file: str
    number: int
    values: dict[str, JsonValue]
    place: int = 0
    field: str = ""
