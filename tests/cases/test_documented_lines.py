"""Every command line in the table of docs/import-formats.md works, and its file gives the ratings it should."""

import io
import re
import shlex
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.factories import make_user

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "data" / "files" / "formats"
LINES = re.findall(r"`(analyze --ratings F/[^`]+)`", (ROOT / "docs" / "import-formats.md").read_text(encoding="utf-8"))


IMPORTS = re.findall(r"`(import_ratings F/[^`]+)`", (ROOT / "docs" / "import-formats.md").read_text(encoding="utf-8"))
SAY_THEIR_ITEMS = ("genai_bench.json",)


def test_the_table_has_its_lines() -> None:
    assert (len(LINES), len(IMPORTS)) >= (15, 10)


def test_every_row_of_the_table_has_a_line() -> None:
    text = (ROOT / "docs" / "import-formats.md").read_text(encoding="utf-8")
    table = text.split("| format | recognised by | command line |\n|---|---|---|\n")[1].split("\n\n")[0]
    assert [row for row in table.splitlines() if not re.search(r"`(?:analyze --ratings|import_ratings) F/", row)] == []


@pytest.mark.django_db
@pytest.mark.parametrize("line", IMPORTS)
def test_a_documented_import_gives_the_ratings(line: str) -> None:
    make_user("ruth", researcher=True)
    words = [re.sub(r"^F/", f"{FOLDER}/", word) for word in shlex.split(line)]
    says_items = words[1].endswith(SAY_THEIR_ITEMS)
    items = [] if says_items else ["--items", str(FOLDER / "items.csv")]
    said = io.StringIO()
    call_command(*words, *items, "--study", "T", "--owner", "ruth", "--dry-run", stdout=said, stderr=io.StringIO())
    assert "ratings 72, raters 3" in said.getvalue()
    assert "96 rows or answers: 96 read, 0 refused, 0 skipped." in said.getvalue()


@pytest.mark.parametrize("line", LINES)
def test_a_documented_line_works(line: str, tmp_path: Path) -> None:
    words = [re.sub(r"^F/", f"{FOLDER}/", word) for word in shlex.split(line)]
    items = ["--items", str(FOLDER / "items.csv"), "--out", str(tmp_path / "out"), "--resamples", "50"]
    call_command(*words, *items, stdout=io.StringIO(), stderr=io.StringIO())
    assert (tmp_path / "out" / "report.html").is_file()
