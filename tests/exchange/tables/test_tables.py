"""Tables from outside: every awkward file is either read rightly or refused with place and cure."""

import io
import json
from pathlib import Path
from time import process_time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from exchange.rejects import BadFile, RejectLog
from exchange.tables.headers import Columns
from exchange.tables.row import Row
from exchange.tables.rows import read_rows
from exchange.text import CHUNK, MAX_LINE

RATINGS = Columns(required=("item", "value"), optional=("rater",), aliases={"prompt_id": "item", "score": "value"})


def rows_of(content: bytes | str, columns: Columns | None = None) -> tuple[list[Row], RejectLog]:
    data = content.encode() if isinstance(content, str) else content
    log = RejectLog()
    return list(read_rows(io.BytesIO(data), name="file", columns=columns, log=log)), log


def fault_of(content: bytes | str, columns: Columns | None = None) -> BadFile:
    with pytest.raises(BadFile) as caught:
        rows_of(content, columns)
    assert caught.value.reject.cure, "every refusal says what to do"
    return caught.value


def values_of(content: bytes | str, columns: Columns | None = None) -> list[dict[str, object]]:
    rows, log = rows_of(content, columns)
    assert not log, log.first
    return [row.values for row in rows]


class TestFormatIsToldByContent:
    @pytest.mark.parametrize(
        "content",
        [
            "item,value\na,1\nb,2\n",
            "item\tvalue\na\t1\nb\t2\n",
            "item;value\na;1\nb;2\n",
            "item,value\r\na,1\r\nb,2\r\n",
            "item,value\ra,1\rb,2",
            '"item","value"\n"a","1"\n"b","2"',
            "\ufeffitem,value\na,1\nb,2\n",
            '{"item": "a", "value": "1"}\n\n{"item": "b", "value": "2"}\n',
            '\ufeff  [{"item": "a", "value": "1"}, {"item": "b", "value": "2"}]\n',
        ],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_all_say_the_same(self, content: str, encoding: str) -> None:
        text = content.removeprefix("\ufeff") if encoding == "utf-16" else content
        assert values_of(text.encode(encoding)) == [{"item": "a", "value": "1"}, {"item": "b", "value": "2"}]

    def test_parquet(self, tmp_path: Path) -> None:
        path = tmp_path / "named.csv"
        pq.write_table(pa.table({"item": ["a", None], "value": [1.5, None], "n": [1, 2]}), path)
        rows = list(read_rows(path, name="x", log=RejectLog()))
        assert [row.values for row in rows] == [
            {"item": "a", "value": 1.5, "n": 1},
            {"item": None, "value": None, "n": 2},
        ]
        assert [row.number for row in rows] == [1, 2]

    def test_parquet_from_a_stream_that_cannot_seek(self, tmp_path: Path) -> None:
        path = tmp_path / "p"
        pq.write_table(pa.table({"item": ["a"] * 50_000}), path)

        class OneWay(io.BytesIO):
            def seekable(self) -> bool:
                return False

        assert sum(1 for _ in read_rows(OneWay(path.read_bytes()), name="x", log=RejectLog())) == 50_000

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"PK\x03\x04rest", "the zip cannot be read"),
            (b"\x1f\x8b\x08rest", "cannot be unpacked"),
            (b"%PDF-1.7", "PDF"),
            (b"\x89PNG\r\n\x1a\n", "PNG"),
            (b"", "empty"),
            (b"\xef\xbb\xbf", "blank"),
            (b" \n\r\n  ", "blank"),
            (b"PAR1 and no more", "Parquet"),
            (b"PAR1", "Parquet"),
        ],
    )
    def test_what_is_not_a_table_is_named(self, content: bytes, words: str) -> None:
        assert words in str(fault_of(content))


