"""Blocks of columns say what rows say, wherever the file is cut."""

import io
from collections.abc import Sequence
from dataclasses import astuple

import pytest

from exchange.rejects import BadFile, RejectLog
from exchange.study_tables import RATINGS
from exchange.tables.coded import CodedTable, read_blocks
from exchange.tables.row import Row
from exchange.tables.rows import read_rows

HEADER = "item,rater,value,note\n"
PLAIN = "".join(f"item-{i}.png,rater {i % 3},{1 + i % 5},x\n" for i in range(40))
FILES = {
    "clean": HEADER + PLAIN,
    "no end": HEADER + PLAIN.rstrip("\n"),
    "CRLF": (HEADER + PLAIN).replace("\n", "\r\n"),
    "quoted": HEADER + PLAIN + '"a, b",r,5,"c"\n' + PLAIN,
    "a line break in a cell": HEADER + PLAIN + '"a\nb",r,5,c\n' + PLAIN,
    "too few and too many cells": HEADER + PLAIN + "a,r,5\na,r,5,c,d\n" + PLAIN + "b,r\n" + PLAIN,
    "faults before and behind a line break": HEADER + "a,r,5\n" + PLAIN + '"a\nb",r,5,c\n' + "b,r,1\n" + PLAIN,
    "blank lines": HEADER + "\n" + PLAIN + "\n\n" + PLAIN + "\n",
    "blank cells": HEADER + " a ,, 5 ,\n" + PLAIN + "​b,r,,c\n",
    "a neutralised formula": HEADER + PLAIN + "'=a,r,5,c\n" + PLAIN,
    "a stray quote": HEADER + PLAIN + 'a "b",r,5,c\n' + PLAIN + '"a"b,r,5,c\n' + PLAIN,
    "an open quote": HEADER + PLAIN + 'a,r,5,"c\n' + PLAIN,
    "a lone carriage return": HEADER + PLAIN + "a\rb,r,5,c\n" + PLAIN,
    "NUL": HEADER + PLAIN + "a\0,r,5,c\n" + PLAIN,
    "no known column": "a;b\n1;2\n",
    "no row": HEADER,
    "a first column without a name": "," + HEADER + "".join(f"{i},a{i},r,5,c\n" for i in range(40)),
    "semicolons": (HEADER + PLAIN).replace(",", ";"),
    "JSON": '[{"item": "a", "rater": "r", "value": 5}]',
    "nothing": "",
}
SIZES = (1, 7, 64, 300, 1 << 20)


def as_rows(blocks: Sequence[CodedTable | list[Row]]) -> list[tuple[int, dict[str, object]]]:
    found: list[tuple[int, dict[str, object]]] = []
    for block in blocks:
        if isinstance(block, CodedTable):
            for i, number in enumerate(block.row_numbers.tolist()):
                found.append((number, {name: column[i] for name, column in block.columns.items()}))
        else:
            found += [(row.number, dict(row.values)) for row in block]
    return found


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FILES)
def test_blocks_say_what_rows_say(name: str, size: int) -> None:
    content = FILES[name].encode()
    row_log, block_log = RejectLog(), RejectLog()
    rows: list[Row] = []
    blocks: list[CodedTable | list[Row]] = []
    problem = other = ""
    try:
        rows.extend(read_rows(io.BytesIO(content), name="f", columns=RATINGS, log=row_log))
    except BadFile as bad:
        problem = str(bad)
    try:
        blocks.extend(read_blocks(io.BytesIO(content), name="f", columns=RATINGS, log=block_log, size=size))
    except BadFile as bad:
        other = str(bad)

    expected = [(row.number, dict(row.values)) for row in rows]
    found = as_rows(blocks)
    # Where the file breaks off, either way may have lost the rows of the piece at hand.
    n = min(len(found), len(expected)) if problem else None
    assert found[:n] == expected[:n]
    assert [astuple(reject) for reject in block_log.first] == [astuple(reject) for reject in row_log.first]
    assert (other, block_log.total) == (problem, row_log.total)
    assert problem or block_log.warnings == row_log.warnings


def test_a_fault_leaves_the_other_blocks_in_columns() -> None:
    content = (HEADER + PLAIN + "a,r,5\n" + PLAIN).encode()
    blocks = list(read_blocks(io.BytesIO(content), name="f", columns=RATINGS, log=RejectLog(), size=200))
    assert sum(isinstance(block, list) for block in blocks) == 1
    assert sum(isinstance(block, CodedTable) for block in blocks) > 4
