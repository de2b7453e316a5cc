"""The front door for tables from outside: CSV, TSV, JSON lines, JSON arrays and Parquet, told apart by content."""

from .coded import CodedColumn, CodedTable, read_columns
from .headers import Columns
from .rejects import BadFile, Reject, RejectLog
from .row import JsonValue, Row
from .rows import read_rows

__all__ = [
    "BadFile",
    "CodedColumn",
    "CodedTable",
    "Columns",
    "JsonValue",
    "Reject",
    "RejectLog",
    "Row",
    "read_columns",
    "read_rows",
]
