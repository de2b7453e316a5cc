"""A file that is one JSON object: a table in one of the orientations that pandas and others write, or one record."""

import json
from collections.abc import Iterator

from exchange.rejects import RejectLog, bad_file
from exchange.tables.row import JsonValue
from exchange.tables.strictjson import Fault, StrictDecoder

MOST_CHARACTERS = 512 * 1024 * 1024
_SPLIT = frozenset(("columns", "index", "data", "index_names", "column_names", "schema"))


def read_document(texts: Iterator[str], *, name: str, log: RejectLog) -> tuple[list[dict[str, JsonValue]], list[Fault]]:
    """The records of a file that is one JSON object, held completely in memory; and the faults of a single record.

    Accepted are an object of columns ({"item": {"0": …}} or {"item": […]}), of records by key ({"a": {"item": …}},
    whose key is kept as `index`), the orientations "split" and "table" of pandas, and an object around one list of
    records ({"data": […]}). Anything else is one record. Raises BadFile for wrong syntax, and for faults in a table.
    """
    text, n = [], 0
    for piece in texts:
        text.append(piece)
        n += len(piece)
        if n > MOST_CHARACTERS:
            raise bad_file(name, f"one JSON object has more than {MOST_CHARACTERS:,} characters", "use JSON lines")
    whole = "".join(text).strip()
    decoder = StrictDecoder()
    try:
        value, end = decoder.decode(whole, 0)
    except json.JSONDecodeError as error:
        raise bad_file(
            name,
            f"the file is not JSON ({error.msg} in line {error.lineno})",
            "correct it there, or use JSON lines",
            row=error.lineno,
        ) from error
    except RecursionError as error:
        raise bad_file(name, "the JSON is nested too deeply", "flatten it") from error
    if whole[end:].strip():
        line = whole.count("\n", 0, end) + 1
        raise bad_file(
            name, f"text follows the closing brace (line {line})", "write one JSON object per line", row=line
        )
    records = records_of(value, name, log) if isinstance(value, dict) else []
    if decoder.faults and (len(records) != 1 or records[0] is not value):
        fault = decoder.faults[0]
        raise bad_file(name, fault.problem, fault.cure, field=fault.field, value=fault.value)
    return records, list(decoder.faults)


def records_of(value: dict[str, JsonValue], name: str, log: RejectLog) -> list[dict[str, JsonValue]]:
    """The records that an object holds."""
    if {"columns", "data"} <= value.keys() <= _SPLIT and isinstance(value["columns"], list):
        return _split(value["columns"], value["data"], name)
    lists = [key for key, part in value.items() if _is_records(part)]
    if len(lists) == 1 and not any(isinstance(part, list) for key, part in value.items() if key != lists[0]):
        log.remark(f'{name}: the records are those under "{lists[0]}".')
        return value[lists[0]]  # type: ignore[return-value]
    parts = list(value.values())
    columns = [part for part in parts if isinstance(part, list)]
    if len(parts) > 1 and len(columns) == len(parts) and _are_plain(columns):
        log.remark(f"{name}: a table by columns.")
        return [dict(zip(value, cells, strict=True)) for cells in zip(*columns, strict=True)]
    if parts and all(isinstance(part, dict) for part in parts) and (len(parts) > 1 or next(iter(value)).isdigit()):
        return _nested(value, name, log)  # type: ignore[arg-type]
    return [value]


def _are_plain(columns: list[list[JsonValue]]) -> bool:
    return len({len(cells) for cells in columns}) == 1 and not any(
        isinstance(c, dict) for cells in columns for c in cells
    )


def _is_records(part: JsonValue) -> bool:
    return isinstance(part, list) and bool(part) and all(isinstance(one, dict) for one in part)


def _split(columns: list[JsonValue], data: JsonValue, name: str) -> list[dict[str, JsonValue]]:
    names = [str(column) for column in columns]
    if not isinstance(data, list) or not all(isinstance(row, list) and len(row) == len(names) for row in data):
        raise bad_file(name, 'not every row of "data" has as many cells as there are "columns"', "write it again")
    return [dict(zip(names, row, strict=True)) for row in data]  # type: ignore[arg-type]


def _nested(value: dict[str, dict[str, JsonValue]], name: str, log: RejectLog) -> list[dict[str, JsonValue]]:
    """An object of objects: columns if the outer keys are names and the inner keys number the rows."""
    inner = list(dict.fromkeys(key for part in value.values() for key in part))
    numbered = all(key.isdigit() for key in inner) and not all(key.isdigit() for key in value)
    if not numbered:
        return [{"index": key, **record} for key, record in value.items()]
    log.remark(f"{name}: a table by columns.")
    return [{column: cells.get(key) for column, cells in value.items()} for key in inner]