class TestEncodings:
    def test_other_encodings_are_refused_with_place_and_letter(self) -> None:
        fault = fault_of("item,value\nok,1\ncafé,2\n".encode("windows-1252"))
        assert fault.reject.row == 3
        assert "0xE9 at position 19" in str(fault)
        assert '"é" in Windows-1252' in str(fault)
        assert "UTF-8" in fault.reject.cure

    def test_position_is_right_beyond_the_first_chunk(self) -> None:
        good = b"item\n" + b"x" * 9 + b"\n"
        content = b"item\n" + (b"x" * 9 + b"\n") * 100_000 + b"\xff\n"
        assert len(good) == 15
        fault = fault_of(content)
        assert fault.reject.row == 100_002
        assert "position 1000005" in str(fault)

    def test_bytes_cut_inside_a_character(self) -> None:
        assert "middle of a character" in str(fault_of("item\ncafé".encode()[:-1]))

    def test_utf16_without_mark_and_utf32(self) -> None:
        assert "byte order mark" in str(fault_of("item,value\na,1\n".encode("utf-16-le")))
        assert "UTF-32" in str(fault_of("item,value\na,1\n".encode("utf-32")))

    def test_nul(self) -> None:
        fault = fault_of(b"item,value\na,1\nb\0,2\n")
        assert fault.reject.row == 3
        assert "NUL" in str(fault)

    def test_letters_beyond_latin_and_line_separators_survive(self) -> None:
        text = "日本語 🦊 e\u0301 a\u2028b\u0085c\x0cd"
        assert values_of(f"prompt,n\n{text},1\n") == [{"prompt": text, "n": "1"}]
        assert values_of(json.dumps({"prompt": text}, ensure_ascii=False)) == [{"prompt": text}]


class TestHeaders:
    def test_aliases_case_and_blanks(self) -> None:
        assert values_of(" Prompt-ID ,Score,note\na,1,x\n", RATINGS) == [{"item": "a", "value": "1", "note": "x"}]

    def test_our_own_name_wins_over_an_alias(self) -> None:
        assert values_of("prompt_id,item,value\np,i,1\n", RATINGS) == [{"prompt_id": "p", "item": "i", "value": "1"}]

    def test_missing_columns_are_reported_with_a_near_miss(self) -> None:
        fault = fault_of("itme,rater,score\na,r,1\n", RATINGS)
        assert '"item" is missing; found "itme", "rater", "score"' in str(fault)
        assert 'rename "itme" to "item"' in fault.reject.cure

    def test_repeated_and_nameless_columns(self) -> None:
        assert 'columns 1 and 3 are both named "a"' in str(fault_of("a,b,a\n1,2,3\n"))
        assert "column 2 has no name" in str(fault_of("a,,c\n1,2,3\n"))

    def test_empty_columns_at_the_right_are_passed_over(self) -> None:
        assert values_of("a,b,,\n1,2,,\n") == [{"a": "1", "b": "2"}]
        _, log = rows_of("a,b,,\n1,2,,3\n")
        assert "under no column" in log.first[0].problem

    def test_extra_columns_kept_dropped_refused(self) -> None:
        content = "item,value,note\na,1,x\n"
        for extra, expected in (
            ("keep", {"item": "a", "value": "1", "note": "x"}),
            ("drop", {"item": "a", "value": "1"}),
        ):
            assert values_of(content, Columns(("item", "value"), extra=extra)) == [expected]  # type: ignore[arg-type]
        assert '"note" is not a column' in str(fault_of(content, Columns(("item", "value"), extra="refuse")))

    def test_delimiter_is_the_one_that_yields_the_columns(self) -> None:
        assert values_of("item;value;a, b, c and d\nx;1;y\n", RATINGS)[0]["item"] == "x"

    def test_aliases_must_point_to_known_columns(self) -> None:
        with pytest.raises(ValueError, match="score"):
            Columns(("item",), aliases={"x": "score"})


