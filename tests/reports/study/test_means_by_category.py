"""Mean ratings by method and category: on the page, in LaTeX, and the same figures in the CSV."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from annotations.reports.documents.study import StudyDocument
from annotations.reports.estimates import ends
from annotations.reports.numbers import figure, interval
from annotations.reports.study.latex import latex
from annotations.reports.study.sections.categories import MOST_COLUMNS
from annotations.reports.study.sections.report import sections
from annotations.reports.study.tables import TABLES
from annotations.reports.view import Folded, Section, Table
from tests.reports.study.documents import study_data, study_document

METHODS = ("base_line", "refined #2")


def made(categories: Sequence[str], *, n_prompts: int = 48) -> StudyDocument:
    """Prompts take the categories in turn; every rater rates an image of each prompt and method."""
    data = study_data(n_prompts=n_prompts, methods=METHODS)
    names = np.array([categories[prompt % len(categories)] for prompt in data.prompt], dtype=object)
    return study_document(replace(data, facets={"category": names}))


@pytest.fixture(scope="module")
def document() -> StudyDocument:
    return made(["color", "50% & counting"])


def by_category(document: StudyDocument) -> Section:
    (section,) = [section for section in sections(document) if section.title == "Means by category"]
    return section


def tables(section: Section) -> list[Table]:
    return [block for block in section.blocks if isinstance(block, Table)]


def test_methods_are_rows_and_categories_columns(document: StudyDocument) -> None:
    section = by_category(document)
    assert section.table == "means_by_facet"
    (table,) = tables(section)
    assert table.head == ["method", "all, n 48", "50% & counting, n 24", "color, n 24"]
    assert [row[0] for row in table.rows] == list(METHODS)


def test_page_and_csv_have_the_same_figures(document: StudyDocument) -> None:
    columns, rows = TABLES["means_by_facet"]
    found = [dict(zip(columns, row, strict=True)) for row in rows(document)]
    assert len(found) == 4
    (table,) = tables(by_category(document))
    (behind,) = [block for block in by_category(document).blocks if isinstance(block, Folded)]
    full = behind.blocks[0]
    assert isinstance(full, Table)
    for row, in_full in zip(found, full.rows, strict=True):
        place = next(at for at, name in enumerate(table.head) if name.startswith(row["value"]))
        shown = next(cells for cells in table.rows if cells[0] == row["method"])[place]
        assert shown == f"{figure(row['mean'], digits=2)} {interval(row['low'], row['high'], digits=2)}"
        assert in_full[:4] == [
            *(row["value"], row["method"], figure(row["mean"]), interval(row["low"], row["high"])),
        ]
    for mean, cells in zip(document.dimensions[0].means, table.rows, strict=True):
        assert cells[1] == f"{figure(mean.value, digits=2)} {interval(*ends(mean, 'prompts'), digits=2)}"


@pytest.mark.parametrize("is_short", [False, True])
def test_latex_has_every_mean_of_the_csv(document: StudyDocument, is_short: bool) -> None:
    text = latex(document, is_short=is_short)
    (table,) = [part for part in text.split(r"\begin{table")[1:] if "Mean ratings by category" in part]
    columns, rows = TABLES["means_by_facet"]
    for row in (dict(zip(columns, each, strict=True)) for each in rows(document)):
        assert f"${row['mean']:.2f}$" in table
        assert f"$[{row['low']:.2f}, {row['high']:.2f}]$" in table
    assert r"50\% \& counting" in table
    if not is_short:
        assert r"{\raggedleft all ($n{=}48$)}" in table


def test_many_categories_go_on_in_further_tables() -> None:
    names = [f"category {at:02d}" for at in range(11)]
    document = made(names, n_prompts=110)
    shown = tables(by_category(document))
    assert all(len(table.head) <= MOST_COLUMNS + 1 for table in shown)
    assert [re.sub(", n .*", "", name) for table in shown for name in table.head[1:]] == ["all", *names]
    text = latex(document)
    labels = re.findall(r"\\label\{(.*?)\}", text)
    assert len(labels) == len(set(labels))
    assert [label.rpartition("-by-category-")[2] for label in labels if "-by-category-" in label] == [
        *("1", "1-columns-2", "1-columns-3"),
    ]
    heads = re.findall(r"\\parbox\[b\]\{0.17\\linewidth\}\{\\raggedleft (.*?) \(\$n", text)
    assert heads == ["all", *names]


def test_without_categories_there_is_no_such_section() -> None:
    document = study_document(study_data())
    assert not [section for section in sections(document) if section.title == "Means by category"]
    assert "by-category" not in latex(document)


def test_what_lacks_an_interval_says_why() -> None:
    """Few prompts with many images each: the means are there, the interval over prompts is not."""
    data = study_data(n_prompts=40, methods=METHODS)
    names = np.array(["color", "counting"], dtype=object)[data.prompt % 2]
    document = study_document(replace(data, facets={"category": names}, prompt=data.prompt % 2, prompts=["p", "q"]))
    (table,) = tables(by_category(document))
    assert [re.fullmatch(r"\d\.\d\d", str(cell)) is not None for cell in table.rows[0][2:]] == [True, True]
    assert "too few prompts (1)" in latex(document)
