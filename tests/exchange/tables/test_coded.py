"""Whole columns at once say the same as rows one by one, on clean and on faulty files."""

import io
import json
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exchange.identity import identity, near_matches
from exchange.rejects import BadFile, Reject, RejectLog
from exchange.tables import coded
from exchange.tables.coded import CodedColumn, CodedTable, read_columns
from exchange.tables.headers import Columns
from exchange.tables.rows import read_rows
from exchange.tables.values import BadValue, parse_number, text_of

RATINGS = Columns(("item", "value"), ("rater",), {"score": "value"}, extra="drop")


def both(content: str | bytes, columns: Columns = RATINGS) -> tuple[CodedTable, RejectLog]:
    """The table by columns, after it was compared with the same table by rows."""
    data = content.encode() if isinstance(content, str) else content
    log, row_log = RejectLog(), RejectLog()
    table = read_columns(io.BytesIO(data), name="f", columns=columns, log=log)
    rows = list(read_rows(io.BytesIO(data), name="f", columns=columns, log=row_log))
    assert table.row_numbers.tolist() == [row.number for row in rows]
    for name, column in table.columns.items():
        assert column.codes.dtype == np.int32
        assert len(set(column.labels)) == len(column.labels)
        for at, (text, row) in enumerate(zip(column.texts(), rows, strict=True)):
            assert text == identity(column[at]) == column.labels[column.codes[at]]
            assert text == identity(text_of(row.values.get(name)))
    assert log.first == row_log.first
    return table, log


@pytest.mark.parametrize(
    "content",
    [
        "item,value\na,1\nb,2\n",
        "item,value\na,1\nb,2",
        "item,value\r\na,1\r\nb,2\r\n",
        "\ufeffitem,value\na,1\nb,2\n",
        '"item","value"\n"a","1"\n"b","2"\n',
        'item\tvalue\n"a"\t1\nb\t"2"',
        "Item,score,note\na,1,x\nb,2,\n",
    ],
)
def test_clean_files_take_the_fast_way(content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coded, "collect_columns", None)  # the slow way would fail
    table = read_columns(io.BytesIO(content.encode()), name="f", columns=RATINGS, log=RejectLog())
    assert table["item"].texts().tolist() == ["a", "b"]
    assert table["value"].numbers().tolist() == [1.0, 2.0]
    assert table.row_numbers.tolist() == [2, 3]


@pytest.mark.parametrize(
    "content",
    [
        "item,value\na,1\n\nb,2\n",  # a blank line
        "item,value\na,1\nb\nc,3\n",  # too few cells
        'item,value\n"a\nb",1\nc,2\n',  # a line break in a cell
        'item,value\n"a ""b""",1\n5" x,2\n',  # quotes inside
        'item,value\n"a"b,1\nc,2\n',  # a stray quote
        "item,value\ra,1\rb,2\r",
        "item,value\n",
        "item,value,\na,1,\n",
        "\titem\tvalue\nx\ta\t1\n",
        '{"item": "a", "value": 1}\n{"item": "b"}\n{"item": "c", "value": "2", "rater": "r"}\n',
        '[{"item": "a", "value": "1"}]',
        "item,value\na, 1\n b ,\n",
        'item,value\n"",1\n,2\n',
        "item,value\na,\x1f1\n",
        "item,value\na,1\na ,2\n\u00a0a\u200b,3\n",  # one name in three spellings
        "item,value\ncaf\u00e9,1\ncafe\u0301,2\n",
        "\ufeff\ufeffitem,value\na,1\n",  # two byte order marks
        "\ufeff\n\u00a0item,value\u200b\na,1\n",
        "sep=;\nitem;value\na;1\n",
        "item,value\n'@a,1\n'-b,2\n''=c,3\n'plain,4\n",  # apostrophes that exports put before formulas
        'item,value\n"\'\tb",1\n',
        "'@note,item,value\nx,a,1\n",
    ],
)
def test_awkward_files_say_the_same_both_ways(content: str) -> None:
    says_the_same(content)


def test_values_of_json_and_parquet_become_text() -> None:
    table, _ = both(json.dumps([{"item": "a", "value": v} for v in (3, 3.0, 2.5, None, True, [1])]))
    assert table["value"].texts().tolist() == ["3", "3", "2.5", "", "true", "[1]"]
    stream = io.BytesIO()
    pq.write_table(pa.table({"item": ["a", None], "value": [3.0, 2.5]}), stream)
    table, _ = both(stream.getvalue())
    assert table["item"].texts().tolist() == ["a", ""]
    assert table["value"].numbers().tolist() == [3.0, 2.5]


def test_keys_that_only_some_objects_have() -> None:
    table, _ = both('{"item": "a", "value": "1"}\n{"item": "b", "value": "2", "rater": "r"}\n')
    assert table["rater"].texts().tolist() == ["", "r"]


def test_absent_optional_columns_are_absent_and_no_rows_are_fine() -> None:
    table, _ = both("item,value\n")
    assert len(table) == 0
    assert set(table.columns) == {"item", "value"}


@pytest.mark.parametrize(
    "content",
    [
        b"item,value\na,1\n\xff,2\n",
        b"item,value\na,\0\n",
        b'item,value\n"a,1\n',
        b"item,rater\na,1\n",
        b"",
        b"PK\x03\x04",
    ],
)
def test_bad_files_are_refused_the_same_way(content: bytes) -> None:
    refusals = []
    for read in (read_columns, lambda *a, **k: list(read_rows(*a, **k))):
        with pytest.raises(BadFile) as caught:
            read(io.BytesIO(content), name="f", columns=RATINGS, log=RejectLog())
        refusals.append(caught.value.reject)
    assert refusals[0] == refusals[1]


