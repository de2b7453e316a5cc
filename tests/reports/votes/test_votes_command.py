"""`manage.py analyze --votes`: from a file of votes to strengths, preferences and pairs."""

import csv
import io
import random
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.stats.preferences.published import DATA


def analyze(folder: Path, text: str, *more: str, is_quick: bool = True) -> str:
    source = folder / "votes.csv"
    source.write_text(text, encoding="utf-8")
    said = io.StringIO()
    arguments = ["--votes", str(source), "--out", str(folder / "out"), *more]
    call_command("analyze", *arguments, quick=is_quick, stdout=said)
    return said.getvalue()


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "out" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def preference_study(n_prompts: int = 60, n_raters: int = 3) -> str:
    """Votes of which about 80% go to the refined image and a tenth are ties."""
    rng = random.Random(0)
    lines = ["model_a,model_b,winner,rater,prompt,side"]
    for prompt in range(n_prompts):
        for rater in range(n_raters):
            drawn = rng.random()
            winner = "tie (bothbad)" if drawn > 0.9 else ("model_b" if drawn < 0.8 else "model_a")
            lines.append(f"baseline,refined,{winner},r{rater},p{prompt},{rng.choice('ab')}")
    return "\n".join(lines)


def test_a_preference_study_ends_with_one_sentence_and_its_tables(tmp_path: Path) -> None:
    said = analyze(tmp_path, preference_study(), is_quick=False)
    assert {"report.pdf", "report.docx", "methods.tex"} <= {path.name for path in (tmp_path / "out").iterdir()}
    assert "preference: refined is preferred in 8" in said
    assert "95% interval over prompts and raters" in said
    (pair,) = rows(tmp_path, "preferences")
    assert (pair["method_a"], pair["method_b"], pair["n"]) == ("refined", "baseline", "180")
    assert float(pair["low"]) > 0.5
    assert float(pair["p_prompts"]) < 1e-6
    assert 0.3 < float(pair["left_share"]) < 0.7
    strength = {row["method"]: row for row in rows(tmp_path, "strengths")}
    assert float(strength["refined"]["strength"]) == pytest.approx(-float(strength["baseline"]["strength"]))
    assert (strength["refined"]["rank_low"], strength["baseline"]["rank_high"]) == ("1", "2")
    assert int(strength["refined"]["wins"]) == int(strength["baseline"]["losses"])


@pytest.mark.parametrize("head", ["model_a,model_b,winner", "model_a,model_b,winner,rater,prompt"])
def test_two_methods_and_only_ties_have_a_report_in_every_format(tmp_path: Path, head: str) -> None:
    rows = [f"baseline,refined,tie,r{i % 4},p{i // 4}".split(",") for i in range(24)]
    said = analyze(tmp_path, "\n".join([head, *(",".join(row[: head.count(",") + 1]) for row in rows)]), is_quick=False)
    assert "All 24 votes between baseline and refined are ties." in said
    assert (tmp_path / "out" / "report.docx").stat().st_size > 0


def test_votes_of_two_methods_by_category(tmp_path: Path) -> None:
    head, *lines = preference_study().splitlines()
    analyze(tmp_path, "\n".join([f"{head},category", *(f"{line},{'ab'[at // 90]}" for at, line in enumerate(lines))]))
    found = rows(tmp_path, "preferences_by_category")
    assert [(row["category"], row["method_a"], row["n_prompts"], row["n"]) for row in found] == [
        ("a", "refined", "30", "90"),
        ("b", "refined", "30", "90"),
    ]
    assert all(float(row["p"]) <= float(row["p_holm"]) for row in found)
    assert float(found[0]["interaction_df"]) == 1
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Method × category: Welch and James" in html
    assert "p_{\\mathrm{Holm}}" in (tmp_path / "out" / "report.tex").read_text(encoding="utf-8")


def test_names_and_the_arena_convention_mean_the_same(tmp_path: Path) -> None:
    by_name = "method_a,method_b,winner\n" + "x,y,x\ny,x,x\nx,y,y\nx,y,tie\n"
    by_word = "model_a,model_b,winner\n" + "x,y,model_a\ny,x,model_b\nx,y,Model_B\nx,y,tie (bothbad)\n"
    tables = []
    for text in (by_name, by_word):
        analyze(tmp_path, text)
        tables.append([rows(tmp_path, name) for name in ("strengths", "preferences", "pairs")])
    assert tables[0] == tables[1]


