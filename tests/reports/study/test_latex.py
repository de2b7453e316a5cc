"""LaTeX tables: figures of the document, labels of their own, and no table wider than its place."""

import re
from typing import Any

import pytest

from annotations.reports.documents.study import StudyDocument
from annotations.reports.study.latex import latex
from annotations.reports.tex import escape, name
from tests.reports.study.documents import edited, study_data, study_document

LONG = (
    "stable-diffusion-3.5-large-turbo_cfg7.5_steps28_seed123456",
    "a baseline with a rather long name of many words",
)


@pytest.fixture(scope="module")
def made() -> StudyDocument:
    data = study_data(
        [("alignment", "ordinal"), ("alignment-detail", "nominal")], metrics=["clip_score", "image reward"]
    )
    document = study_document(data, title="Do {these} match?\n\\input{x}")
    return edited(document, lambda found: found["dimensions"][0].update(question="100% of A & B?"))


def tabulars(text: str) -> list[tuple[str, str]]:
    return re.findall(r"\\begin\{tabular\}\{(.*?)\}\n(.*?)\\end\{tabular\}", text, re.DOTALL)


@pytest.mark.parametrize("is_short", [False, True])
def test_every_table_is_whole(made: StudyDocument, is_short: bool) -> None:
    text = latex(made, is_short=is_short)
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 6
    assert text.count(r"\begin{table}") == (6 if is_short else 0)
    for columns, body in tabulars(text):
        n_columns = len(re.sub(r"@\{\}|p\{[^}]*\}", lambda found: "p" if found[0][0] == "p" else "", columns))
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert len(rows) > 1
        for row in rows:
            if r"\multicolumn" not in row:
                assert len(re.findall(r"(?<!\\)&", row)) == n_columns - 1


def test_tables_have_the_documents_figures(made: StudyDocument) -> None:
    text = latex(made)
    dimension = made.dimensions[0]
    alpha = next(one for one in dimension.agreement if one.statistic == "krippendorff_alpha_ordinal")
    assert f"${alpha.value:.3f}$" in text
    comparison = dimension.comparisons[0]
    assert f"{comparison.wins}/{comparison.ties}/{comparison.losses}" in text
    assert r"refined \#2 $-$ base\_line ($n = 10$)" in text
    assert r"100\% of A \& B?" in text
    spearman = dimension.board.metrics[0].estimates
    rho = next(one for one in spearman if one.statistic == "spearman")
    assert f"${rho.value:.3f}$" in text
    assert r"{\raggedright clip\_score}} & $" in text
    assert "its 95\\% interval; $n = 20$." in text


@pytest.mark.slow
def test_labels_are_unique_per_question_and_study() -> None:
    labels: list[str] = []
    for seed, title in ((1, "First"), (2, "Second"), (3, "Analysis of ratings.csv"), (4, "Analysis of ratings.csv")):
        data = study_data([("quality", "ordinal"), ("quality-means", "ordinal"), ("質", "nominal")], seed=seed)
        labels += re.findall(r"\\label\{(.*?)\}", latex(study_document(data, title=title)))
    assert len(labels) == len(set(labels)) == 4 * 8
    assert all(re.fullmatch(r"tab:[a-z0-9-]+", label) for label in labels)


@pytest.mark.parametrize(("is_short", "room_pt"), [(False, 345.0), (True, 229.5)])
def test_no_table_is_wider_than_its_place(is_short: bool, room_pt: float) -> None:
    """In `article` at 10 pt a page's text is 345 pt wide, a column of two 229.5 pt."""
    data = study_data(
        [("alignment", "ordinal"), ("choice", "nominal")],
        methods=LONG,
        metrics=["clip", LONG[0], LONG[1]],
        n_prompts=30,
    )

    def widen(found: dict[str, Any]) -> None:
        found["dimensions"][0]["means"][0] |= {"n_ratings": 1_234_567, "n_prompts": 12_345}
        found["dimensions"][0]["comparisons"][0] |= {"wins": 1234, "ties": 1234, "losses": 1234}
        for estimate in found["dimensions"][0]["agreement"]:
            estimate["value"] = -0.5
            for interval in estimate["intervals"]:
                interval |= {"low": -0.999, "high": -0.111}

    found = tabulars(latex(edited(study_document(data), widen), is_short=is_short))
    assert len(found) == 6
    for columns, body in found:
        assert width_of(columns, body, room_pt) <= room_pt, body


