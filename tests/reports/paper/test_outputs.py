"""Files for a paper: each opens in its own format, and all of them say the same figures as the tables."""

import csv
import io
import re
import struct
from xml.etree import ElementTree

import docx
import pytest

from annotations.reports.documents.study import StudyDocument
from annotations.reports.numbers import figure
from annotations.reports.outputs import report_files
from annotations.reports.paper.figures import paper_figures
from annotations.reports.paper.manuscript import MOST_ROWS, manuscript
from annotations.reports.parts import parts_of
from annotations.reports.view import Table
from tests.reports.study.documents import study_data, study_document

ODD = 'a #"]<>$|{_}%~^&\\*`@b\n\x07 ≤ é 文'
"""Everything that has a meaning in some format, a control character, and letters of other scripts."""


def parsed(svg: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 (our own file)


@pytest.fixture(scope="module")
def document() -> StudyDocument:
    data = study_data(
        [("alignment", "ordinal"), ("which", "nominal")], methods=("base", "refined", "third"), metrics=("clip", "vqa")
    )
    return study_document(data, title="Foxes and stews")


@pytest.fixture(scope="module")
def files(document: StudyDocument) -> dict[str, bytes]:
    return dict(report_files(document))


def test_basic_files_are_a_part_of_all_files(document: StudyDocument, files: dict[str, bytes]) -> None:
    basic = dict(report_files(document, is_quick=True))
    assert {"means.csv", "report.json", "report.html", "report.tex"} <= set(basic)
    assert {name: files[name] for name in basic} == basic


def test_every_picture_is_there_in_three_formats_and_two_widths(
    document: StudyDocument, files: dict[str, bytes]
) -> None:
    figures = paper_figures(parts_of(document))
    assert len(figures) >= 8
    expected = {
        f"figures/{one.name}{width}.{ending}"
        for one in figures
        for width in ("", "-column")
        for ending in ("svg", "pdf", "png")
    }
    assert expected | {"figures/captions.md"} == {name for name in files if name.startswith("figures/")}
    captions = files["figures/captions.md"].decode()
    for one in figures:
        assert one.caption in captions
        assert one.caption.endswith((".", "?"))


@pytest.mark.parametrize(("ending", "inches"), [("", 6.9), ("-column", 3.3)])
def test_pictures_are_self_contained_at_their_size(files: dict[str, bytes], ending: str, inches: float) -> None:
    names = [name[:-4] for name in files if name.endswith(".svg") and name.endswith("-column.svg") == bool(ending)]
    assert names
    for name in names:
        root = parsed(files[f"{name}.svg"])
        assert not [each for each in root.iter() if "class" in each.attrib or "style" in each.attrib]
        assert root.attrib["width"] == f"{inches}in"
        assert "serif" in root.attrib["font-family"]
        assert files[f"{name}.pdf"].startswith(b"%PDF-")
        png = files[f"{name}.png"]
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">I", png[16:20])[0] == pytest.approx(300 * inches, abs=1)
        at = png.index(b"pHYs")
        assert struct.unpack(">IIB", png[at + 4 : at + 13]) == (11811, 11811, 1), "300 dots per inch"


def test_means_are_the_same_in_every_format(document: StudyDocument, files: dict[str, bytes]) -> None:
    word = docx.Document(io.BytesIO(files["report.docx"]))
    cells = {cell.text for table in word.tables for row in table.rows for cell in row.cells}
    svg = next(one.wide for one in paper_figures(parts_of(document)) if "mean-rating" in one.name)
    rows = list(csv.DictReader(io.StringIO(files["means.csv"].decode())))
    assert len(rows) == 3
    for row in rows:
        mean = float(row["mean"])
        assert figure(mean, digits=2) in svg
        assert figure(mean) in cells
        assert figure(mean) in files["report.md"].decode()
        assert f"${mean:.2f}$" in files["report.tex"].decode()