def test_a_published_fit_from_a_file(tmp_path: Path) -> None:
    lines = ["method_a,method_b,winner"]
    with (DATA / "games.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            lines += [f"{row['winner']},{row['loser']},{row['winner']}"] * int(row["count"])
    analyze(tmp_path, "\n".join(lines))
    worth = {row["method"]: float(row["strength"]) for row in rows(tmp_path, "strengths")}
    # Logarithms of Wikipedia's 0.640, 1.043, 0.660 and 2.270.
    assert worth == pytest.approx({"A": -0.4463, "B": 0.0421, "C": -0.4155, "D": 0.8198}, abs=0.001)


def test_methods_that_cannot_be_ranked_are_named_unless_a_prior_is_asked_for(tmp_path: Path) -> None:
    text = "method_a,method_b,winner\na,b,a\na,b,b\na,c,a\nb,c,b\n"
    analyze(tmp_path, text)
    last = rows(tmp_path, "strengths")[-1]
    assert (last["method"], last["strength"], last["rank_low"]) == ("c", "", "")
    assert last["note"].startswith("lost both votes against the ranked methods")
    said = analyze(tmp_path, text, "--prior", "0.5")
    assert "4 votes between 3 methods, with a prior of 0.5 wins and losses of each method against one of mean" in said
    assert rows(tmp_path, "preference_tests") == []
    last = rows(tmp_path, "strengths")[-1]
    assert last["strength"] != ""
    assert "prior of 0.5 wins and losses" in last["note"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("method_a,method_b,winner\na,b,c\n", r"row 2.*winner.*neither of the two methods"),
        ("method_a,method_b,winner\na,a,a\n", r"row 2.*meets itself"),
        ("method_a,method_b,winner,side\na,b,a,top\n", r"row 2.*side.*on the left"),
        ("method_a,method_b,winner\n", r"no votes"),
        ("method_a,winner\na,a\n", r"method_b"),
        ("method_a,method_b,winner\na,b,\n", r"no row has a winner"),
        ("method_a,method_b,winner\nB,A,a\n", r"row 2.*winner.*the method A or a win of B.*Write B, A or model_a"),
        ("method_a,method_b,winner\nTie,A,tie\n", r"row 2.*winner.*the method Tie or a tie"),
    ],
)
def test_a_vote_that_cannot_be_read_is_named_by_row_and_field(text: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=f"(?s){problem}"):
        analyze(tmp_path, text)


def test_bad_votes_can_be_left_out_and_are_listed(tmp_path: Path) -> None:
    said = analyze(tmp_path, "method_a,method_b,winner\na,b,a\na,b,b\na,b,?\n", "--on-bad-value", "exclude")
    assert "1 row left out" in said
    assert rows(tmp_path, "excluded")[0]["field"] == "winner"


def test_ratings_and_votes_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="either --ratings, with --scale, or --votes"):
        call_command("analyze", "--out", str(tmp_path))
    (tmp_path / "r.csv").write_text("item,rater,value\ni,r,1\n")
    with pytest.raises(CommandError, match="--ratings needs --scale"):
        call_command("analyze", "--ratings", str(tmp_path / "r.csv"), "--out", str(tmp_path))


def test_each_question_is_answered_by_itself(tmp_path: Path) -> None:
    text = "method_a,method_b,winner,question\na,b,a,looks\na,b,b,looks\na,b,b,matches\na,b,a,matches\na,b,b,matches\n"
    said = analyze(tmp_path, text)
    assert "looks: " in said
    assert "matches: " in said
    assert [row["question"] for row in rows(tmp_path, "preferences")] == ["looks", "matches"]


def test_left_and_right_are_sides_where_the_row_says_who_was_on_the_left(tmp_path: Path) -> None:
    text = "method_a,method_b,winner,side\nx,y,left,right\nx,y,Right,a\ny,x,left,b\nx,y,right,right\n"
    analyze(tmp_path, text)
    (pair,) = rows(tmp_path, "preferences")
    # On the left: y, x, x and y. The left wins, the right wins, the left wins, the right wins: y, y, x, x.
    assert (pair["method_a"], pair["wins"], pair["losses"], pair["left_share"]) == ("x", "2", "2", "0.5")
    analyze(tmp_path, "method_a,method_b,winner\nx,y,left\nx,y,left\nx,y,right\n")
    (pair,) = rows(tmp_path, "preferences")
    assert (pair["method_a"], pair["wins"]) == ("x", "2")


def test_a_row_without_a_winner_is_a_missing_answer(tmp_path: Path) -> None:
    said = analyze(tmp_path, "method_a,method_b,winner\na,b,a\na,b,\na,b,b\n")
    assert "votes.csv: 1 row without a winner: missing answers, which do not count." in said
    assert rows(tmp_path, "preferences")[0]["n"] == "2"


def test_what_counts_but_may_not_be_intended_is_named(tmp_path: Path) -> None:
    head = "method_a,method_b,winner,rater,prompt,seed,question\n"
    said = analyze(
        tmp_path,
        head
        + "SDXL,sdxl,SDXL,ann,p1,,look\n"
        + "sdxl,SDXL,sdxl,ann,p1,,look\n"
        + "SDXL,sdxl,SDXL,ann,p1,2,look\n"
        + "SDXL,sdxl,SDXL,Ann,,,\n",
    )
    assert "1 vote names no question; it counts under the question 'preference'" in said
    assert "votes.csv, method: these names differ only in case" in said
    assert "1 vote repeats an earlier vote of look of the same rater on the same prompt and methods, 1 of them" in said
    assert "the first is row 3, as row 2." in said
    assert "row 4" not in said
    assert "without a prompt" not in said  # it is the only vote of its question


def test_a_method_with_the_name_of_an_outcome_is_named(tmp_path: Path) -> None:
    said = analyze(tmp_path, "method_a,method_b,winner\ntie,b,tie\ntie,b,b\n")
    assert "votes.csv, winner: 'tie' is read as the method of this name in 1 vote." in said
    said = analyze(tmp_path, "method_a,method_b,winner,side\na,b,a,b\nb,a,a,b\n")
    assert "votes.csv, side: 'b' is read as the method of this name in 1 vote." in said
    assert "read as the method" not in analyze(tmp_path, "method_a,method_b,winner\na,b,a\na,b,b\n")


def test_agreement_is_next_to_the_winner_with_what_it_does_not_mean(tmp_path: Path) -> None:
    analyze(tmp_path, preference_study())
    html = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "nominal alpha is " in html
    assert " (a unit is one pair of methods on one prompt)" in html
    assert "A low alpha says nothing against a clear winner" in html
