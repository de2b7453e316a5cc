"""The column `repeat` of a ratings file."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from annotations.reports.bad_data import BadData
from tests.reports.study.test_files import matrix, read

FIRST = "item,rater,value,repeat\na,r1,4,\nb,r1,2,1\na,r2,3,0\nb,r2,3,first\n"


def test_second_answers_are_not_ratings_but_say_how_well_raters_agree_with_themselves(tmp_path: Path) -> None:
    data, log = read(tmp_path, FIRST + "a,r1,5,2\nb,r2,3,yes\na,r1,4,3\n")
    (question,) = data.dimensions
    assert matrix(data) == [[4, 2], [3, 3]]
    repeats = question.repeats
    assert repeats is not None
    assert repeats.rater.tolist() == [0, 1, 0]
    assert repeats.first.tolist() == [3, 2, 3]
    assert repeats.second.tolist() == [4, 2, 3]
    assert not log
    without, _ = read(tmp_path, FIRST)
    assert without.dimensions[0].repeats is None
    assert without.inputs_hash() != data.inputs_hash()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,r1,5,twice", 'row 6, repeat "twice": not a number of the showing'),
        ("a,r1,5,1.5", "not a number of the showing"),
        ("a,r1,5,-1", "not a number of the showing"),
        ("a,r3,5,2", "no first answer about this item"),
    ],
)
def test_what_is_not_a_repeat_is_refused(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(BadData, match=message.replace("(", r"\(")):
        read(tmp_path, FIRST + row + "\n")
    data, log = read(tmp_path, FIRST + row + "\n", exclude=True)
    assert log.total == 1
    assert matrix(data) == [[4, 2], [3, 3]]


def test_an_unable_answer_is_not_a_repeat(tmp_path: Path) -> None:
    data, log = read(tmp_path, FIRST + "a,r1,unable,2\n")
    assert data.dimensions[0].repeats is None
    assert not log


def test_showings_may_be_counted_from_zero(tmp_path: Path) -> None:
    """Rater 1 has 0 and 1 for item a, so that 1 is the second showing; it is not for an item with 1 and 2."""
    text = "item,rater,value,repeat\na,r1,4,0\na,r1,5,1\nb,r1,2,0\nb,r1,2,1\na,r2,3,0\na,r2,1,2\nb,r2,3,0\n"
    data, log = read(tmp_path, text)
    assert matrix(data) == [[4, 2], [3, 3]]
    repeats = data.dimensions[0].repeats
    assert repeats is not None
    assert list(zip(repeats.rater, repeats.first, repeats.second, strict=True)) == [(0, 3, 4), (0, 1, 1), (1, 2, 0)]
    assert not log
    from_one, _ = read(tmp_path, text.replace(",1\n", ",2\n").replace(",0\n", ",1\n"))
    assert from_one.dimensions[0].repeats is not None
    assert from_one.dimensions[0].repeats.second.tolist() == [4, 1, 0]


def test_answers_that_are_in_the_files_twice_are_counted_and_named(tmp_path: Path) -> None:
    rows = "item,rater,dimension,value\n" + "".join(f"i{at},{rater},q,{at}\n" for at in (1, 2, 3) for rater in "ab")
    (tmp_path / "one.csv").write_text(rows + "i1,a,q,1\ni2,b,q,2\n", encoding="utf-8")
    (tmp_path / "other.csv").write_text(rows, encoding="utf-8")

    said = io.StringIO()
    call_command(
        "analyze", ratings=[tmp_path / "one.csv"], scale=["1-3"], out=tmp_path / "out", quick=True, stdout=said
    )
    assert "8 answers: 6 read, 0 refused, 2 skipped (2 that repeat an earlier one)" in said.getvalue()
    assert (
        "one.csv: 2 answers repeat an earlier one of the same rater about the same item; the first is row 8, as row 2. "
        "Only the first of equal answers counts."
    ) in said.getvalue()

    said = io.StringIO()
    both = [tmp_path / "other.csv", tmp_path / "other.csv"]
    call_command("analyze", ratings=both, scale=["1-3"], out=tmp_path / "out", quick=True, stdout=said)
    assert "12 answers: 6 read, 0 refused, 6 skipped (6 that repeat an earlier one)" in said.getvalue()
    assert "6 answers repeat an earlier one of the same rater about the same item. Only" in said.getvalue()
    assert "6 ratings" in said.getvalue()
