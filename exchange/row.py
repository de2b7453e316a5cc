"""One row of an outside file, whatever its format."""

from typing import NamedTuple, TypeAlias

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"


class Row(NamedTuple):
    """One row: where it stands and what it says.

    file    the name the user knows the file by
    number  1-based: the line on which the row begins (CSV, TSV, JSON lines), or the record (JSON arrays, Parquet)
    values  column → value. CSV and TSV give text only, "" for an empty cell; JSON and Parquet give JSON values,
            None for null; a JSON object's missing keys are absent
    """

    file: str
    number: int
    values: dict[str, JsonValue]