def test_markdown_tables_hold_what_the_csv_holds(files: dict[str, bytes]) -> None:
    for name in ("means", "comparisons", "agreement", "answers"):
        expected = list(csv.reader(io.StringIO(files[f"{name}.csv"].decode())))
        lines = files[f"tables/{name}.md"].decode().splitlines()
        found = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
        assert found[1] == ["---"] * len(expected[0])
        unescaped = [[re.sub(r"\\(.)", r"\1", cell) for cell in row] for row in [found[0], *found[2:]]]
        assert unescaped == expected


def test_word_has_headings_captions_and_alternative_texts(document: StudyDocument, files: dict[str, bytes]) -> None:
    word = docx.Document(io.BytesIO(files["report.docx"]))
    headings = [each.text for each in word.paragraphs if each.style.name.startswith("Heading")]
    assert {"Summary", "Agreement", "Methods", "Limits", "References"} <= set(headings)
    assert word.core_properties.title == "Foxes and stews"
    captions = [each.text for each in word.paragraphs if each.style.name == "Caption"]
    described = [shape._inline.docPr.get("descr") for shape in word.inline_shapes]
    assert captions == described == [one.caption for one in paper_figures(parts_of(document))]


def test_every_citation_has_its_entry_and_every_entry_its_citation(files: dict[str, bytes]) -> None:
    cited = {key for group in re.findall(r"\\cite\{(.*?)\}", files["methods.tex"].decode()) for key in group.split(",")}
    entries = re.findall(r"^@\w+\{(\w+),$", files["references.bib"].decode(), re.MULTILINE)
    assert cited == set(entries)
    assert len(entries) == len(set(entries)) > 10
    assert "[@" not in files["report.md"].decode()


def test_a_line_of_latex_may_end_within_a_hash(document: StudyDocument, files: dict[str, bytes]) -> None:
    digest = document.made.inputs_hash[:16]
    pieces = [digest[at : at + 4] for at in range(0, 16, 4)]
    assert "with the hash " + r"\allowbreak{}".join(pieces) + ";" in files["methods.tex"].decode()


def test_latex_figures_name_files_that_are_there(files: dict[str, bytes]) -> None:
    named = re.findall(r"\\includegraphics\[.*?\]\{(.*?)\}", files["figures.tex"].decode())
    labels = re.findall(r"\\label\{(.*?)\}", files["figures.tex"].decode())
    assert named
    assert set(named) <= set(files)
    assert len(labels) == len(set(labels)) == len(named)


def test_the_same_document_gives_the_same_pdf_and_pictures(document: StudyDocument, files: dict[str, bytes]) -> None:
    again = dict(report_files(document))
    assert set(again) == set(files)
    assert [name for name in files if again[name] != files[name] and not name.endswith(".docx")] == []


def test_odd_names_break_no_format() -> None:
    data = study_data([(ODD, "ordinal")], methods=(ODD, "refined"), metrics=(ODD,), n_prompts=4)
    found = dict(report_files(study_document(data, title=ODD)))
    assert found["report.pdf"].startswith(b"%PDF-")
    word = docx.Document(io.BytesIO(found["report.docx"]))
    flat = 'a #"]<>$|{_}%~^&\\*`@b\n  ≤ é 文'
    assert word.paragraphs[0].text == flat
    for name, content in found.items():
        if name.endswith(".svg"):
            parsed(content)


def test_long_tables_are_cut_on_paper_and_say_so() -> None:
    data = study_data(n_prompts=3, n_raters=MOST_ROWS + 5)
    paper = manuscript(study_document(data))
    raters = next(one for one in paper.parts[0].sections if one.table == "raters")
    folded = next(block for block in raters.blocks if hasattr(block, "blocks"))
    assert isinstance(folded.blocks[0], Table)
    assert len(folded.blocks[0].rows) == MOST_ROWS
    assert f"The first {MOST_ROWS} of {MOST_ROWS + 5} rows; all are in raters.csv." in folded.blocks[1].text
