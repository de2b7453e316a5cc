"""What is printed in Markdown, HTML, LaTeX, Word and PDF is a rounding of what the CSV files hold, row by row."""

import csv
import html
import io
import random
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import docx
import pytest
from django.core.management import call_command

from annotations.reports.outputs import report_files
from tests.reports.study.documents import study_data, study_document
from tests.stats.preferences.published import DATA

Cells = Sequence[str]
AT_RANDOM = 200
RATED = ("one method", "another method", "a third", "a fourth")
BRANDS = tuple(f"brand {i}" for i in range(1, 7))
NUMBER = re.compile(r"(?<![\w.<])[+-]?\d[\d,]*(?:\.\d+)?%?(?!\w)")
FIGURES = re.compile(r"[\d\s.,%+/()\[\]<=p±n-]+")
"""A cell of figures alone: notes have years and formulas."""


def markdown_rows(text: str) -> Iterator[Cells]:
    for line in text.splitlines():
        if line.startswith("|") and "---" not in line:
            yield [cell.strip().replace("\\", "") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def html_rows(text: str) -> Iterator[Cells]:
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", text, re.DOTALL):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        yield [html.unescape(re.sub("<[^>]*>", "", cell)).strip() for cell in cells]


def latex_rows(text: str) -> Iterator[Cells]:
    above = ""
    for line in text.splitlines():
        if " & " in line and line.endswith(r"\\"):
            plain = re.sub(r"\\raggedright |\\allowbreak\{\}|\\textsuperscript\{\w*\}|\$", "", line[:-2])
            cells = [cell.strip() for cell in plain.replace("{,}", ",").replace(r"\_", "_").split(" & ")]
            # A row without a name goes on with the one above.
            above = cells[0] = cells[0] or above
            yield cells


def word_rows(content: bytes) -> Iterator[Cells]:
    for table in docx.Document(io.BytesIO(content)).tables:
        for row in table.rows:
            yield [cell.text for cell in row.cells]


def pdf_rows(content: bytes, into: Path) -> Iterator[Cells]:
    (into / "report.pdf").write_bytes(content)
    command = ["pdftotext", "-layout", into / "report.pdf", "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for line in text[text.index("Appendix: tables") :].splitlines():
        cells = re.split(r"\s{2,}", line.strip())
        if len(cells) > 2:
            yield cells


def tables_of(files: Mapping[str, bytes], into: Path) -> Iterator[tuple[str, list[Cells]]]:
    yield "Markdown", list(markdown_rows(files["report.md"].decode()))
    yield "HTML", list(html_rows(files["report.html"].decode()))
    yield "LaTeX", list(latex_rows(files["report.tex"].decode()))
    yield "Word", list(word_rows(files["report.docx"]))
    if shutil.which("pdftotext"):
        yield "PDF", list(pdf_rows(files["report.pdf"], into))


def by_name(files: Mapping[str, bytes]) -> dict[str, list[float]]:
    """All numbers of the CSV rows in which a name occurs."""
    found: dict[str, list[float]] = {}
    for name, content in files.items():
        if not name.endswith(".csv"):
            continue
        for row in csv.reader(io.StringIO(content.decode())):
            numbers = [float(cell) for cell in row if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell)]
            for cell in row:
                found.setdefault(cell, []).extend(numbers)
    return found


def is_rounding(printed: str, number: float, *, is_share: bool) -> bool:
    """Whether the number, or what it leaves to 1, or its negative, rounds to what is printed."""
    digits = len(printed.rstrip("%").partition(".")[2])
    wanted = printed.rstrip("%").lstrip("+").replace(",", "")
    numbers = [number, -number, *([100 * number, 100 * (1 - number)] if is_share else [])]
    return any(f"{each:.{digits}f}" == wanted or float(f"{each:.{digits}f}") == float(wanted) == 0 for each in numbers)


def disagreeing(
    rows: Sequence[Cells], known: Mapping[str, list[float]], methods: Cells, *, is_latex: bool
) -> tuple[int, list[str]]:
    """How many numbers were drawn, and those that no row of its name has in the CSV files."""
    anything = [number for numbers in known.values() for number in numbers]
    printed = []
    for row in rows:
        name, *others = (cell.replace("−", "-").replace("\u200b", "") for cell in row)
        of_name = [known[key] for key in known if key == name or (key in methods and key in name)]
        # A statistic has another name in the CSV file.
        numbers = [number for each in of_name for number in each] or anything
        figures = [cell for cell in others if FIGURES.fullmatch(cell) and "<" not in cell and not name.isdigit()]
        printed += [(name, found, numbers) for cell in figures for found in NUMBER.findall(cell)]
    drawn = random.Random(15).sample(printed, min(AT_RANDOM, len(printed)))
    wrong = [
        f"{name}: {found}"
        for name, found, numbers in drawn
        # LaTeX tables have the sign of per cent in their heads.
        if not any(is_rounding(found, each, is_share=is_latex or found.endswith("%")) for each in numbers)
    ]
    return len(drawn), wrong


def votes_of_puddings(folder: Path) -> dict[str, bytes]:
    """Davidson's example (1970), by the command."""
    lines = ["method_a,method_b,winner"]
    with (DATA / "pudding.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            for winner, column in (("a", "w_ij"), ("b", "w_ji"), ("tie", "t_ij")):
                lines += [f"brand {row['i']},brand {row['j']},{winner}"] * int(row[column])
    (folder / "votes.csv").write_text("\n".join(lines))
    call_command("analyze", votes=folder / "votes.csv", out=folder / "out", stdout=io.StringIO())
    return {str(path.relative_to(folder / "out")): path.read_bytes() for path in (folder / "out").rglob("*.*")}


@pytest.mark.parametrize("kind", ["ratings", "votes"])
def test_what_every_format_prints_is_a_rounding_of_the_csv(tmp_path: Path, kind: str) -> None:
    methods = {"ratings": RATED, "votes": BRANDS}[kind]
    if kind == "ratings":
        data = study_data(methods=RATED, metrics=("clip", "vqa"), n_raters=5, n_prompts=12)
        files = dict(report_files(study_document(data)))
    else:
        files = votes_of_puddings(tmp_path)
    known = by_name(files)
    for name, rows in tables_of(files, tmp_path):
        n, wrong = disagreeing(rows, known, methods, is_latex=name == "LaTeX")
        assert n >= 60, name
        assert wrong == [], name


def test_a_wrong_last_digit_is_found() -> None:
    known = {"one method": [0.12345, 42]}
    assert disagreeing([["one method", "0.123", "42", "12.3%"]], known, ["one method"], is_latex=False) == (3, [])
    assert disagreeing([["one method", "0.124", "43"]], known, ["one method"], is_latex=False)[1] == [
        "one method: 0.124",
        "one method: 43",
    ]
