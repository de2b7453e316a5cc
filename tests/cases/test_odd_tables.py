"""Tables as spreadsheets and people leave them: read as they are meant, with a sentence that says so, or refused."""

import io
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command

from annotations.models import Study
from tests.factories import make_user

pytestmark = pytest.mark.django_db
ITEMS = "item,prompt,method\na.png,a fox,base\nb.png,a fox,ref\n"
PLAIN = "item,rater,value\na.png,ann,1\nb.png,ann,2\n"


@dataclass(frozen=True)
class Case:
    """text    the ratings, or the rows of a workbook with the ranges that are merged
    counts   (read, refused) of its rows; says: words of what is printed, on either stream
    """

    name: str
    text: str = ""
    cells: tuple[tuple[object, ...], ...] = ()
    merged: tuple[str, ...] = ()
    counts: tuple[int, int] = (2, 0)
    says: tuple[str, ...] = ()
    is_silent: bool = False

    def __str__(self) -> str:
        return self.name


CASES = [
    Case("Excel's first line", "sep=;\n" + PLAIN.replace(",", ";"), is_silent=True),
    Case("a line that says a delimiter of its own", "sep=|\r\n" + PLAIN.replace(",", "|"), is_silent=True),
    Case("comments", "# made 2026-05-01, by us\n#\n" + PLAIN, says=('begin with "#" are not read (2)',)),
    Case("a fault behind comments", "# made by us\n" + PLAIN + "c.png,ann\n", counts=(2, 1), says=("row 5",)),
    Case("a column called #", "#,item,rater,value\n1,a.png,ann,1\n2,b.png,ann,2\n", is_silent=False),
    Case(
        "labels that contradict each other",
        "item,rater,value\na.png,ann,5: bad\nb.png,ann,3: fair\na.png,ben,1: bad\n",
        counts=(1, 2),
        says=("row 2", "row 4", '"5: bad" and "1: bad" give the same words different numbers', "labels in the mapping"),
    ),
    Case(
        "a unit is no label",
        "item,rater,value\na.png,ann,3 (stars)\nb.png,ann,4 (stars)\na.png,ben,5 (stars)\n",
        counts=(3, 0),
    ),
    Case(
        "words for a gap as names",
        "item,rater,value\na.png,nan,1\nb.png,NA,2\na.png,None,3\n",
        counts=(3, 0),
        says=('rater: "nan", "NA", "None" are read as names: only an empty cell is missing',),
    ),
    Case(
        "a look-alike letter",
        "item,rater,value\na.png,ann,1\nа.png,ann,2\n",  # the second begins with U+0430
        counts=(1, 1),
        says=("U+0430 CYRILLIC SMALL LETTER A",),
    ),
    Case(
        "a rater with a look-alike letter",
        "item,rater,value\na.png,ann,1\nb.png,аnn,2\n",
        says=("look-alike letters", "U+0430 CYRILLIC SMALL LETTER A"),
    ),
    Case(
        "merged cells",
        cells=(("item", "rater", "value"), ("a.png", "ann", 1), (None, "ben", 2), ("b.png", "ann", 3)),
        merged=("A2:A3",),
        counts=(3, 0),
        says=("cells that are merged over several rows count for each of these rows: A2 to A3",),
    ),
    Case(
        "an empty cell that is not merged",
        cells=(("item", "rater", "value"), ("a.png", "ann", 1), (None, "ben", 2)),
        counts=(1, 1),
        says=("row 3, item", "the cell is empty"),
    ),
]


def written(case: Case, folder: Path) -> Path:
    if not case.cells:
        path = folder / "ratings.csv"
        path.write_text(case.text, encoding="utf-8", newline="")
        return path
    book = openpyxl.Workbook()
    for cells in case.cells:
        book.active.append(cells)
    for cells in case.merged:
        book.active.merge_cells(cells)
    path = folder / "ratings.xlsx"
    book.save(path)
    return path


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_table_is_read_or_refused_with_a_reason(case: Case, tmp_path: Path) -> None:
    make_user("ruth", researcher=True)
    (tmp_path / "items.csv").write_text(ITEMS)
    said, faults = io.StringIO(), io.StringIO()
    call_command(
        "import_ratings",
        str(written(case, tmp_path)),
        items=str(tmp_path / "items.csv"),
        study="T",
        owner="ruth",
        scale=["1-5"],
        stdout=said,
        stderr=faults,
    )
    n_read, n_refused = case.counts
    n_items = ITEMS.count("\n") - 1
    assert f"{n_read + n_items} read, {n_refused} refused, 0 skipped" in said.getvalue()
    printed = said.getvalue() + faults.getvalue()
    for words in case.says:
        assert words in printed
    if case.is_silent:
        assert faults.getvalue() == ""
    assert Study.objects.get().assignments.exists()


@pytest.mark.parametrize("name", ["labels that contradict each other", "words for a gap as names", "comments"])
def test_analyze_says_the_same(name: str, tmp_path: Path) -> None:
    case = next(case for case in CASES if case.name == name)
    said = io.StringIO()
    arguments = ("--ratings", str(written(case, tmp_path)), "--scale", "1-5", "--out", str(tmp_path / "out"), "--quick")
    refusal = ""
    try:
        call_command("analyze", *arguments, stdout=said, stderr=said)
    except CommandError as error:
        refusal = str(error)
    for words in case.says:
        assert words in said.getvalue() + refusal or words == "row 4"  # the first refused row alone is printed
    assert bool(refusal) == bool(case.counts[1])
