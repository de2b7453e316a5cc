"""Long files pass through short memory."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exchange.export import csv_chunks, json_line_chunks
from exchange.known_files import read_prompts
from exchange.rejects import BadFile, RejectLog
from exchange.tables.coded import read_columns
from exchange.tables.headers import Columns
from exchange.tables.rows import read_rows

N = 200_000
N_SLOW = 50_000
"""Where tracing takes long; all rows at once would still be several times the bound."""
LINE = "model{0}|prompt{0},rater{1},consistency,{2}\n"
MB = 1024 * 1024


def peak_of(work: Callable[[], object]) -> int:
    """The most bytes that Python held at once for the work."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def write_csv(path: Path) -> None:
    with path.open("w") as stream:
        stream.write("item,rater,dimension,value\n")
        stream.writelines(LINE.format(i, i % 50, i % 5 + 1) for i in range(N))


def objects() -> Iterator[str]:
    return (
        json.dumps({"item": f"m{i}", "rater": f"r{i % 50}", "dimension": "c", "value": i % 5}) for i in range(N_SLOW)
    )


def write_json_lines(path: Path) -> None:
    with path.open("w") as stream:
        stream.writelines(line + "\n" for line in objects())


def write_json_array(path: Path) -> None:
    with path.open("w") as stream:
        stream.write("[" + next(objects()))
        stream.writelines(",\n" + line for number, line in enumerate(objects()) if number)
        stream.write("]")


def write_parquet(path: Path) -> None:
    cells = [f"m{i}" for i in range(N_SLOW)]
    pq.write_table(pa.table({"item": cells, "rater": cells, "value": list(range(N_SLOW))}), path, row_group_size=5_000)


@pytest.mark.slow
@pytest.mark.parametrize("write", [write_csv, write_json_lines, write_json_array, write_parquet])
def test_reading_rows(write: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "ratings"
    write(path)
    n_rows = 0

    def read() -> None:
        nonlocal n_rows
        for _ in read_rows(path, name="ratings", columns=Columns(("item", "value")), log=RejectLog()):
            n_rows += 1

    peak = peak_of(read)
    assert n_rows == (N if write is write_csv else N_SLOW)
    assert peak < 8 * MB, f"{peak / MB:.1f} MB"


@pytest.mark.slow
def test_rejecting_every_row(tmp_path: Path) -> None:
    path = tmp_path / "ratings"
    path.write_text("item,value\n" + "too,many,cells\n" * N_SLOW)
    with RejectLog(tmp_path / "rejects.csv") as log:
        peak = peak_of(lambda: list(read_rows(path, name="ratings", log=log)))
    assert log.total == N_SLOW
    assert peak < 8 * MB, f"{peak / MB:.1f} MB"
    with (tmp_path / "rejects.csv").open() as stream:
        assert sum(1 for _ in stream) == N_SLOW + 1


@pytest.mark.slow
def test_prompts_without_keys(tmp_path: Path) -> None:
    path = tmp_path / "prompts"
    path.write_text("prompt,topic\n" + "a red cube above a blue ball,cube\n" * N_SLOW)
    peak = peak_of(lambda: sum(1 for _ in read_prompts(path, name="p", log=RejectLog())))
    assert peak < 8 * MB, f"{peak / MB:.1f} MB"


@pytest.mark.slow
@pytest.mark.parametrize("write", [csv_chunks, json_line_chunks])
def test_writing_rows(write: Callable[..., Iterator[str]]) -> None:
    rows = ([f"item {i}", i % 5] for i in range(N_SLOW))
    peak = peak_of(lambda: sum(len(chunk) for chunk in write(["item", "value"], rows)))
    assert peak < 4 * MB, f"{peak / MB:.1f} MB"


@pytest.mark.parametrize("read", [read_rows, read_columns])
def test_a_small_parquet_file_cannot_represent_millions_of_rows(read: Callable[..., object], tmp_path: Path) -> None:
    path = tmp_path / "equal.parquet"
    pq.write_table(pa.table({"prompt": pa.DictionaryArray.from_arrays(np.zeros(3_000_000, np.int8), ["a fox"])}), path)
    assert path.stat().st_size < 100_000

    def work() -> None:
        list(read(path, name="equal.parquet", columns=Columns(("prompt",)), log=RejectLog()))  # type: ignore[call-overload]

    with pytest.raises(BadFile, match=r"it has 3,000,000 rows, more than [0-9,]+, which is the most for a file of"):
        work()


@pytest.mark.slow
def test_a_dense_table_in_parquet_is_taken(tmp_path: Path) -> None:
    """Every rater's answer to every item, sorted: hardly any file holds more rows per byte."""
    n = 400
    level = np.random.default_rng(0).choice(5, n * n, p=[0.9, 0.05, 0.03, 0.01, 0.01])
    table = {"item": np.repeat([f"i{i}" for i in range(n)], n), "rater": np.tile([f"r{i}" for i in range(n)], n)}
    pq.write_table(pa.table(table | {"value": level}), tmp_path / "t.parquet", compression="zstd")
    columns = Columns(("item", "rater", "value"))
    assert len(read_columns(tmp_path / "t.parquet", name="t", columns=columns, log=RejectLog())) == n * n
