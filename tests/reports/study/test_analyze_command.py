"""`manage.py analyze` on real, published ratings and on small files whose figures are known by hand."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.dsg_tifa160 import expected as published_figures

Table = dict[tuple[str, ...], dict[str, str]]


def table(path: Path, *key: str) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        return {tuple(row[name] for name in key): row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def published(dsg_tifa160: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The tables of the DSG and TIFA ratings, and what their authors published or was recomputed from them."""
    source, out = dsg_tifa160, tmp_path_factory.mktemp("analyze")
    call_command(
        "analyze",
        ratings=source / "ratings.csv",
        metrics=source / "metrics.csv",
        items=source / "items.csv",
        scale=["1-5"],
        compare=["sd1dot1:sd2dot1", "sd1dot1:sd1dot5", "vq-diffusion:sd2dot1"],
        seed=0,
        resamples=200,
        out=out,
        verbosity=0,
    )
    return out, published_figures()


@pytest.mark.slow
class TestPublishedRatings:
    @pytest.mark.parametrize(
        ("dimension", "block"),
        [("consistency", "agreement_dsg_5raters"), ("consistency_tifa", "agreement_tifa_2raters")],
    )
    def test_agreement(self, published: tuple[Path, dict[str, Any]], dimension: str, block: str) -> None:
        out, expected = published[0], published[1][block]
        found = table(out / "agreement.csv", "dimension", "statistic")

        def value(statistic: str) -> float:
            return float(found[dimension, statistic]["value"])

        for kind in ("nominal", "ordinal", "interval"):
            assert value(f"krippendorff_alpha_{kind}") == pytest.approx(expected[f"alpha_{kind}"], abs=1e-6)
        assert value("fleiss_kappa_complete_items") == pytest.approx(expected["fleiss_kappa_complete_items"], abs=1e-6)
        for name, icc in expected["ICC_complete_items"].items():
            statistic = name.lower().replace("(", "_").replace(",", "_").replace(")", "")
            assert value(statistic) == pytest.approx(icc, abs=1e-6), name
        row = found[dimension, "krippendorff_alpha_ordinal"]
        assert (int(row["n_units"]), int(row["n_raters"]), int(row["n_ratings"])) == (
            expected["items"],
            expected["raters"],
            expected["ratings"],
        )
        assert int(found[dimension, "icc_a_1"]["n_units"]) == expected["complete_items"]
        assert row["ci_units_low"] < row["value"] < row["ci_units_high"]

    def test_correlations(self, published: tuple[Path, dict[str, Any]]) -> None:
        out, expected = published
        found = table(out / "metrics.csv", "metric", "dimension", "statistic")
        for row in expected["correlations_vs_dsg5"]:
            for statistic in ("spearman", "kendall_tau_b", "pearson"):
                value = float(found[row["metric"], "consistency", statistic]["value"])
                assert value == pytest.approx(row[statistic], abs=1e-6), (row["metric"], statistic)
        for row in expected["correlations_vs_tifa2"]:
            for statistic, name in (("true_spearman", "spearman"), ("kendall_tau_b",) * 2, ("pearson",) * 2):
                value = float(found[row["metric"], "consistency_tifa", name]["value"])
                assert value == pytest.approx(row[statistic], abs=1e-6), (row["metric"], name)

    def test_comparisons(self, published: tuple[Path, dict[str, Any]]) -> None:
        out, expected = published
        found = table(out / "comparisons.csv", "dimension", "baseline", "refined")
        for row in expected["paired_dsg5"]:
            figures = found["consistency", row["baseline"], row["refined"]]
            for theirs, ours in (("mean_diff",) * 2, ("t",) * 2, ("wilcoxon_W", "wilcoxon_w")):
                assert float(figures[ours]) == pytest.approx(row[theirs], abs=1e-6)
            for p in ("t_p", "wilcoxon_p"):
                assert float(figures[p]) == pytest.approx(row[p], rel=1e-6)
            counts = [int(figures[name]) for name in ("n", "wins", "ties", "losses")]
            assert counts == [row["n"], row["wins"], row["ties"], row["losses"]]
            # Other prompts and other raters at once: wider than other prompts alone.
            both_low, both_high = (float(figures[f"prompts_and_raters_{end}"]) for end in ("low", "high"))
            assert both_low < float(figures["low"]) < float(figures["high"]) < both_high

    def test_means(self, published: tuple[Path, dict[str, Any]]) -> None:
        out, expected = published
        rows = [
            row for row in table(out / "means.csv", "dimension", "method").values() if row["dimension"] == "consistency"
        ]
        total = sum(float(row["mean"]) * int(row["n_ratings"]) for row in rows)
        mean = total / sum(int(row["n_ratings"]) for row in rows)
        assert mean == pytest.approx(expected["agreement_dsg_5raters"]["mean"], abs=1e-6)
        assert all(float(row["low"]) < float(row["mean"]) < float(row["high"]) for row in rows)

    def test_the_report_is_self_contained_and_says_what_made_it(self, published: tuple[Path, dict[str, Any]]) -> None:
        assert {"report.pdf", "report.docx", "methods.tex"} <= {path.name for path in published[0].iterdir()}
        text = (published[0] / "report.html").read_text()
        document = json.loads((published[0] / "report.json").read_text())
        assert "ordinal alpha 0.69" in text
        assert "<svg" in text
        assert not [word for word in ("<script", "http-equiv", 'src="', "@import", "url(") if word in text]
        assert document["made"]["seed"] == 0
        assert len(document["made"]["inputs_hash"]) == 64