LETTER_PT, THIN_PT = 4.25, 2.4
"""The width of a digit or an average letter of Computer Modern at 8 pt (\\footnotesize), and of punctuation."""


def width_of(columns: str, body: str, line_pt: float) -> float:
    """About how wide a tabular is: its columns of text as declared, the others as wide as their widest cell."""
    kinds = re.findall(r"p\{([0-9.]*)\\linewidth\}|(r)", columns)
    rows = [line.removesuffix(r"\\").split("&") for line in body.splitlines() if line.endswith(r"\\")]
    single = [row for row in rows if len(row) == len(kinds) and r"\multicolumn" not in row[0]]
    width = 6.0 * (len(kinds) - 1)
    for place, (share, _) in enumerate(kinds):
        width += float(share) * line_pt if share else max(text_width(row[place]) for row in single)
    headings = [text_width(row[0]) for row in rows if r"\multicolumn" in row[0] and "{l@{}}" in row[0]]
    return max([width, *headings])


def text_width(cell: str) -> float:
    cell = re.sub(r"\\multicolumn\{\d\}\{.*?\}\}|\\[a-z]+ ?|[${}]", "", cell).strip()
    return sum(THIN_PT if letter in "[],.;:'()" else 6.6 if letter in "+-<" else LETTER_PT for letter in cell)


@pytest.mark.parametrize("is_short", [False, True])
def test_a_table_too_tall_for_a_page_becomes_several(made: StudyDocument, is_short: bool) -> None:
    names = [f"metric {number}" for number in range(60)]

    def many(found: dict[str, Any]) -> None:
        board = found["dimensions"][0]["board"]
        board["metrics"] = [board["metrics"][0] | {"metric": one} for one in names]

    text = latex(edited(made, many), is_short=is_short)
    tables = [part for part in text.split(r"\begin{table")[1:] if "Automatic metrics" in part]
    labels = [re.findall(r"\\label\{(.*?)\}", part)[0] for part in tables]
    assert len(set(labels)) == len(tables) > 1
    assert [int(label.rpartition("-metrics-")[2]) for label in labels[1:]] == list(range(2, len(tables) + 1))
    assert re.findall(r"metric \d+", "".join(tables)) == names
    for number, part in enumerate(tables, start=1):
        assert f"Part {number} of {len(tables)}." in part
        assert part.count("\\\\\n") * 9.5 < 550


def test_titles_stay_comments(made: StudyDocument) -> None:
    assert latex(made).splitlines()[0] == r"% Do {these} match? \input{x}"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b & c", r"a\_b \& c"),
        ("50% of $x", r"50\% of \$x"),
        (r"\input{/etc}", r"\textbackslash{}input\{/etc\}"),
        ("two\nlines", "two lines"),
        ("~^#<>|", r"\textasciitilde{}\textasciicircum{}\#\textless{}\textgreater{}\textbar{}"),
        ("Ünïcode α", r"Ünïcode $\alpha$"),
        ("−0.5 ± 1", r"$-$0.5 $\pm$ 1"),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_a_long_word_may_break_and_says_the_same() -> None:
    broken = name(r"a stable_diffusion_3_5_large_turbo\x")
    assert broken.replace(r"\allowbreak{}", "") == escape(r"a stable_diffusion_3_5_large_turbo\x")
    assert max(map(len, broken.replace(r"\_", "_").split(r"\allowbreak{}"))) <= 30


@pytest.mark.parametrize("is_short", [False, True])
def test_many_methods_have_their_model_letters_and_fair_averages(is_short: bool) -> None:
    made = study_document(study_data(methods=("one", "two_2", "three"), n_prompts=12, n_raters=4))
    text = latex(made, is_short=is_short)
    (dimension,) = made.dimensions
    best, pair = dimension.model.methods[0], dimension.model.pairs[0]
    fair = next(one.mean for one in dimension.support.adjusted.methods if one.method == best.method)
    assert f"${best.effect:+.2f}$ & {best.letters} & ${fair.value:.2f}$" in text
    assert r"two\_2" in text
    assert "-methods}" in text
    assert ("-method-pairs}" in text) is not is_short
    if not is_short:
        low, high = pair.log_odds.intervals[0].low, pair.log_odds.intervals[0].high
        assert f"${pair.log_odds.value:+.2f}$ & $[{low:.2f}, {high:.2f}]$ & ${pair.odds_ratio:.2f}$" in text
        assert text.count(r"\begin{longtable}") + text.count(r"\begin{tabular}") == 5
