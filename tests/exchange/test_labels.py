"""Labels that count up to a total, and what is proposed for them."""

import pytest

from exchange.labels import count_in, is_in_words, number_in, proposal


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ("4/5", (4, 5)),
        (" 4 / 5 ", (4, 5)),
        ("\u0664/\u0665", (4, 5)),  # Arabic digits
        ("4 out of 5", (4, 5)),
        ("4 of 5 stars", (4, 5)),
        ("★★★★☆", (4, 5)),
        ("★★★★★", (5, 0)),
        ("⭐⭐⭐", (3, 0)),
        ("⭐\ufe0f⭐\ufe0f", (2, 0)),
        ("6/5", None),
        ("1/2/2026", None),
        ("4", None),
        ("★½", None),
        ("☆☆☆", None),
        ("agree", None),
    ],
)
def test_counts_of_a_total(label: str, found: tuple[int, int] | None) -> None:
    assert count_in(label) == found
    assert number_in(label) == ""  # so it is read only after somebody says what it means
    assert is_in_words(label) == (found is not None or label == "agree")


def test_counts_of_one_total_are_proposed_as_they_are() -> None:
    assert list(proposal(["★★★★★", "★☆☆☆☆", "★★★☆☆"]).items()) == [("★☆☆☆☆", 1), ("★★★☆☆", 3), ("★★★★★", 5)]
    assert proposal(["4/5"]) == {"4/5": 4}
    assert proposal(["4/5", "7/10"]) == {}
    assert proposal(["4/5", "agree"]) == {}
