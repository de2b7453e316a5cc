"""Questions and comparisons from files: read as the export wrote them, and refused with the row and the cure."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotations.reports.study.files.questions import (
    QUESTION_COLUMNS,
    question_rows,
    read_comparisons,
    read_questions,
)
from annotations.reports.study.scales import Scales
from exchange.export import csv_chunks
from exchange.rejects import BadFile, RejectLog
from tests.reports.study.documents import study_data

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(text: str) -> Path:
        path = tmp_path / "questions.csv"
        path.write_text(text, newline="")
        return path

    return written


def test_what_was_written_is_read(write: Write) -> None:
    data = study_data([("z", "nominal"), ("a", "ordinal"), ("=m", "preference")], values=[-0.5, 0, 0.1, 1e6, 1234567.5])
    found = read_questions(
        write("".join(csv_chunks(QUESTION_COLUMNS, question_rows(data.dimensions)))), Scales(), RejectLog()
    )

    assert list(found.by_dimension) == ["z", "a", "=m"]
    for dimension in data.dimensions:
        question = found.of(dimension.name)
        assert [float(value) for value in question.values] == dimension.ratings.values.tolist()
        assert (question.kind, question.labels, question.words) == (dimension.kind, (), "")


def test_labels_and_words_and_their_absence(write: Write) -> None:
    text = 'dimension,value,label,question\nq,1,"no, not",Is it?\nq,2,yes,Is it?\np,0,,\np,1,,\n'
    found = read_questions(write(text), Scales.parse(["x=1-3"]), RejectLog())

    assert found.of("q").labels == ("no, not", "yes")
    assert found.of("q").words == "Is it?"
    assert found.of("p").labels == ()
    assert len(found.of("x").values) == 3
    assert found.in_order(["a", "p", "q", "x"]) == ["q", "p", "x", "a"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "there is no question in it"),
        ("q,1,ordinal,\n", "fewer than two levels"),
        ("q,2,ordinal,\nq,1,ordinal,\n", "ascend, each once; list every level once, the lowest first"),
        ("q,1,ordinal,\nq,two,ordinal,\n", 'row 3, value "two": this is not a number'),
        ("q,1,ordinal,\nq,2,nominal,\n", "row 3, kind: 'q' has another kind in row 2"),
        ("q,1,nominal,A?\nq,2,nominal,B?\n", "row 3, question: 'q' has another question in row 2"),
        ("q,1,odd,\nq,2,odd,\n", "'odd' is not a kind of question"),
        (",1,ordinal,\n", "row 2, dimension: the dimension is missing"),
        ("declared,1,ordinal,\ndeclared,2,ordinal,\n", "'declared' is declared by --scale as well"),
    ],
)
def test_what_cannot_be_a_question_is_refused(write: Write, rows: str, said: str) -> None:
    with pytest.raises(BadFile, match=said.replace("?", r"\?")):
        read_questions(write("dimension,value,kind,question\n" + rows), Scales.parse(["declared=1-2"]), RejectLog())


def test_comparisons_keep_their_order_and_lack_no_name(write: Write) -> None:
    path = write("baseline,refined\nb: 1,a\nb,c\nb: 1,a\n")
    assert read_comparisons(path, RejectLog()) == [("b: 1", "a"), ("b", "c")]
    with pytest.raises(BadFile, match="row 2, refined: the refined is missing"):
        read_comparisons(write("baseline,refined\nb,\n"), RejectLog())


@pytest.fixture
def analyze(tmp_path: Path) -> Callable[..., str]:
    def run(**options: Any) -> str:
        ratings = [
            f"i{i},r{r},{'dt'[d]},{(i * (r + 1) + d) % 3 + 1}" for i in range(12) for r in range(3) for d in (0, 1)
        ]
        (tmp_path / "R.csv").write_text("item,rater,dimension,value\n" + "\n".join(ratings))
        call_command("analyze", ratings=tmp_path / "R.csv", out=tmp_path / "out", resamples=50, quick=True, **options)
        return (tmp_path / "out/agreement.csv").read_text()

    return run


def test_each_question_gets_the_statistics_of_its_kind(
    analyze: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    table = analyze(scale=["d=nominal:1-3", "t=slider:1-3"])

    said = capsys.readouterr().out
    assert "d: 36 ratings of 12 items by 3 raters; too few to say how well such raters agree" in said
    assert "interval of nominal alpha over raters" in said
    assert "interval of interval alpha over raters" in said
    rows = [line.split(",")[:2] for line in table.splitlines()]
    assert [name for dimension, name in rows if dimension == "d"] == [
        "krippendorff_alpha_nominal",
        "fleiss_kappa",
        "gwet_ac1",
        "brennan_prediger",
        "percent_agreement",
        "conger_kappa",
        "fleiss_kappa_complete_items",
    ]
    assert [name for dimension, name in rows if dimension == "t"] == [
        *(f"krippendorff_alpha_{difference}" for difference in ("nominal", "ordinal", "interval", "ratio")),
        *("fleiss_kappa", "gwet_ac1", "gwet_ac2_linear", "gwet_ac2_quadratic", "gwet_ac2_ordinal", "brennan_prediger"),
        *("percent_agreement", "percent_agreement_within_one", "icc_1_1_unbalanced"),
        *("icc_1_1", "icc_a_1", "icc_c_1", "icc_1_k", "icc_a_k", "icc_c_k", "kendall_w"),
        *("conger_kappa", "fleiss_kappa_complete_items"),
    ]


def test_without_any_scale_the_cure_is_named(analyze: Callable[..., str]) -> None:
    with pytest.raises(CommandError, match="--scale 1-5, or --questions FILE"):
        analyze()
