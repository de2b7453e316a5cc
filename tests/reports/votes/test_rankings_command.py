"""`manage.py analyze --rankings`: from a file of rankings, in any of their shapes, to the figures on methods."""

import csv
import io
import json
import random
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.reports.votes.test_votes_command import rows

METHODS = ("dalle3", "flux", "sdxl")


def analyze(folder: Path, text: str, *more: str, is_quick: bool = True) -> str:
    source = folder / "rankings.csv"
    source.write_text(text, encoding="utf-8")
    said = io.StringIO()
    arguments = ["--rankings", str(source), "--out", str(folder / "out"), *more]
    call_command("analyze", *arguments, quick=is_quick, stdout=said)
    return said.getvalue()


def orders(n_prompts: int = 12, n_raters: int = 3) -> list[tuple[str, str, list[str]]]:
    """(prompt, rater, methods from best to worst)."""
    rng = random.Random(1)
    return [(f"p{p}", f"r{r}", rng.sample(METHODS, 3)) for p in range(1, n_prompts + 1) for r in range(1, n_raters + 1)]


def by_place() -> str:
    return "\n".join(["prompt,rater,1st,2nd,3rd", *(",".join([p, r, *order]) for p, r, order in orders())])


def by_method() -> str:
    lines = [f"prompt,rater,{','.join(METHODS)}"]
    lines += [",".join([p, r, *(str(order.index(m) + 1) for m in METHODS)]) for p, r, order in orders()]
    return "\n".join(lines)


def by_rank() -> str:
    lines = ["prompt,rater,method,rank"]
    lines += [f"{p},{r},{method},{at}" for p, r, order in orders() for at, method in enumerate(order, start=1)]
    return "\n".join(lines)


def by_item(form: str = "{p}_{m}") -> str:
    lines = ["item,rater,dimension,value"]
    for p, r, order in orders():
        lines += [f"{form.format(p=p, m=m)},{r},ranking,{at}" for at, m in enumerate(order, start=1)]
    return "\n".join(lines)


def as_text() -> str:
    return "\n".join(["prompt,rater,ranking", *(f"{p},{r},{' > '.join(order)}" for p, r, order in orders())])


def test_without_quick_there_are_all_files(tmp_path: Path) -> None:
    analyze(tmp_path, by_place(), is_quick=False)
    assert {"report.pdf", "report.docx", "methods.tex"} <= {path.name for path in (tmp_path / "out").iterdir()}


def test_the_paper_names_the_model_that_was_fitted_and_its_sources(tmp_path: Path) -> None:
    best_worst = ["prompt,rater,best,worst,shown", *(f"{p},{r},{a},{c},{a}; {b}; {c}" for p, r, (a, b, c) in orders())]
    for text, model, key in (
        (by_place(), "Plackett--Luce model", "plackett1975"),
        ("\n".join(best_worst), "sequential best--worst choice", "marley2005"),
    ):
        analyze(tmp_path, text, is_quick=False)
        written = (tmp_path / "out" / "methods.tex").read_text(encoding="utf-8").replace("–", "--")
        assert model in written
        assert key in written
        assert "Bradley" not in written
        assert f"{{{key}," in (tmp_path / "out" / "references.bib").read_text(encoding="utf-8")


class TestShapes:
    @pytest.mark.parametrize(
        "text", [by_method(), by_rank(), by_item(), by_item("{m}-{p}.png"), as_text(), as_text().replace(" > ", "; ")]
    )
    def test_every_shape_gives_the_same_figures(self, text: str, tmp_path: Path) -> None:
        names = ("strengths", "preferences", "preference_tests")
        analyze(tmp_path, by_place())
        right = [sorted(map(str, rows(tmp_path, name))) for name in names]
        analyze(tmp_path, text)
        for name, expected in zip(names, right, strict=True):
            found = rows(tmp_path, name)
            assert len(found) == len(expected)
            if name == "strengths":
                wanted = {row["method"]: row for row in self._of(expected)}
                for row in found:
                    for column in ("strength", "low", "mean_rank", "firsts", "worth"):
                        assert float(row[column]) == pytest.approx(float(wanted[row["method"]][column]), abs=1e-9)

    def _of(self, texts: list[str]) -> list[dict[str, str]]:
        import ast

        return [ast.literal_eval(text) for text in texts]

    def test_items_whose_names_say_nothing_need_an_items_file(self, tmp_path: Path) -> None:
        text, items = ["item,rater,rank"], ["item,prompt,method"]
        for number, (p, m) in enumerate((p, m) for p in range(4) for m in METHODS):
            items.append(f"{number}x,p{p},{m}")
            text.append(f"{number}x,r1,{number % 3 + 1}")
        with pytest.raises(CommandError, match=r"(?s)item.*--items FILE"):
            analyze(tmp_path, "\n".join(text))
        (tmp_path / "items.csv").write_text("\n".join(items))
        # One and the same order everywhere: nothing can be ranked, but the mean ranks stand.
        analyze(tmp_path, "\n".join(text), "--items", str(tmp_path / "items.csv"))
        assert {row["method"]: float(row["mean_rank"]) for row in rows(tmp_path, "strengths")} == {
            "dalle3": 1.0,
            "flux": 2.0,
            "sdxl": 3.0,
        }

    def test_ties_are_taken_in_any_spelling(self, tmp_path: Path) -> None:
        figures = []
        for ties in ("a,b,c\n1,2,2\n1,1,3\n2,3,1\n3,2,1\n", "a,b,c\n1,2.5,2.5\n1.5,1.5,3\n2,3,1\n3,2,1\n"):
            lines = ["prompt," + ties.split("\n")[0], *(f"p{i},{row}" for i, row in enumerate(ties.split("\n")[1:-1]))]
            analyze(tmp_path, "\n".join(lines))
            figures.append([(row["method"], row["mean_rank"], row["strength"]) for row in rows(tmp_path, "strengths")])
        assert figures[0] == figures[1]

    def test_best_and_worst(self, tmp_path: Path) -> None:
        lines = ["prompt,rater,best,worst,shown"]
        for p, r, order in orders():
            lines.append(f"{p},{r},{order[0]},{order[2]},{';'.join(METHODS)}")
        said = analyze(tmp_path, "\n".join(lines))
        assert "ranking: " in said
        best = {row["method"]: int(row["firsts"]) for row in rows(tmp_path, "strengths")}
        assert best == {m: sum(order[0] == m for *_, order in orders()) for m in METHODS}
        document = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
        assert document["preferences"][0]["kind"] == "best_worst"


