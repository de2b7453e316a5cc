"""Cells become typed values, or a reject whose words help."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from exchange.rejects import RejectLog
from exchange.tables.cells import Cells
from exchange.tables.row import JsonValue, Row
from exchange.tables.values import (
    BadValue,
    parse_answer,
    parse_boolean,
    parse_integer,
    parse_number,
    parse_on_scale,
    parse_slug,
    parse_text,
    parse_timestamp,
)

LIKERT = (1.0, 2.0, 3.0, 4.0, 5.0)


def refusal(parse: object, value: JsonValue, *args: object, **kwargs: object) -> str:
    with pytest.raises(BadValue) as caught:
        parse(value, *args, **kwargs)  # type: ignore[operator]
    assert caught.value.cure
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"), [("3", 3), (" -7 ", -7), ("+4", 4), ("3.0", 3), (3, 3), (3.0, 3), ("007", 7)]
)
def test_integers(value: JsonValue, expected: int) -> None:
    result = parse_integer(value)
    assert result == expected
    assert type(result) is int


@pytest.mark.parametrize(
    "value", ["", "3.5", "1e3", "1_000", "٣x", "three", "1,000", None, True, [1], 2.5, "9" * 25, "--1"]
)
def test_no_integers(value: JsonValue) -> None:
    refusal(parse_integer, value)


@pytest.mark.parametrize(("value", "expected"), [("2.5", 2.5), ("-.5", -0.5), ("1e-3", 0.001), (7, 7.0), ("5.", 5.0)])
def test_numbers(value: JsonValue, expected: float) -> None:
    assert parse_number(value) == expected


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity", "NA", "1e999", "", "1 2", "0x10", "٣.٥.١", False, {}])
def test_no_numbers(value: JsonValue) -> None:
    refusal(parse_number, value)


@pytest.mark.parametrize(
    ("text", "number"), [("3,5", 3.5), ("66,4", 66.4), ("-0,125", -0.125), ("1234,5", 1234.5), ("0,875", 0.875)]
)
def test_a_decimal_comma_is_read_where_it_can_be_nothing_else(text: str, number: float) -> None:
    assert parse_number(text) == number


def test_cures_of_numbers() -> None:
    both = refusal(parse_number, "3,500")
    assert "3500 if the comma separates thousands" in both
    assert "3.500 if it is a decimal comma" in both
    assert "1234567" in refusal(parse_number, "1,234,567")
    assert "leave the row out" in refusal(parse_number, "NaN")
    assert "valid is 0 to 1" in refusal(parse_number, "2", low=0, high=1)
    assert "valid is at least 1" in refusal(parse_integer, "0", low=1)


def test_a_41_on_a_scale_of_1_to_5() -> None:
    words = refusal(parse_on_scale, "41", LIKERT)
    assert "41 is not on the scale 1, 2, 3, 4, 5" in words
    assert "likely a slip: 4 and 1 typed together" in words


def test_other_slips_name_the_scale() -> None:
    assert "between two levels" in refusal(parse_on_scale, "3.5", LIKERT)
    assert "another scale" in refusal(parse_on_scale, "0", LIKERT)
    assert "likely a slip" in refusal(parse_on_scale, "99", LIKERT)
    assert "0 to 100 (101 levels)" in refusal(parse_on_scale, "101", [float(i) for i in range(101)])
    assert parse_on_scale("0.5", (0.0, 0.5, 1.0)) == 0.5


def test_unable_to_answer_is_an_answer_and_missing_is_not() -> None:
    assert parse_answer("Unable to answer", LIKERT) is None
    assert parse_answer("4.0", LIKERT) == 4.0
    for value in ("", None, "NA"):
        refusal(parse_answer, value, LIKERT)


def test_texts() -> None:
    assert parse_text("  a fox\n\twith a hat ") == "a fox\n\twith a hat"
    assert parse_text(12) == "12"
    assert "10 characters" in refusal(parse_text, "x" * 10, max_length=9)
    assert "U+0007" in refusal(parse_text, "bell\a")
    for value in (" \n", None, ["a"], {"a": 1}, True):
        refusal(parse_text, value)


def test_slugs_offer_a_way_to_write_them() -> None:
    assert parse_slug("sd-3.5_large") == "sd-3.5_large"
    assert '"Cafe-au-lait"' in refusal(parse_slug, "Café au lait!")
    refusal(parse_slug, "日本")
    refusal(parse_slug, "x" * 101)


def test_booleans() -> None:
    assert [parse_boolean(value) for value in ("Yes", "t", 1, True, "0", "No", "off", False)] == [True] * 4 + [
        False
    ] * 4
    for value in ("", "maybe", 2, None, []):
        refusal(parse_boolean, value)


def test_timestamps() -> None:
    assert parse_timestamp("2025-03-31T14:05:00Z") == datetime(2025, 3, 31, 14, 5, tzinfo=UTC)
    assert parse_timestamp("2025-03-31 14:05") == datetime(2025, 3, 31, 14, 5, tzinfo=UTC)
    east = timezone(timedelta(hours=2))
    assert parse_timestamp("2025-03-31T14:05:00+02:00") == datetime(2025, 3, 31, 14, 5, tzinfo=east)
    assert parse_timestamp("2025-03-31 14:05:00.123456789 -0330").isoformat() == "2025-03-31T17:35:00.123456+00:00"
    assert parse_timestamp(" 2025-03-31\u00a0") == datetime(2025, 3, 31, tzinfo=UTC)
    for value in ("31.03.2025", "yesterday", "2025-13-01", "2025-W01", "20250331", "2025-03-31T14", 1743422700, None):
        refusal(parse_timestamp, value)


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00+02:00",
        "0001-01-01T00:00:00",
        "9999-12-31T23:59:59-05:00",
        "1899-12-30T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1989-12-31T23:59:59Z",
        "1990-01-01T00:00:00+00:01",
        "2101-01-01",
        "2025-02-29",
        "2025-03-31T24:00",
        "2025-03-31T14:05:60Z",
        "2025-03-31T14:05:00+24:00",
    ],
)
def test_moments_that_no_answer_was_given_at(value: str) -> None:
    refusal(parse_timestamp, value)


class TestCells:
    def test_all_faults_of_a_row_are_reported_at_once(self) -> None:
        log = RejectLog()
        cells = Cells(Row("ratings.csv", 7, {"item": "", "value": "41", "seed": "x", "note": "fine"}), log)
        assert cells.text("note") == "fine"
        cells.text("item")
        cells.answer("value", LIKERT)
        cells.optional_integer("seed")
        assert not cells.ok
        assert [(reject.file, reject.row, reject.field, reject.value) for reject in log.first] == [
            ("ratings.csv", 7, "item", ""),
            ("ratings.csv", 7, "value", "41"),
            ("ratings.csv", 7, "seed", "x"),
        ]

    def test_missing_optional_cells_are_not_faults(self) -> None:
        log = RejectLog()
        cells = Cells(Row("f", 1, {"a": " ", "b": None}), log)
        assert cells.text("a", required=False) == ""
        assert cells.slug("b", required=False) == ""
        assert cells.optional_integer("a") is None
        assert cells.optional_number("absent") is None
        assert cells.boolean("a", default=True) is True
        assert cells.timestamp("a") is None
        assert cells.ok
        assert not log

    def test_missing_required_cells_are(self) -> None:
        cells = Cells(Row("f", 1, {}), RejectLog())
        cells.boolean("a")
        assert not cells.ok
