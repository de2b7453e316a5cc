"""Every command line in the table of docs/import-formats.md works, and its file gives the ratings it should."""

import io
import re
import shlex
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "cases" / "files" / "formats"
LINES = re.findall(r"`(analyze --ratings F/[^`]+)`", (ROOT / "docs" / "import-formats.md").read_text(encoding="utf-8"))


def test_the_table_has_its_lines() -> None:
    assert len(LINES) >= 15


@pytest.mark.parametrize("line", LINES)
def test_a_documented_line_works(line: str, tmp_path: Path) -> None:
    words = [re.sub(r"^F/", f"{FOLDER}/", word) for word in shlex.split(line)]
    items = ["--items", str(FOLDER / "items.csv"), "--out", str(tmp_path / "out"), "--resamples", "50"]
    call_command(*words, *items, stdout=io.StringIO(), stderr=io.StringIO())
    assert (tmp_path / "out" / "report.html").is_file()