class TestScreenAndCategories:
    """Columns that any shape may have."""

    def places(self) -> list[list[str]]:
        rng = random.Random(5)
        return [rng.sample(METHODS, 3) for _ in orders()]

    def test_the_order_on_the_screen_means_the_same_in_every_shape(self, tmp_path: Path) -> None:
        wide, long = ["prompt,rater,1st,2nd,3rd,screen_order"], ["prompt,rater,method,rank,screen_position"]
        for (p, r, order), screen in zip(orders(), self.places(), strict=True):
            wide.append(f"{p},{r},{','.join(order)},{'; '.join(screen)}")
            long += [f"{p},{r},{m},{at},{screen.index(m) + 1}" for at, m in enumerate(order, start=1)]
        figures = []
        for text in (wide, long):
            analyze(tmp_path, "\n".join(text))
            document = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
            figures.append(document["preferences"][0]["side"])
        assert figures[0] == figures[1]
        assert figures[0]["method"] == "log odds that each place further forward adds"
        assert rows(tmp_path, "preferences")[0]["left_share"]
        page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
        assert "Each place further forward on the screen adds" in page

    def test_strengths_by_category(self, tmp_path: Path) -> None:
        lines = ["prompt,rater,ranking,category"]
        for p, r, order in orders():
            best_first = METHODS if int(p[1:]) % 2 else METHODS[::-1]
            kept = order if r == "r1" else list(best_first)
            lines.append(f"{p},{r},{' > '.join(kept)},{'text' if int(p[1:]) % 2 else 'people'}")
        analyze(tmp_path, "\n".join(lines))
        found = rows(tmp_path, "strengths_by_category")
        assert (found[0]["category"], found[0]["method"]) == ("people", "sdxl")
        assert {row["n_prompts"] for row in found} == {"6"}
        assert len({row["interaction_p"] for row in found}) == 1
        assert float(found[0]["interaction_p"]) < 0.001
        for name in ("report.html", "report.tex"):
            assert "Welch and James" in (tmp_path / "out" / name).read_text(encoding="utf-8")

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("prompt,1st,2nd,screen_order\np1,a,b,a;a\n", r"row 2.*screen_order.*twice"),
            ("prompt,1st,2nd,screen_order\np1,a,b,a;c\n", r"row 2.*'b' is not in it"),
            ("prompt,rater,method,rank,screen_position\np,r,a,1,0\np,r,b,2,2\n", r"row 2.*Count places from 1"),
            ("prompt,rater,method,rank,screen_position\np,r,a,1,2\np,r,b,2,2\n", r"row 2.*the same place"),
        ],
    )
    def test_a_place_that_cannot_be_read_is_named(self, text: str, problem: str, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=f"(?s){problem}"):
            analyze(tmp_path, text)


def test_figures_of_rankings_against_plain_counts(tmp_path: Path) -> None:
    analyze(tmp_path, by_place())
    ranks = {m: [order.index(m) + 1 for *_, order in orders()] for m in METHODS}
    for row in rows(tmp_path, "strengths"):
        own = ranks[row["method"]]
        assert float(row["mean_rank"]) == pytest.approx(sum(own) / len(own))
        assert int(row["firsts"]) == own.count(1)
        assert int(row["wins"]) == sum(3 - rank for rank in own)
    for row in rows(tmp_path, "preferences"):
        ahead = sum(one < other for one, other in zip(ranks[row["method_a"]], ranks[row["method_b"]], strict=True))
        assert (int(row["wins"]), int(row["losses"])) == (ahead, 36 - ahead)


