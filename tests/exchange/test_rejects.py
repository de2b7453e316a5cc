"""The report of rejects: counts of all, the first in memory, every one in a file that is safe to open."""

import csv
import io
from pathlib import Path

from exchange.rejects import Reject, RejectLog


def test_first_few_in_memory_and_all_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rejects.csv"
    with RejectLog(path, keep=2) as log:
        for row in range(5):
            log.note("f.csv", row, "value" if row else "item", "=cmd()", "wrong", "mend it")
    assert log.total == 5
    assert log.by_field == {"value": 4, "item": 1}
    assert [reject.row for reject in log.first] == [0, 1]
    assert log.n_left_off == 3
    with path.open(newline="", encoding="utf-8") as stream:
        written = list(csv.DictReader(stream))
    assert [row["row"] for row in written] == ["0", "1", "2", "3", "4"]
    assert {row["value"] for row in written} == {"'=cmd()"}


def test_a_stream_is_left_open() -> None:
    stream = io.StringIO()
    with RejectLog(stream) as log:
        log.add(Reject("f", None, "", "", "p", "c"))
    assert stream.getvalue() == "file,row,field,value,problem,cure\r\nf,,,,p,c\r\n"


def test_values_are_shortened_and_printable() -> None:
    log = RejectLog()
    log.note("f", 1, "a", "x" * 10_000, "p", "c")
    log.note("f", 1, "a", "bell\a \ud800", "p", "c")
    assert len(log.first[0].value) == 200
    log.first[1].value.encode()
    assert "\a" not in log.first[1].value


def test_counts_stay_bounded_where_every_column_is_another() -> None:
    log = RejectLog(keep=0)
    for i in range(5_000):
        log.note("f", i, f"column {i}", "", "p", "c")
    assert log.total == 5_000
    assert len(log.by_field) <= 1_001
    assert sum(log.by_field.values()) == 5_000


def test_in_words() -> None:
    assert str(Reject("r.csv", 3, "value", "41", "not on the scale", "correct it")) == (
        'r.csv, row 3, value "41": not on the scale. Correct it.'
    )
    assert str(Reject("r.csv", None, "", "", "empty", "sha_256 is missing")) == "r.csv: empty. sha_256 is missing."
    assert str(Reject("r.csv", None, "", "", "empty", "send it again")) == "r.csv: empty. Send it again."


def test_truth_value_says_whether_anything_was_rejected() -> None:
    log = RejectLog()
    assert not log
    log.note("f", 1, "", "", "p", "c")
    assert log