def test_words_are_nan_as_numbers() -> None:
    table, _ = both("item,value\na,unable to answer\nb,nan\nc,1e0\nd,\n")
    np.testing.assert_array_equal(table["value"].numbers(), [np.nan, np.nan, 1.0, np.nan])


def uncoded_and_coded(cells: list[str]) -> Iterator[CodedColumn]:
    """The same column as it comes from a file, in two parts as a long one does, and after its codes were asked for."""
    middle = len(cells) // 2
    for is_coded in (False, True):
        column = CodedColumn(pa.chunked_array([cells[:middle], cells[middle:]], pa.string()))
        assert not is_coded or len(column.codes) == len(cells)
        yield column


ODD_NUMBERS = (
    *("", " ", " 2 ", "\t1", "1\n", "1\n2", "1.", ".5", "-.5", "+3", "+-3", "--3", "-", ".", "1.2.3", "1_000", "1,5"),
    *("1e5", "1E-5", "1e+05", "1e", "e5", "1e99", "1e999", "-1e999", "1e-999", "1e00001", "0e99999", "5e-324"),
    *("inf", "-Infinity", "nan", "NaN", "-0", "007", "0x1", "1f", "٣", "１", "é", '"1"', "1" * 18, "1" * 400),
    *("0." + "3" * 30, "9007199254740993", "2.2250738585072011e-308", "unable"),
)


@settings(deadline=None)
@example(list(ODD_NUMBERS))
@given(
    st.lists(
        st.one_of(
            st.floats(allow_nan=False).map(repr),
            st.floats(allow_nan=False, width=32).map(str),
            st.decimals(-(10**20), 10**20, allow_nan=False, allow_infinity=False, places=5).map(str),
            st.text(alphabet="0123456789+-.eE _", max_size=8),
            st.sampled_from(ODD_NUMBERS),
        ),
        max_size=12,
    ),
)
def test_numbers_read_together_are_those_read_one_by_one(cells: list[str]) -> None:
    def one(cell: str) -> float:
        try:
            return parse_number(cell)
        except BadValue:
            return np.nan

    expected = np.array([one(cell) for cell in cells], float)
    for column in uncoded_and_coded(cells):
        numbers = column.numbers()
        np.testing.assert_array_equal(numbers, expected)
        np.testing.assert_array_equal(np.signbit(numbers), np.signbit(expected))  # −0 is equal to 0


@pytest.mark.slow
def test_a_cell_is_blank_where_nothing_can_be_seen() -> None:
    letters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    cells = ["", *letters, *(f" {letter}\t" for letter in letters if ord(letter) < 0x3100)]
    for column in uncoded_and_coded(cells):
        assert column.blanks().tolist() == [not identity(cell) for cell in cells]


@settings(deadline=None)
@given(st.lists(st.text(alphabet="aAbéé٣ \x1f\u3000\u200b\uffff\U0001f98a", max_size=3), max_size=12), st.data())
def test_places_among_names_are_those_of_a_list(cells: list[str], data: st.DataObject) -> None:
    spelled = [identity(cell) for cell in cells]
    sorted_names = sorted({name for name in spelled if name})
    some = data.draw(st.permutations(sorted_names))[: len(sorted_names) // 2]
    for names in (sorted_names, some, [*some, "elsewhere"]):
        for column in uncoded_and_coded(cells):
            assert column.index_in(names).tolist() == [names.index(c) if c in names else -1 for c in spelled]
    for column in uncoded_and_coded(cells):
        names, place = column.ranked()
        assert names == sorted_names
        assert place.tolist() == [names.index(name) if name else -1 for name in spelled]


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.text(alphabet="aA10.-_ \u200bé１", max_size=4), max_size=12))
def test_names_that_are_nearly_the_same_are_found_among_many(names: list[str]) -> None:
    expected = near_matches(identity(name) for name in names)
    many = [*names, *(f"n{n}x" for n in range(coded._MANY_NAMES))]
    assert CodedColumn.of(many).near_matches() == expected


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(*[st.text(alphabet='ab,"\n\r\t;\u00e9 =', max_size=4)] * 2),
        max_size=6,
    ),
    st.booleans(),
)
def test_any_little_file_says_the_same_both_ways(cells: list[tuple[str, str]], quoted: bool) -> None:
    """Raw, mostly malformed text: both ways accept the same rows with the same numbers, or refuse alike."""

    def cell(text: str) -> str:
        return f'"{text}"' if quoted else text

    says_the_same("item,value\n" + "".join(f"{cell(a)},{cell(b)}\n" for a, b in cells))


@settings(deadline=None)
@given(st.text(alphabet="item,value \n\r\t;\"'=\ufeff\u00a0\u200b\x0c", max_size=14), st.booleans())
def test_whatever_comes_before_the_header_counts_alike(before: str, is_utf16: bool) -> None:
    content = f"{before}item,value\na,1\nb,2\n"
    says_the_same(content.encode("utf-16") if is_utf16 else content)


def says_the_same(content: str | bytes) -> None:
    """Both ways take the same rows, or refuse the file for the same reason."""
    expected = refusal_of(content)
    if expected is None:
        both(content)
    else:
        data = content.encode() if isinstance(content, str) else content
        with pytest.raises(BadFile) as caught:
            read_columns(io.BytesIO(data), name="f", columns=RATINGS, log=RejectLog())
        assert caught.value.reject == expected


def refusal_of(content: str | bytes) -> Reject | None:
    """Why the file is refused when it is read by rows; None where it is not."""
    data = content.encode() if isinstance(content, str) else content
    try:
        list(read_rows(io.BytesIO(data), name="f", columns=RATINGS, log=RejectLog()))
    except BadFile as fault:
        return fault.reject
    return None