def test_the_report_leads_with_the_answer_and_escapes_names(tmp_path: Path) -> None:
    said = analyze(tmp_path, by_place().replace("flux", "<b>flux & 5%</b>"))
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert html.index('class="headline"') < html.index("<svg")
    assert "<b>flux" not in html
    tex = (tmp_path / "out" / "report.tex").read_text(encoding="utf-8")
    assert r"flux \& 5\%" in tex
    assert "mean rank" in said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("prompt,rater,1st,2nd\np1,r1,a,a\n", r"row 2.*2nd.*two places"),
        ("prompt,rater,1st,2nd\np1,r1,a,\n", r"row 2.*fewer than two"),
        ("prompt,rater,a,b\np1,r1,0,1\n", r"row 2.*Count ranks from 1"),
        ("prompt,rater,a,b\np1,r1,x,1\n", r"row 2, a"),
        ("prompt,rater,1st,2nd\np1,r1,a,b\np1,r1,b,a\n", r"row 3.*otherwise in row 2"),
        ("prompt,rater,ranking\np1,r1,a > a\n", r"row 2.*twice"),
        ("prompt,rater,best,worst\np1,r1,a,b\n", r"shown.*a; b; c; d"),
        ("prompt,rater,best,worst,shown\np1,r1,a,b,a;c\n", r"row 2.*worst.*not among"),
        ("prompt,rater,method,rank\np1,r1,a,1\np1,r1,a,2\np1,r1,b,3\n", r"row 3.*another rank"),
        ("prompt,rater\np1,r1\n", r"1st, 2nd, 3rd"),
        ("prompt,rater,1st,2nd\n", r"no rankings"),
    ],
)
def test_a_ranking_that_cannot_be_read_is_named_by_row_and_field(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=f"(?s){problem}"):
        analyze(tmp_path, text)


def test_ratings_that_are_rankings_are_reported(tmp_path: Path) -> None:
    source = tmp_path / "rank_long.csv"
    # A question called "rank" is refused at once; under another name ratings are taken, with a warning.
    text = by_item().replace(",ranking,", ",quality,")
    source.write_text(text, encoding="utf-8")
    said = io.StringIO()
    common = ("--scale", "1-3", "--resamples", "20", "--out", str(tmp_path / "out"), "--quick")
    call_command("analyze", "--ratings", str(source), *common, stdout=said)
    assert "These are rankings, not ratings: use --rankings rank_long.csv" in said.getvalue()
    # Ratings that only look alike, two of a level for one prompt, are ratings.
    lines = list(csv.reader(text.splitlines()))
    lines[2][3] = lines[1][3]
    source.write_text("\n".join(map(",".join, lines)), encoding="utf-8")
    said = io.StringIO()
    call_command("analyze", "--ratings", str(source), *common, stdout=said)
    assert "These are rankings" not in said.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "prompt,rater,ranking\np1,r1,a > b\np2,r1,\np3,r1,b > a\n",
        "prompt,rater,1st,2nd\np1,r1,a,b\np2,r1,,\np3,r1,b,a\n",
        "prompt,rater,a,b\np1,r1,1,2\np2,r1,,\np3,r1,2,1\n",
        "prompt,rater,best,worst,shown\np1,r1,a,b,a;b\np2,r1,,,a;b\np3,r1,b,a,a;b\n",
        "prompt,rater,method,rank\np1,r1,a,1\np1,r1,b,2\np2,r1,a,\np3,r1,a,2\np3,r1,b,1\n",
    ],
)
def test_a_row_without_a_ranking_is_a_missing_answer(text: str, tmp_path: Path) -> None:
    said = analyze(tmp_path, text)
    assert "rankings.csv: 1 row without a ranking: missing answers, which do not count." in said
    noun = "best–worst choices among" if "best" in text else "rankings of"
    assert f"2 {noun} 2 methods by 1 rater" in said


def test_what_counts_once_or_not_at_all_or_may_not_be_intended_is_named(tmp_path: Path) -> None:
    head, row = "prompt,rater,ranking,mood\n", "p1,ann,SDXL > sdxl > café,\n"
    text = f"{head}{row}{row}p2,Ann,cafe\u0301\u200b > SDXL,\n"
    said = analyze(tmp_path, text)
    assert 'the column "mood" is not used' in said
    assert "1 ranking repeats an earlier one of the same rater on the same prompt, and nothing changes." in said
    assert "method: these names differ only in case" in said
    assert "rater: these names differ only in case" in said
    assert {row["method"] for row in rows(tmp_path, "strengths")} == {"SDXL", "sdxl", "café"}


def test_a_column_of_other_numbers_is_not_taken_for_a_method(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"row 2, age.*a rank above 3, the number of methods.*remove the column"):
        analyze(tmp_path, "prompt,rater,flux,sdxl,age\np1,r1,1,2,34\np1,r2,2,1,27\n")