class TestDelimitedRows:
    def test_cells_with_everything_in_them(self) -> None:
        rows, log = rows_of('a,b\n"x, ""y""\nz",1\nplain 5" screen,2\n')
        assert not log
        assert [(row.number, row.values["a"]) for row in rows] == [(2, 'x, "y"\nz'), (4, 'plain 5" screen')]

    def test_unequal_rows_are_logged_and_the_rest_goes_on(self) -> None:
        rows, log = rows_of("a,b\n1,2\n3\n4,5,6\n\n7,8\n")
        assert [row.values["a"] for row in rows] == ["1", "7"]
        assert [(reject.row, reject.problem) for reject in log.first] == [
            (3, "the row has 1 cells, the header has 2"),
            (4, "the row has 3 cells, the header has 2"),
        ]

    def test_row_numbers_count_blank_lines(self) -> None:
        rows, _ = rows_of("\n\na,b\n\n1,2\n")
        assert rows[0].number == 5

    def test_unterminated_quote_names_the_row_it_opens_in(self) -> None:
        fault = fault_of('a,b\n1,2\n3,"open\n4,5\n')
        assert fault.reject.row == 3
        assert "never closes" in str(fault)

    def test_unterminated_quote_in_a_long_file_does_not_swallow_it(self) -> None:
        fault = fault_of('a,b\n1,"open\n' + "4,5\n" * 100_000)
        assert fault.reject.row == 2
        assert "131072 characters" in str(fault)

    def test_stray_quote_costs_its_own_row_only(self) -> None:
        rows, log = rows_of('a,b\n"he said "hi"",1\nx,2\n')
        assert [row.values for row in rows] == [{"a": "x", "b": "2"}]
        assert log.first[0].row == 2

    def test_one_column(self) -> None:
        assert values_of("prompt\na red cube\n\na fox\n") == [{"prompt": "a red cube"}, {"prompt": "a fox"}]

    @pytest.mark.slow
    def test_endless_line(self) -> None:
        fault = fault_of(b"a,b\n1,2\n" + b"x" * (MAX_LINE + CHUNK))
        assert f"longer than {MAX_LINE} characters" in str(fault)
        assert fault.reject.row == 3


class TestJson:
    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            ('{"a": 1', "not JSON"),
            ("[1, 2]", "not a JSON object"),
            ("3", "not a JSON object"),
            ('"text"', "not a JSON object"),
            ('{"a": 1} {"a": 2}', "more text follows"),
            ('{"a": 1, "a": 2}', '"a" occurs twice'),
            ('{"a": {"b": 1, "b": 2}}', '"b" occurs twice'),
            ('{"a": NaN}', "NaN is not a JSON value"),
            ('{"a": -Infinity}', "-Infinity is not a JSON value"),
            ('{"a": 1e999}', "too large"),
            ('{"a": %s}' % ("9" * 5000), "too long"),
            ('{"a": "\\u0000"}', "NUL"),
            ('{"a": "\\ud800"}', "surrogate"),
            ('{"\\udc00": 1}', "surrogate"),
            ('{"a": ' + "[" * 200_000 + "}", "nested too deeply"),
            ("{'a': 1}", "not JSON"),
        ],
    )
    def test_bad_lines_are_logged_by_number_and_the_rest_goes_on(self, line: str, problem: str) -> None:
        rows, log = rows_of(f'{{"a": "first"}}\n{line}\n{{"a": "last"}}\n')
        assert [row.values["a"] for row in rows] == ["first", "last"]
        assert log.total == 1
        assert log.first[0].row == 2
        assert problem in log.first[0].problem

    def test_a_repeated_key_among_very_many_is_found_in_linear_time(self) -> None:
        keys = ", ".join(f'"k{i}": 1' for i in range(100_000))
        began = process_time()
        _, log = rows_of(f'{{{keys}, "k99999": 2}}\n')
        assert '"k99999" occurs twice' in log.first[0].problem
        assert process_time() - began < 10  # looking for each key among all took minutes
        assert len(log.first[0].value) <= 200

    def test_emoji_escapes_are_whole_characters(self) -> None:
        assert values_of('{"a": "\\ud83e\\udd8a"}') == [{"a": "🦊"}]

    def test_missing_keys_are_reported_by_row(self) -> None:
        rows, log = rows_of('{"item": "a", "score": 3}\n{"item": "b", "scroe": 4}\n', RATINGS)
        assert [row.values for row in rows] == [{"item": "a", "value": 3}]
        assert log.first[0].row == 2
        assert 'rename "scroe" to "value"' in log.first[0].cure

    def test_array_elements_are_numbered_and_may_be_spread_out(self) -> None:
        rows, log = rows_of('[\n {"a":\n 1},\n 5,\n {"a": 2, "a": 3},\n {"a": [1, {"b": null}]}\n]\n')
        assert [(row.number, row.values) for row in rows] == [(1, {"a": 1}), (4, {"a": [1, {"b": None}]})]
        assert [reject.row for reject in log.first] == [2, 3]

    @pytest.mark.parametrize("n", [0, 1, 3, 20_000])
    def test_arrays_of_any_length(self, n: int) -> None:
        objects = [{"a": i, "text": "x" * (i % 97)} for i in range(n)]
        assert values_of(json.dumps(objects, indent=1)) == objects

    def test_one_object_longer_than_a_chunk(self) -> None:
        objects = [{"a": "x" * 1_000_000}, {"a": "y"}]
        assert values_of(json.dumps(objects)) == objects

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ('[{"a": 1}, {"a": 2}', "before the closing bracket"),
            ('[{"a": 1} {"a": 2}]', 'comes "{"'),
            ('[{"a": 1},]', "element 2"),
            ('[{"a": 1},\n{"a": oops}]', "element 2 of the array (line 2)"),
            ('[{"a": 1}] more', "follows the closing bracket"),
            ("[", "element 1"),
            ("[" * 300_000, "nested too deeply"),
        ],
    )
    def test_broken_arrays(self, content: str, words: str) -> None:
        assert words in str(fault_of(content))


