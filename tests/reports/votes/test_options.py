"""Options of `analyze` with `--votes` and `--rankings`: each is used, or refused with what it is for."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

VOTES = "method_a,method_b,winner,rater,prompt\n" + "".join(
    f"old,new,{'old' if rater == 'bot' else 'new' if prompt else 'tie'},{rater},p{prompt}\n"
    for rater in ("ann", "ben", "bot")
    for prompt in range(6)
)
RANKINGS = "prompt,rater,1st,2nd,3rd\n" + "".join(
    f"p{prompt},{rater},{'c,b,a' if rater == 'bot' else 'a,b,c'}\n"
    for rater in ("ann", "ben", "bot")
    for prompt in range(6)
)
LONG = "item,rater,rank\n" + "".join(
    f"p{prompt}_{method},{rater},{1 + 'abc'.index(method)}\n"
    for rater in ("ann", "ben", "bot")
    for prompt in range(6)
    for method in "abc"
)
EXCLUDED = "rater,reason\nbot,a script\n"


def analyze(folder: Path, kind: str, text: str | bytes, *more: str) -> tuple[str, dict[str, Any]]:
    source = folder / f"{kind}.csv"
    source.write_bytes(text if isinstance(text, bytes) else text.encode())
    said = io.StringIO()
    call_command("analyze", f"--{kind}", str(source), "--out", str(folder / "out"), *more, quick=True, stdout=said)
    return said.getvalue(), json.loads((folder / "out" / "report.json").read_text(encoding="utf-8"))


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


@pytest.mark.parametrize(("kind", "text"), [("votes", VOTES), ("rankings", RANKINGS), ("rankings", LONG)])
def test_excluded_raters_are_left_out_counted_and_listed(tmp_path: Path, kind: str, text: str) -> None:
    said, report = analyze(tmp_path, kind, text, "--excluded-raters", written(tmp_path, "excluded.csv", EXCLUDED))

    assert report["excluded_raters"] == [{"rater": "bot", "reason": "a script", "n_answers": 6}]
    (question,) = report["preferences"]
    assert (question["n"], question["n_raters"]) == (12, 2)
    assert "excluded raters: bot (a script)" in said
    out = tmp_path / "out"
    assert "1 rater is excluded from every figure: bot (6 answers): a script." in (out / "report.html").read_text()
    assert (out / "excluded_raters.csv").read_text().splitlines()[1] == "bot,a script,6"
    assert "a script" in (out / "report.tex").read_text()

    without = "".join(line for line in text.splitlines(keepends=True) if "bot" not in line)
    assert analyze(tmp_path, kind, without)[1]["preferences"] == report["preferences"]


@pytest.mark.parametrize(("kind", "text"), [("votes", VOTES), ("rankings", RANKINGS)])
def test_exclusions_that_leave_nothing_or_name_nobody(tmp_path: Path, kind: str, text: str) -> None:
    everybody = written(tmp_path, "excluded.csv", EXCLUDED + "ann,late\nben,late\n")
    with pytest.raises(CommandError, match=f"every {kind[:-1]} is by a rater of this file"):
        analyze(tmp_path, kind, text, "--excluded-raters", everybody)
    nobody = written(tmp_path, "excluded.csv", "rater,reason\nBen,late\n")
    assert (
        f'"Ben" has no {kind[:-1]} to leave out, but "ben" has'
        in analyze(tmp_path, kind, text, "--excluded-raters", nobody)[0]
    )


def test_unreadable_rows_of_excluded_raters_do_not_matter(tmp_path: Path) -> None:
    excluded = written(tmp_path, "excluded.csv", EXCLUDED)
    text = f"{VOTES}old,new,never,bot,p1\n"
    assert analyze(tmp_path, "votes", text, "--excluded-raters", excluded)[1]["preferences"][0]["n"] == 12


def test_votes_in_another_encoding(tmp_path: Path) -> None:
    text = "method_a,method_b,winner,rater\nalt,häufig,häufig,Jürgen\nalt,häufig,alt,Ann\n".encode("latin-1")
    with pytest.raises(CommandError, match="ratings, votes and rankings can be read as they are with --encoding"):
        analyze(tmp_path, "votes", text)
    _said, report = analyze(tmp_path, "votes", text, "--encoding", "latin-1")
    assert {row["method"] for row in report["preferences"][0]["strengths"]} == {"alt", "häufig"}


OF_RATINGS = {
    "metrics": "FILE",
    "questions": "FILE",
    "comparisons": "FILE",
    "mapping": "FILE",
    "scale": "1-5",
    "compare": "old:new",
    "margin": "0.5",
    "columns": "item=image",
    "labels": "Poor=1",
    "resamples": "100",
    "seed": "0",
}


@pytest.mark.parametrize("option", OF_RATINGS)
@pytest.mark.parametrize(("kind", "text"), [("votes", VOTES), ("rankings", RANKINGS)])
def test_options_of_ratings_are_refused(tmp_path: Path, kind: str, text: str, option: str) -> None:
    value = written(tmp_path, "given.csv", "a,b\n") if OF_RATINGS[option] == "FILE" else OF_RATINGS[option]
    with pytest.raises(CommandError, match=rf"^--{option} is for --ratings: .*\.$"):
        analyze(tmp_path, kind, text, f"--{option}", value)


def test_items_are_not_for_votes(tmp_path: Path) -> None:
    items = written(tmp_path, "items.csv", "item,prompt,method\n")
    with pytest.raises(CommandError, match="--items is for --ratings and --rankings"):
        analyze(tmp_path, "votes", VOTES, "--items", items)


def test_a_prior_is_not_for_ratings(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--prior is for --votes and --rankings"):
        analyze(tmp_path, "ratings", "item,rater,value\nx,a,1\n", "--scale", "1-5", "--prior", "1")


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("votes", "method_a,method_b,winner\na,b,\na,c,\n", "no row has a winner"),
        ("rankings", "prompt,rater,1st,2nd\np,ann,,\n", "no row has a ranking"),
        ("votes", "method_a,method_b,winner\n", "there are no votes in it"),
    ],
)
def test_a_file_without_answers_says_what_is_missing(tmp_path: Path, kind: str, text: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        analyze(tmp_path, kind, text)


def test_votes_without_a_question_next_to_others(tmp_path: Path) -> None:
    text = "method_a,method_b,winner,question\na,b,a,style\na,b,b,\n"
    said = analyze(tmp_path, "votes", text)[0]
    assert "1 vote names no question; it counts under the question 'preference'." in said
    said = analyze(tmp_path, "votes", f"{text}b,a,b,\n")[0]
    assert "2 votes name no question; they count under the question 'preference'." in said