@pytest.fixture
def analyze(tmp_path: Path) -> Callable[..., Path]:
    def run(ratings: str, **options: Any) -> Path:
        (tmp_path / "R.csv").write_text(ratings)
        for name in ("items", "metrics"):
            if name in options:
                (tmp_path / f"{name}.csv").write_text(options[name])
                options[name] = tmp_path / f"{name}.csv"
        out = tmp_path / "out"
        plain = {"ratings": tmp_path / "R.csv", "scale": ["1-5"], "out": out, "resamples": 50, "quick": True}
        call_command("analyze", **plain | options)
        return out

    return run


def test_a_pencil_and_paper_alpha(analyze: Callable[..., Path]) -> None:
    # Two raters, values 1,1 / 1,2 / 2,2: eight values… six: n1 = 3, n2 = 3, one unit disagrees.
    # Observed disagreement 2 of 6 pairable values = 1/3; expected 2·3·3 / (6·5) = 3/5; alpha = 1 − (1/3)/(3/5) = 4/9.
    out = analyze("item,rater,value\na,x,1\na,y,1\nb,x,1\nb,y,2\nc,x,2\nc,y,2\n")

    found = table(out / "agreement.csv", "dimension", "statistic")
    assert float(found["rating", "krippendorff_alpha_nominal"]["value"]) == pytest.approx(4 / 9)


def test_the_terminal_says_which_method_is_better(
    analyze: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"p{p}_{m},r{r},{value + p % 2}" for p in range(6) for r in range(3) for m, value in (("a", 1), ("b", 4))]
    items = "item,prompt,method\n" + "".join(f"p{p}_{m},p{p},{m}\n" for p in range(6) for m in "ab")
    analyze("item,rater,value\n" + "\n".join(rows) + "\n", items=items, compare=["a:b"])
    assert "b is rated 3.00 higher than a (no interval: all differences are equal; " in capsys.readouterr().out