class TestParquet:
    def write(self, table: pa.Table) -> bytes:
        stream = io.BytesIO()
        pq.write_table(table, stream)
        return stream.getvalue()

    def test_nan_infinity_and_binary_are_logged(self) -> None:
        table = pa.table({"v": pa.array([1.0, float("nan"), float("inf"), 2.0]), "b": [None, None, None, b"x"]})
        rows, log = rows_of(self.write(table))
        assert [row.number for row in rows] == [1]
        assert [(reject.row, reject.field) for reject in log.first] == [(2, "v"), (3, "v"), (4, "b")]

    def test_dates_decimals_and_nested_values(self) -> None:
        import datetime
        from decimal import Decimal

        moment = datetime.datetime(2025, 1, 2, 3, 4, tzinfo=datetime.UTC)
        table = pa.table({"t": [moment], "d": [Decimal("1.50")], "m": [{"a": [1, 2]}]})
        assert values_of(self.write(table)) == [{"t": "2025-01-02T03:04:00+00:00", "d": "1.50", "m": {"a": [1, 2]}}]

    def test_missing_and_repeated_columns(self) -> None:
        assert '"value" is missing' in str(fault_of(self.write(pa.table({"item": ["a"]})), RATINGS))
        twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
        assert "both named" in str(fault_of(self.write(twice)))

    def test_texts_by_dictionary_with_nulls_and_nuls(self) -> None:
        texts = pa.array(["a", None, "b", "a", "x\0"])
        for column in (texts, texts.dictionary_encode(), texts.cast(pa.large_string())):
            rows, log = rows_of(self.write(pa.table({"item": column})))
            assert [row.values["item"] for row in rows] == ["a", None, "b", "a"]
            assert [(reject.row, "NUL" in reject.problem) for reject in log.first] == [(5, True)]

    def test_a_small_file_that_declares_gigabytes_of_text(self) -> None:
        content = self.write(pa.table({"item": pa.DictionaryArray.from_arrays([0] * 4_000, ["x" * 1_000_000])}))
        assert len(content) < 5_000_000
        assert "4000 records hold 4000000000 bytes of text" in str(fault_of(content))

    def test_cut_short(self) -> None:
        content = self.write(pa.table({"item": [str(i) for i in range(5_000)]}))
        assert "cannot be read" in str(fault_of(content[:-100]))


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be opened"):
        list(read_rows(tmp_path / "none.csv", name="none.csv", log=RejectLog()))
    with pytest.raises(BadFile, match="cannot be opened"):
        list(read_rows(tmp_path, name="folder", log=RejectLog()))
