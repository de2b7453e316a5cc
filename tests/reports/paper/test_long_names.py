"""Names without a blank in them: a line of the paper may end within them, and no cell runs over the next one."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from annotations.reports.paper.manuscript import Manuscript, manuscript
from annotations.reports.paper.pdf import source
from annotations.reports.paper.tex_files import PIECE, figures_tex, methods_tex
from annotations.reports.study.latex import latex
from annotations.reports.study.sections.notices import notices
from annotations.stats.intervals.crossed_clusters import too_few
from tests.reports.paper.compile_latex import VENUES, compiled
from tests.reports.study.documents import study_data, study_document

METRIC = "averylongmetricnamewithoutanyplacetobreakitbecauseitisoneword_v1.2.3_final"
NAME = "stable-diffusion-xl-base-1.0-refined-with-detailed_scribe-critique-and-regeneration"


@pytest.fixture(scope="module")
def paper() -> Manuscript:
    data = study_data(methods=("base", NAME), metrics=(METRIC,))
    return manuscript(study_document(data, title="Long names"))


def longest_word(tex: str) -> int:
    """Letters of the longest run in which LaTeX may not end a line."""
    body = [line for line in tex.splitlines() if not line.startswith(("%", r"\begin", r"\includegraphics", r"\label"))]
    return max(map(len, re.split(r"\s|\\allowbreak\{\}|~|\\cite\{.*?\}|\$", "\n".join(body))))


def test_latex_may_end_a_line_within_a_long_name(paper: Manuscript) -> None:
    methods, figures = methods_tex(paper), figures_tex(paper, "s")
    assert "stable-d" in methods
    assert longest_word(methods) <= 3 * PIECE  # signs such as \_ are longer than one
    assert longest_word(figures) <= 3 * PIECE
    assert r"\emergencystretch" in methods
    assert methods.count(r"\begingroup") == methods.count(r"\endgroup") == 1


def test_a_sign_that_latex_may_not_know_has_a_stand_in_before_it_is_used() -> None:
    data = study_data(methods=("基线", "🚀 refined"))
    document = study_document(data, title="名")
    paper = manuscript(document)
    for tex in (latex(document), latex(document, is_short=True), methods_tex(paper), figures_tex(paper, "s")):
        first = tex.index(r"\begin{" if r"\begin{" in tex else r"\begingroup")
        used = {sign for sign in tex[first:] if ord(sign) > 0x17F and sign not in "–…“”"}
        assert used == set(re.findall(r"\\ifcsname u8:\\detokenize\{(.)\}", tex[:first]))
        heads = ("%", r"\ifcsname", r"\csname if@filesw\endcsname\immediate\write")
        assert all(line.startswith(heads) for line in tex[:first].splitlines() if line)
    assert r"\shortstack{57\\FA}" in latex(document)
    assert "detokenize" not in latex(study_document(study_data()))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not on this machine")
def test_pdflatex_compiles_names_in_other_scripts(tmp_path: Path) -> None:
    data = study_data([("质量", "ordinal")], methods=("基线", "نموذج 🚀"), metrics=("اختبار",))
    document = study_document(data, title="名")
    (tmp_path / "report-short.tex").write_text(latex(document, is_short=True), encoding="utf-8")
    assert compiled(["report-short"], VENUES["like CVPR"], tmp_path) == []
    assert compiled(["report-short"], VENUES["like CVPR"], tmp_path, lists=True) == []
    listed = (tmp_path / "paper.lot").read_text(encoding="utf-8")
    assert "质量" in listed


def test_a_section_without_a_picture_leads_with_its_table_in_the_pdf() -> None:
    data = study_data(n_prompts=48)
    facets = np.array([("cats", "dogs")[prompt % 2] for prompt in data.prompt], dtype=object)
    paper = manuscript(study_document(replace(data, facets={"category": facets})))
    whole = "\n".join(source(paper))
    body, appendix = whole.split("Appendix: tables")
    ahead = body.split("Means by category")[1].split("\n= ")[0]
    assert "#table(" in ahead
    assert "cats, n 24" in ahead
    assert "cats, n 24" not in appendix
    assert "Figures by category" in appendix


def test_emoji_in_the_pdf_have_their_code_point() -> None:
    paper = manuscript(study_document(study_data(methods=("🚀 refined", "⭐ refined")), title="👩‍🔬"))
    whole = "".join(source(paper))
    assert "[1F680] refined" in whole
    assert "[2B50] refined" in whole
    assert not set(whole) & set("🚀⭐👩🔬")


def test_a_cell_of_the_pdf_may_break_within_a_long_name(paper: Manuscript) -> None:
    cells = [line for line in "\n".join(source(paper)).splitlines() if line.startswith("[#") and "averylon" in line]
    assert cells
    assert all(METRIC not in line and METRIC in line.replace("\u200b", "") for line in cells)
    assert max(map(len, re.split('[\u200b" ]', " ".join(cells)))) <= 20


def test_without_metrics_no_note_says_where_they_are_not_shown() -> None:
    left_out = {"facets_left_out": {"category": "one value has only 2 items; at least 20 are needed"}}
    for metrics in ((), ("clip",)):
        found = [notice.text for notice in notices(study_document(study_data(metrics=metrics), **left_out))]
        assert any("not shown by" in text for text in found) == bool(metrics)


def test_of_two_kinds_the_fewer_are_named() -> None:
    n = {"prompts": 1, "raters": 2, "prompts and raters": 1}
    assert too_few("prompts and raters", n).startswith("1 prompt cannot represent others")
    assert too_few("prompts and raters", n | {"prompts": 2}).startswith("2 raters cannot")
    assert too_few("raters", {"raters": 1}).startswith("1 rater cannot")


def test_many_pairs_of_methods_make_no_picture_taller_than_a_page() -> None:
    methods = [f"model {n:02d}" for n in range(9)]
    paper = manuscript(study_document(study_data(methods=methods, n_prompts=8, values=range(1, 13))))
    (tall,) = [figure for figure in paper.figures if "differences-of-methods" in figure.name]
    _, _, width, height = map(float, re.findall('viewBox="(.*?)"', tall.wide)[0].split())
    assert height <= 1.2 * width
    assert "first 24 of 36 pairs" in "".join(source(paper))


def test_a_picture_that_is_taller_than_a_page_is_made_as_high_as_one() -> None:
    paper = manuscript(study_document(study_data(n_raters=40)))
    lines = [line for line in source(paper) if "severity" in line]
    assert lines
    assert all("height: 600pt" in line for line in lines if "image(" in line)
