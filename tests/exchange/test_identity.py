"""One spelling of each name, and the names that a reader would take for the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.identity import identity, likeness, near_matches
from exchange.rejects import RejectLog
from exchange.tables.cells import Cells
from exchange.tables.row import Row
from exchange.tables.values import is_missing


@pytest.mark.parametrize(
    "outer", [" ", "\t", "\r\n", "\u00a0", "\u2009", "\u3000", "\x1f", "\u200b", "\ufeff", "\u200e"]
)
def test_outer_blanks_and_invisible_characters_do_not_count(outer: str) -> None:
    assert identity(f"{outer}ann b{outer} ") == "ann b"
    assert is_missing(outer)


def test_unicode_forms_of_one_name_are_one_name() -> None:
    assert identity("cafe\u0301") == identity("caf\u00e9") == "caf\u00e9"
    assert identity("\u1100\u1161") == "\uac00"  # Hangul, letter by letter


@pytest.mark.parametrize("name", ["Cem", "a  b", "a\u200db", "\uff11", "1.0"])
def test_what_can_be_seen_counts(name: str) -> None:
    assert identity(name) == name


@given(st.text())
def test_spelling_twice_changes_nothing(text: str) -> None:
    assert identity(identity(text)) == identity(text)


@pytest.mark.parametrize(
    "names",
    [
        ("cem", "Cem"),
        ("stra\u00dfe", "STRASSE"),
        ("0", "0.0"),
        ("7", "007", "7."),
        ("-1.50", "-1.5"),
        ("a b", "a  b", "a_b", "a-b"),
        ("rater\u200b1", "rater1"),
        ("\uff11\uff12", "12"),
        ("\ufb01g", "fig"),
    ],
)
def test_near_matches(names: tuple[str, ...]) -> None:
    assert near_matches(["other", *names, names[0]]) == [names]


@pytest.mark.parametrize(
    ("one", "other"),
    [("1", "-1"), ("1", "10"), ("0.1", "1"), ("a1", "a10"), ("a", "\u00e4"), ("", "0"), ("v1", "v1.0")],
)
def test_names_that_are_not_alike(one: str, other: str) -> None:
    assert likeness(one) != likeness(other)


def test_a_whole_number_of_json_names_what_its_digits_name() -> None:
    def text(value: float | str) -> str:
        return Cells(Row("f", 1, {"item": value}), RejectLog()).text("item")

    assert text(1.0) == text(1) == text("1 ") == "1"
    assert text(1.5) == "1.5"


@pytest.mark.parametrize("sign", ["\u034f", "\u115f", "\u1160", "\u17b4", "\u2800", "\u3164", "\uffa0"])
def test_fillers_count_neither_at_the_end_of_a_name_nor_for_a_reader(sign: str) -> None:
    assert identity(f"n2{sign}") == "n2"
    assert likeness(f"n{sign}2") == likeness("n2")