def test_the_only_two_methods_are_compared_and_the_direction_is_said(
    analyze: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [(p, r, m) for p in range(6) for r in range(3) for m in "ab"]
    rows = [f"p{p}_{m},r{r},{'ab'.index(m) * 3 + 1 + (p + r) % 2}" for p, r, m in cells]
    items = "item,prompt,method\n" + "".join(f"p{p}_{m},p{p},{m}\n" for p in range(6) for m in "ba")
    out = analyze("item,rater,value\n" + "\n".join(rows) + "\n", items=items, margin=0.3)
    said = capsys.readouterr().out
    assert "b is rated 3.00 higher than a (" in said
    assert "b is compared with a, since there are only two methods." in said
    with (out / "comparisons.csv").open() as file:
        assert [(row["baseline"], row["refined"]) for row in csv.DictReader(file)] == [("a", "b")]
    analyze("item,rater,value\n" + "\n".join(rows) + "\n", items=items, compare=["b:a"])
    said = capsys.readouterr().out
    assert "a is rated 3.00 lower than b (" in said
    assert "since there are only two methods" not in said


def test_without_prompts_means_are_over_items(analyze: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """A file without prompts cannot say anything over prompts."""
    out = analyze("item,rater,value\n" + "".join(f"i{i},r{r},{(i * r) % 5 + 1}\n" for i in range(20) for r in range(3)))
    assert "on a scale from 1 to 5 (95% interval over items " in capsys.readouterr().out
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "thick: 95% interval over items, thin: over raters" in report
    assert "over prompts" not in report
    assert "Over items & Over raters & Items" in (out / "report.tex").read_text(encoding="utf-8")


def test_what_cannot_be_estimated_says_why(analyze: Callable[..., Path]) -> None:
    out = analyze("item,rater,value\na,x,3\nb,x,3\n")

    row = table(out / "agreement.csv", "dimension", "statistic")["rating", "krippendorff_alpha_ordinal"]
    assert row["value"] == ""
    assert row["note"]


def test_the_same_seed_gives_the_same_files(analyze: Callable[..., Path]) -> None:
    ratings = "item,rater,value\n" + "".join(
        f"i{i},r{j},{(i * j + i + j) % 5 + 1}\n" for i in range(30) for j in range(4)
    )
    first = (analyze(ratings) / "agreement.csv").read_text()
    again = (analyze(ratings) / "agreement.csv").read_text()
    other = (analyze(ratings, seed=1) / "agreement.csv").read_text()

    assert first == again
    assert first != other


def test_excluded_rows_are_listed_with_their_cure(analyze: Callable[..., Path]) -> None:
    ratings = "item,rater,value\na,x,1\na,y,41\nb,x,2\nb,y,3\n"
    with pytest.raises(CommandError, match=r"R\.csv, row 3, value: 41 is not on the scale.*--on-bad-value exclude"):
        analyze(ratings)

    out = analyze(ratings, on_bad_value="exclude")

    [row] = list(csv.DictReader((out / "excluded.csv").open()))
    assert (row["row"], row["field"], row["value"]) == ("3", "value", "41")
    assert "left out" in (out / "report.html").read_text().lower()


def test_figures_by_facet_have_names_of_their_own(analyze: Callable[..., Path]) -> None:
    n = 60
    ratings = "item,rater,value\n" + "".join(f"i{i},r{j},{(i + j) % 5 + 1}\n" for i in range(n) for j in range(3))
    items = "item,prompt,method,kind\n" + "".join(f"i{i},p{i // 2},m{i % 2},{'xy'[i % 2]}\n" for i in range(n))
    metrics = "item,metric,value\n" + "".join(f"i{i},clip,{i % 7}\n" for i in range(n))
    out = analyze(ratings, items=items, metrics=metrics)

    with (out / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = [(row["metric"], row["dimension"], row["statistic"]) for row in rows]
    assert len(names) == len(set(names)), "a table read by name must not meet a name twice"
    assert ("clip", "rating", "spearman[kind=x]") in names


BOTH = "item,prompt,method\na,p,a\nb,p,b\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"compare": ["a"]}, "BASELINE:REFINED"),
        ({"compare": ["a:b"]}, r"no item has a method or a prompt: give an items file \(--items\)"),
        ({"compare": ["a:b"], "items": "item,method\na,a\n"}, "no item has a prompt: .* with a column prompt"),
        ({"margin": 0.3}, "--margin is for comparisons: name one with --compare BASELINE:REFINED"),
        ({"margin": 4.0, "compare": ["a:b"], "items": BOTH}, "--margin 4 is at least as wide as the scale of rating"),
        ({"scale": ["speed=1-5"]}, "no scale is declared"),
        ({"scale": ["five"]}, "is not a scale; write a range"),
    ],
)
def test_bad_arguments_say_the_cure(analyze: Callable[..., Path], options: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        analyze("item,rater,value\na,x,1\na,y,2\n", **options)


def test_votes_have_no_margin_of_mean_ratings(tmp_path: Path) -> None:
    votes = tmp_path / "V.csv"
    votes.write_text("method_a,method_b,winner\na,b,a\n")
    with pytest.raises(CommandError, match="--margin is for --ratings"):
        call_command("analyze", votes=votes, margin=0.3, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_names_from_files_cannot_break_out_of_the_report(analyze: Callable[..., Path]) -> None:
    out = analyze(
        "item,rater,dimension,value\na,<b>x</b>,<script>alert(1)</script>,1\na,=1+1,<script>alert(1)</script>,2\n"
    )

    text = (out / "report.html").read_text()
    assert "<script>" not in text
    assert "<b>x" not in text
    raters = (out / "raters.csv").read_text()
    assert "\n=1+1" not in raters
    assert ",=1+1" not in raters
