"""Names that look alike are distinguished by the character that differs, its Unicode name and its place."""

import pytest

from exchange.signs import difference, sign_at
from exchange.spellings import Spellings


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("cat 1", "cat\u00a01", 'with U+00A0 NO-BREAK SPACE after "cat", not U+0020 SPACE'),
        ("cat", "Cat", "with U+0043 LATIN CAPITAL LETTER C at the start, not U+0063 LATIN SMALL LETTER C"),
        ("cat", "ca\u200bt", 'with U+200B ZERO WIDTH SPACE after "ca"'),
        ("ca\u200bt", "cat", 'without U+200B ZERO WIDTH SPACE after "ca"'),
        ("1", "1.0", 'with U+002E FULL STOP after "1"'),
        ("01", "1", "without U+0030 DIGIT ZERO at the start"),
        ("aa", "aaa", 'with U+0061 LATIN SMALL LETTER A after "aa"'),
        ("a\u0001b", "a-b", 'with U+002D HYPHEN-MINUS after "a", not U+0001 CONTROL CHARACTER'),
        ("x" * 30 + "a", "x" * 30 + "b", f'U+0062 LATIN SMALL LETTER B after "…{"x" * 20}"'),
        ("\u200ba-", "\u200ba_", 'with U+005F LOW LINE after "\\u200ba"'),
        ("same", "same", ""),
    ],
)
def test_the_first_difference_is_named(one: str, other: str, said: str) -> None:
    assert said in difference(one, other)
    assert bool(said) == bool(difference(one, other))


def test_a_sign_is_named_with_what_comes_before_it() -> None:
    assert sign_at("5²", 1) == 'U+00B2 SUPERSCRIPT TWO after "5"'


def test_a_warning_of_near_names_says_how_each_differs_from_the_first() -> None:
    spellings = Spellings()
    spellings.know("rater", ["Ann B"])
    spellings.meet("r.csv", "rater", ["Ann\u00a0B", "ann B", "ben"])
    (warning,) = spellings.warnings()
    assert warning.endswith(
        '"Ann B", "Ann\u00a0B" (with U+00A0 NO-BREAK SPACE after "Ann", not U+0020 SPACE), "ann B" (with U+0061 LATIN '
        'SMALL LETTER A at the start, not U+0041 LATIN CAPITAL LETTER A). Here already: "Ann B".'
    )
