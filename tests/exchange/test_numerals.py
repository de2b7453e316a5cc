"""Numbers in the digits and signs of any script are read where they mean one thing, and refused with the sign named."""

from decimal import Decimal

import pytest

from annotations.forms.dimensions import parse_levels
from annotations.management.scale_argument import number
from annotations.reports.study.scales import BadScale, parse_question, parse_scale
from exchange.labels import number_in
from exchange.numerals import in_ascii
from exchange.ratings.mapping import Mapping
from exchange.tables.values import BadValue, parse_answer, parse_boolean, parse_decimal, parse_integer, parse_number

READ = {
    "\u22123": -3,  # minus sign
    "\u20133": -3,  # en dash
    "\uff0d\uff13": -3,  # full-width hyphen-minus and three
    "\uff0b\uff13": 3,
    "\uff13\uff0e\uff15": 3.5,
    "\uff13\uff0c\uff15": 3.5,
    "\u0663\u066b\u0665": 3.5,  # Arabic-Indic digits and decimal separator
    "\u06f5": 5,  # extended Arabic-Indic
    "\u0967\u0968": 12,  # Devanagari
    "\u200f-\u0665": -5,  # a right-to-left mark in front
    "-\u200e5": -5,
    "1\uff45\uff12": None,  # full-width e and 2 next to an ASCII 1
    "\uff11\uff45\uff12": 100,
}


@pytest.mark.parametrize(("text", "value"), [pair for pair in READ.items() if pair[1] is not None])
def test_digits_and_signs_of_any_script_are_read(text: str, value: float) -> None:
    assert parse_number(text) == value
    assert parse_decimal(text) == Decimal(str(value))
    assert parse_answer(text, [value]) == value
    assert number(text) == value
    if value == int(value) and "\uff45" not in text:
        assert parse_integer(text) == value


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("1\u0662", 'U+0662 ARABIC-INDIC DIGIT TWO after "1"'),
        ("5\u00b2", 'U+00B2 SUPERSCRIPT TWO after "5"'),
        ("\u00bd", "U+00BD VULGAR FRACTION ONE HALF at the start"),
        ("1\u202f234", 'U+202F NARROW NO-BREAK SPACE after "1"'),
        ("1\u066c234", 'U+066C ARABIC THOUSANDS SEPARATOR after "1"'),
        ("5\u20ac", 'U+20AC EURO SIGN after "5"'),
    ],
)
def test_what_may_mean_something_else_is_refused_and_the_sign_named(text: str, sign: str) -> None:
    for parse in (parse_number, parse_integer, parse_decimal):
        with pytest.raises(BadValue) as refused:
            parse(text)
        assert refused.value.problem.endswith(f"number: it holds {sign}")
        assert refused.value.cure.startswith("write it in the digits 0 to 9")


@pytest.mark.parametrize("text", ["très bon", "1-5", "1,234", "five"])
def test_words_and_ambiguous_numbers_keep_their_own_cure(text: str) -> None:
    with pytest.raises(BadValue) as refused:
        parse_number(text)
    assert "it holds" not in refused.value.problem


def test_scales_are_declared_in_any_script() -> None:
    five = tuple(map(Decimal, range(1, 6)))
    assert parse_scale("1\u20135") == parse_scale("\uff11-\uff15") == parse_scale("\u0661-\u0665") == five
    assert parse_scale("\u22122\u20132") == tuple(map(Decimal, range(-2, 3)))
    assert parse_scale("0\uff0c0.5\uff0c1") == tuple(map(Decimal, ("0", "0.5", "1")))
    assert parse_question("nominal:\u0661,\u0662").values == (1, 2)
    with pytest.raises(BadScale, match='U\\+00BD VULGAR FRACTION ONE HALF after "1-"'):
        parse_scale("1-\u00bd")


def test_labels_words_and_levels_have_numbers_of_any_script() -> None:
    assert (number_in("\u0665 - ممتاز"), number_in("\u22121 \u2013 poor")) == ("5", "-1")
    assert Mapping().with_labels(["Good=\uff15"]).labels == {"": {"Good": 5}}
    assert [level["value"] for level in parse_levels("\u22121 = poor\n\u0661 = good", "ordinal")] == ["-1", "1"]
    assert parse_boolean("\uff11") is True


def test_texts_are_changed_in_digits_and_signs_alone() -> None:
    assert in_ascii("plain") == "plain"
    assert in_ascii("\u0665 of \u0665 foxes \u2212 a hen") == "5 of 5 foxes - a hen"
    assert in_ascii("5 \u2013 \u0665") == "5 \u2013 \u0665"  # digits of two scripts: left alone
