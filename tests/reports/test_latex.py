"""LaTeX tables: figures of the document, nothing that breaks a paper."""

import re

import numpy as np
import pytest

from annotations.reports.analysis import Options, analyse
from annotations.reports.data import StudyData, dimension_data
from annotations.reports.document import document
from annotations.reports.latex import escape, latex


@pytest.fixture(scope="module")
def made() -> dict[str, object]:
    rng = np.random.default_rng(5)
    n_items = 20
    unit = np.repeat(np.arange(n_items), 3)
    level = np.clip(unit % 2 + rng.integers(0, 4, len(unit)), 0, 4)
    dimension = dimension_data(
        "alignment",
        unit=unit,
        rater=np.tile(np.arange(3), n_items),
        level=level,
        values=[1, 2, 3, 4, 5],
        rater_names=["x", "y", "z"],
        n_units=n_items,
        question="100% of A & B?",
    )
    data = StudyData(
        [f"u{i:02d}" for i in range(n_items)],
        [dimension],
        np.arange(n_items) // 2,
        [f"p{i}" for i in range(n_items // 2)],
        np.arange(n_items) % 2,
        ["base_line", "refined #2"],
    )
    results = analyse(data, Options(n_resamples=50, n_permutations=50, comparisons=[("base_line", "refined #2")]))
    return document(results, title="Do {these} match?\n\\input{x}", code_version="1", made_at="now")


def test_every_table_is_whole_and_has_the_document_s_figures(made: dict[str, object]) -> None:
    text = latex(made)
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 3
    for columns, body in re.findall(r"\\begin\{tabular\}\{(\w+)\}(.*?)\\end\{tabular\}", text, re.DOTALL):
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert len(rows) > 1
        for row in rows:
            assert len(re.findall(r"(?<!\\)&", row)) == len(columns) - 1
    dimension = made["dimensions"][0]  # type: ignore[index]
    alpha = next(one for one in dimension["agreement"] if one["statistic"] == "krippendorff_alpha_ordinal")
    assert f"${alpha['value']:.3f}$" in text
    comparison = dimension["comparisons"][0]
    assert f"{comparison['wins']}/{comparison['ties']}/{comparison['losses']}" in text
    assert r"refined \#2 $-$ base\_line" in text
    assert r"100\% of A \& B?" in text


def test_titles_stay_comments(made: dict[str, object]) -> None:
    assert latex(made).splitlines()[0] == r"% Do {these} match? \input{x}"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b & c", r"a\_b \& c"),
        ("50% of $x", r"50\% of \$x"),
        (r"\input{/etc}", r"\textbackslash{}input\{/etc\}"),
        ("two\nlines", "two lines"),
        ("~^#<>|", r"\textasciitilde{}\textasciicircum{}\#\textless{}\textgreater{}\textbar{}"),
        ("Ünïcode α", "Ünïcode α"),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    assert escape(text) == escaped
