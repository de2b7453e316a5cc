"""Right answers in the items file: raters.csv says who passed how many."""

import csv
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

HEADER = "item,rater,dimension,value\n"
ANSWERS = {"x": (5, 2, 3, 1), "y": (5, 1, 3, 2), "z": (4, 1, 3, 3)}


def ratings(dimension: str) -> str:
    return "".join(
        f"{item},{rater},{dimension},{value}\n"
        for rater, values in ANSWERS.items()
        for item, value in zip("abcd", values, strict=True)
    )


def analyze(folder: Path, rows: str, items: str, **options: object) -> list[dict[str, str]]:
    (folder / "ratings.csv").write_text(HEADER + rows)
    (folder / "items.csv").write_text(items)
    call_command(
        "analyze",
        ratings=folder / "ratings.csv",
        items=folder / "items.csv",
        scale=["1-5"],
        resamples=20,
        out=folder / "out",
        quick=True,
        verbosity=0,
        **options,
    )
    with (folder / "out" / "raters.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def passed(rows: list[dict[str, str]], dimension: str = "match") -> dict[str, float | None]:
    shares = {row["rater"]: row["gold_pass_rate"] for row in rows if row["dimension"] == dimension}
    return {rater: float(share) if share else None for rater, share in shares.items()}


def test_share_of_gold_that_each_rater_passed(tmp_path: Path) -> None:
    # Gold 5, 1, 3 for a, b, c: x errs on b, y on none, z on a. An item that nobody rated, first in the file, counts
    # for nobody.
    items = "item,gold\nnever rated,2\na,5\nd,\nc,3.0\nb,1\n"
    found = passed(analyze(tmp_path, ratings("match"), items))
    assert found == {"x": pytest.approx(2 / 3), "y": 1.0, "z": pytest.approx(2 / 3)}


def test_gold_of_one_question_tests_no_other(tmp_path: Path) -> None:
    # Of "look" only a and d were rated: units are numbered anew within it.
    look = "".join(f"{item},{rater},look,2\n" for item in "ad" for rater in "xyz")
    items = "item,gold:match,Gold:look\na,5,1\nb,1,\nc,3,5\nd,,2\n"
    rows = analyze(tmp_path, ratings("match") + look, items)
    assert passed(rows) == {"x": pytest.approx(2 / 3), "y": 1.0, "z": pytest.approx(2 / 3)}
    assert passed(rows, "look") == {"x": 0.5, "y": 0.5, "z": 0.5}
    only_match = analyze(tmp_path, ratings("match") + look, "item,gold:match\na,5\nb,\nc,\nd,\n")
    assert passed(only_match, "look") == {"x": None, "y": None, "z": None}


def test_gold_is_not_a_property_to_break_results_down_by(tmp_path: Path) -> None:
    analyze(tmp_path, ratings("match"), "item,gold,place\na,5,in\nb,1,out\nc,3,in\nd,,out\n")
    text = (tmp_path / "out" / "report.json").read_text()
    assert '"place"' in text
    assert '"gold"' not in text


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ("item,gold\na,7\nb,1\nc,3\nd,\n", r"items\.csv, row 2, gold: 7 is not on the scale"),
        ("item,gold:looks\na,5\nb,\nc,\nd,\n", "the ratings have no dimension 'looks'"),
        ("item,gold,gold:match\na,5,5\nb,,\nc,,\nd,,\n", "has the right answers to 'match' already"),
    ],
)
def test_gold_that_cannot_be_used_is_named(tmp_path: Path, items: str, problem: str) -> None:
    with pytest.raises(CommandError, match=problem):
        analyze(tmp_path, ratings("match"), items)


def test_bad_gold_may_be_left_out(tmp_path: Path) -> None:
    items = "item,gold\na,7\nb,1\nc,3\nd,\n"
    found = passed(analyze(tmp_path, ratings("match"), items, on_bad_value="exclude"))
    assert found == {"x": 0.5, "y": 1.0, "z": 1.0}
    assert "7" in (tmp_path / "out" / "excluded.csv").read_text()


def test_gold_without_its_question_is_refused_where_there_are_several(tmp_path: Path) -> None:
    rows = ratings("match") + ratings("look")
    with pytest.raises(CommandError, match='Name the column "gold:look"'):
        analyze(tmp_path, rows, "item,gold\na,5\nb,\nc,\nd,\n")
