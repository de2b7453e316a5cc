"""`manage.py analyze_critic` on files whose figures are known by hand."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotations.stats.intervals.wilson import wilson_bounds

Table = dict[tuple[str, ...], dict[str, str]]
Analyze = Callable[..., Path]
HEAD = "critic,image,claim,auditor,verdict\n"


def table(path: Path, *key: str) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        return {tuple(row[name] for name in key): row for row in csv.DictReader(file)}


def figures(out: Path) -> Table:
    return table(out / "critic.csv", "critic", "facet", "group", "statistic")


def accuracy(out: Path, critic: str = "A", facet: str = "overall", group: str = "all") -> dict[str, str]:
    return figures(out)[critic, facet, group, "accuracy"]


@pytest.fixture
def analyze(tmp_path: Path) -> Analyze:
    def run(verdicts: str, **options: Any) -> Path:
        (tmp_path / "V.csv").write_text(verdicts, encoding="utf-8")
        out = tmp_path / "out"
        plain = {"verdicts": tmp_path / "V.csv", "out": out, "resamples": 200, "quick": True}
        call_command("analyze_critic", **plain | options)
        return out

    return run


def one_auditor(judged: dict[str, list[str]], critic: str = "A") -> str:
    """Rows of one auditor: image → verdicts on its claims."""
    return "".join(
        f"{critic},{image},claim {i},x,{verdict}\n" for image, said in judged.items() for i, verdict in enumerate(said)
    )


def test_accuracy_with_both_intervals_from_a_plain_file(analyze: Analyze) -> None:
    # 12 images with one claim each, 9 of them right: 9/12. One claim an image: clusters change nothing.
    out = analyze(HEAD + one_auditor({f"i{n}": ["correct" if n < 9 else "incorrect"] for n in range(12)}), quick=False)

    assert {"report.pdf", "report.docx"} <= {path.name for path in (out).iterdir()}
    row = accuracy(out)
    low, high = (float(end) for end in wilson_bounds(9, 12))
    assert float(row["value"]) == 0.75
    assert (float(row["wilson_low"]), float(row["wilson_high"])) == pytest.approx((low, high))
    assert (low, high) == pytest.approx((0.4677, 0.9111), abs=1e-4)
    assert 0.35 < float(row["cluster_low"]) < 0.6
    assert 0.85 < float(row["cluster_high"]) < 0.97
    assert [row[name] for name in ("n_claims", "n_images", "n_auditors", "n_verdicts")] == ["12", "12", "1", "12"]
    assert row["note"] == ""


def test_claims_of_one_image_widen_the_cluster_interval(analyze: Analyze) -> None:
    # The same 24 of 40 claims right; four a image, all alike in it, so that there are only ten observations.
    clustered = analyze(HEAD + one_auditor({f"i{n}": ["right" if n < 6 else "wrong"] * 4 for n in range(10)}))

    row = accuracy(clustered)
    assert float(row["value"]) == 0.6
    wilson, cluster = (float(row[f"{kind}_high"]) - float(row[f"{kind}_low"]) for kind in ("wilson", "cluster"))
    assert cluster > 1.6 * wilson


@pytest.mark.parametrize(
    "words",
    [("right", "wrong"), ("correct", "INCORRECT"), ("True", "false"), ("yes", "No"), ("1", "0"), ("1.0", "0.0")],
)
def test_verdicts_are_understood_in_many_words(analyze: Analyze, words: tuple[str, str]) -> None:
    yes, no = words
    assert float(accuracy(analyze(HEAD + one_auditor({"i": [yes, yes, no], "j": [yes]})))["value"]) == 0.75


@pytest.mark.parametrize(("partly", "value"), [("right", 1.0), ("half", 0.75), ("wrong", 0.5)])
def test_what_partly_counts_as_is_chosen(analyze: Analyze, partly: str, value: float) -> None:
    out = analyze(HEAD + one_auditor({"i": ["right", "partially correct"], "j": ["cannot tell"]}), partly=partly)

    row = accuracy(out)
    assert float(row["value"]) == value
    assert f"counts as {partly}" in row["method"]
    assert (row["n_judged"], row["n_partly"], row["n_cannot_tell"]) == ("2", "1", "1")
    assert float(figures(out)["A", "overall", "all", "cannot_tell_share"]["value"]) == pytest.approx(1 / 3)


def test_several_auditors_are_settled_by_the_vote(analyze: Analyze) -> None:
    # Claim 1: two of three say right. Claim 2: a tie, which stays open. Claim 3: one can tell, two cannot.
    said = {"1": ("right", "right", "wrong"), "2": ("right", "wrong"), "3": ("cannot_tell", "cannot_tell", "wrong")}
    rows = [
        f"A,i{claim},{claim},a{n},{verdict}\n" for claim, all_of in said.items() for n, verdict in enumerate(all_of)
    ]

    out = analyze(HEAD + "".join(rows))

    row = accuracy(out)
    assert (float(row["value"]), row["n_judged"], row["n_verdicts"]) == (0.5, "2", "8")
    document = json.loads((out / "report.json").read_text())
    assert document["settled"] == {"several": 3, "unanimous": 0, "adjudicated": 0, "open": 1, "cannot_tell": 0}


def test_agreement_of_auditors_by_hand(analyze: Analyze) -> None:
    # Pairs rr, rw, ww: as in Krippendorff's nominal alpha of two raters, 1 − (1/3)/(3/5) = 4/9. Gwet's AC1 with two
    # categories: p_a = 2/3, shares ½ and ½, p_e = 2·½·½/(2 − 1) = ½, so (2/3 − ½)/½ = 1/3.
    pairs = {"1": "right right", "2": "right wrong", "3": "wrong wrong"}
    rows = [f"A,i,{c},{who},{v}\n" for c, both in pairs.items() for who, v in zip("xy", both.split(), strict=True)]

    found = table(analyze(HEAD + "".join(rows)) / "verdict_agreement.csv", "critic", "statistic")

    assert float(found["all", "krippendorff_alpha_nominal"]["value"]) == pytest.approx(4 / 9)
    assert float(found["all", "gwet_ac1"]["value"]) == pytest.approx(1 / 3)
    assert float(found["all", "percent_agreement"]["value"]) == pytest.approx(2 / 3)
    assert found["all", "gwet_ac1"]["n_auditors"] == "2"


def test_one_auditor_alone_has_no_agreement_and_says_so(analyze: Analyze) -> None:
    out = analyze(HEAD + one_auditor({"i": ["right", "wrong"]}))
    row = table(out / "verdict_agreement.csv", "statistic")[("krippendorff_alpha_nominal",)]
    assert row["value"] == ""
    assert row["note"]
    assert "No claim has verdicts of two auditors" in (out / "report.html").read_text()


def test_groups_by_known_and_further_columns(analyze: Analyze) -> None:
    # kind: count 2 of 2, colour 1 of 3. `expert` differs between the verdicts on a claim: each group votes alone.
    head = "critic,image,claim,auditor,verdict,kind,severity,expert\n"
    rows = [("i", "a", "count", 1), ("j", "b", "count", 1), ("i", "c", "colour", 1), ("j", "d", "colour", 0)]
    rows.append(("k", "e", "colour", 0))
    text = "".join(
        f"A,{image},{claim},x,{right},{kind},,yes\nA,{image},{claim},y,{1 if claim == 'e' else right},{kind},,no\n"
        f"A,{image},{claim},z,{right},{kind},,yes\n"
        for image, claim, kind, right in rows
    )

    out = analyze(head + text)

    assert float(accuracy(out)["value"]) == 0.6
    by_kind = {group: accuracy(out, "A", "kind", group) for group in ("count", "colour")}
    assert (float(by_kind["count"]["value"]), by_kind["count"]["n_claims"]) == (1.0, "2")
    assert float(by_kind["colour"]["value"]) == pytest.approx(1 / 3)
    assert by_kind["colour"]["n_images"] == "3"
    low, high = (float(end) for end in wilson_bounds(1, 3))
    assert (float(by_kind["colour"]["wilson_low"]), float(by_kind["colour"]["wilson_high"])) == pytest.approx(
        (low, high)
    )
    assert float(accuracy(out, "A", "expert", "yes")["value"]) == 0.6
    assert float(accuracy(out, "A", "expert", "no")["value"]) == 0.8
    assert (accuracy(out, "A", "expert", "no")["n_auditors"], accuracy(out, "A", "auditor", "z")["n_verdicts"]) == (
        "1",
        "5",
    )
    assert json.loads((out / "report.json").read_text())["facets_left_out"] == {"severity": "nothing is stated"}


def test_controls_are_next_to_the_headline_and_never_in_it(analyze: Analyze) -> None:
    head = "critic,image,claim,auditor,verdict,is_control\n"
    rows = "".join(f"A,i{n},real,x,{'right' if n < 15 else 'wrong'},false\n" for n in range(20))
    rows += "".join(f"A,i{n},guess,x,{'right' if n < 2 else 'wrong'},true\n" for n in range(20))
    rows += "".join(f"A,i{n},planted,x,{'right' if n < 1 else 'wrong'},planted\n" for n in range(10))

    out = analyze(head + rows)

    assert (float(accuracy(out)["value"]), accuracy(out)["n_claims"]) == (0.75, "20")
    found = figures(out)
    floor = found["A", "overall", "all", "control_accuracy"]
    assert (float(floor["value"]), floor["n_claims"]) == (0.1, "20")
    assert float(floor["cluster_low"]) < 0.1 < float(floor["cluster_high"])
    assert float(found["A", "overall", "all", "accuracy_above_control"]["value"]) == pytest.approx(0.65)
    assert float(found["", "overall", "all", "planted_claims_accepted"]["value"]) == 0.1


def test_two_critics_on_the_same_images(analyze: Analyze) -> None:
    # On images 0–19 both; A alone on ten more, which the comparison must leave aside.
    rows = one_auditor({f"i{n}": ["right"] * (n < 18) or ["wrong"] for n in range(20)})
    rows += one_auditor({f"j{n}": ["wrong"] for n in range(10)})
    rows += one_auditor({f"i{n}": ["right" if n < 9 else "wrong"] for n in range(20)}, critic="B")

    out = analyze(HEAD + rows)

    [row] = table(out / "critic_differences.csv", "first", "second", "statistic").values()
    assert (row["first"], row["second"], row["statistic"], row["n_images"]) == ("A", "B", "accuracy", "20")
    assert (float(row["value_first"]), float(row["value_second"])) == (0.9, 0.45)
    assert float(row["low"]) < float(row["difference"]) == pytest.approx(0.45)
    # Nine images differ, all in A's favour: two-sided exchange gives about 2/2⁹.
    assert 0.0005 < float(row["p"]) < 0.03
    assert float(accuracy(out)["value"]) == 0.6


def test_critics_without_a_common_image_are_not_compared(analyze: Analyze) -> None:
    out = analyze(HEAD + one_auditor({"i": ["right"]}) + one_auditor({"j": ["wrong"]}, critic="B"))
    [row] = table(out / "critic_differences.csv", "statistic").values()
    assert (row["difference"], row["n_images"]) == ("", "0")
    assert "no image" in row["note"]


def test_other_names_of_columns_and_a_stated_confidence(analyze: Analyze) -> None:
    out = analyze(
        "model,image_id,claim_id,annotator,label,confidence\n"
        "A,i,1,x,correct,0.9\nA,i,2,x,incorrect,0.9\nA,j,3,x,correct,0.6\nA,j,4,x,incorrect,0.2\nA,k,5,x,correct,1\n"
    )
    # (0.01 + 0.81 + 0.16 + 0.04 + 0)/5
    assert float(figures(out)["A", "overall", "all", "brier"]["value"]) == pytest.approx(0.204)
    bins = table(out / "calibration.csv", "from")
    assert (bins[("0.9",)]["n_claims"], float(bins[("0.9",)]["accuracy"])) == ("3", pytest.approx(2 / 3))


def test_bad_rows_are_named_with_place_and_cure(analyze: Analyze) -> None:
    verdicts = HEAD + "A,i,1,x,right\nA,i,2,x,maybe so\nA,,3,x,right\nA,i,1,x,wrong\nA,i,1,x,right\n"
    with pytest.raises(CommandError, match=r"V\.csv, row 4, image: the cell is empty.*--on-bad-value exclude"):
        analyze(verdicts)

    out = analyze(verdicts, on_bad_value="exclude")

    rows = list(csv.DictReader((out / "excluded.csv").open(newline="")))
    assert sorted((row["row"], row["field"], row["value"]) for row in rows) == [
        ("3", "verdict", "maybe so"),
        ("4", "image", ""),
        ("5", "verdict", "wrong"),
    ]
    assert "write right, partly, wrong or cannot_tell" in next(row["cure"] for row in rows if row["row"] == "3")
    assert (accuracy(out)["n_claims"], accuracy(out)["n_verdicts"]) == ("1", "1")
    assert "Left out: 3 rows" in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ("critic,image,claim,auditor\nA,i,1,x\n", '"verdict" is missing'),
        (HEAD, "there is no verdict in it"),
        (HEAD + "A,i,1,x,perhaps\n", 'row 2, verdict "perhaps": this is not a verdict'),
        ("critic,image,claim,auditor,verdict,is_control\nA,i,1,x,right,sort of\n", "true or false"),
        (
            "critic,image,claim,auditor,verdict,is_control\nA,i,1,x,right,no\nA,i,1,y,right,yes\n",
            'row 3, is_control "yes": row 2 has another value for the same claim',
        ),
    ],
)
def test_bad_files_say_the_cure(analyze: Analyze, verdicts: str, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        analyze(verdicts)


def test_row_order_and_blanks_change_nothing_and_the_seed_does(analyze: Analyze) -> None:
    rows = one_auditor(
        {f"i{n}": ["right" if (n * k) % 3 else "wrong" for k in range(3)] for n in range(15)}
    ).splitlines()
    first = (analyze(HEAD + "\n".join(rows)) / "critic.csv").read_text()
    turned = [row.replace("A,", "A ,").replace("right", " Right ") for row in reversed(rows)]
    assert (analyze(HEAD + "\n".join(turned)) / "critic.csv").read_text() == first
    assert (analyze(HEAD + "\n".join(rows), seed=1) / "critic.csv").read_text() != first


def test_the_report_is_self_contained_and_escapes_every_name(analyze: Analyze) -> None:
    out = analyze(
        "critic,image,claim,auditor,verdict,kind\n<b>A</b>,i,1,<script>x</script>,right,=1+1\n"
        "<b>A</b>,j,2,<script>y</script>,wrong,<i>k</i>\n"
    )
    text = (out / "report.html").read_text()
    assert "<svg" in text
    assert not [word for word in ("<script", "<b>A", "<i>k", "http-equiv", 'src="', "@import") if word in text]
    assert ",=1+1" not in (out / "critic.csv").read_text()
    assert len(json.loads((out / "report.json").read_text())["made"]["inputs_hash"]) == 64


def test_json_lines_with_true_and_false(analyze: Analyze) -> None:
    lines = [
        {"critic": "A", "image": 7, "claim": n, "auditor": "x", "verdict": n != 2, "is_control": n == 3}
        for n in range(5)
    ]
    out = analyze("\n".join(json.dumps(line) for line in lines))
    assert (float(accuracy(out)["value"]), accuracy(out)["n_claims"]) == (0.75, "4")
    assert float(figures(out)["A", "overall", "all", "control_accuracy"]["value"]) == 1.0


def test_an_export_is_read_back_with_its_revisions_and_adjudications(analyze: Analyze) -> None:
    # Claim 1: an earlier "wrong" does not count. Claim 2: tied, then adjudicated right. Claim 3: work not finished.
    out = analyze(
        "critic,image,claim,auditor,verdict,is_current,is_adjudication,audit_state\n"
        "A,i,1,x,wrong,false,false,finished\nA,i,1,x,right,true,false,finished\n"
        "A,i,2,x,right,true,false,finished\nA,i,2,y,wrong,true,false,finished\nA,i,2,z,right,true,true,\n"
        "A,i,3,x,wrong,true,false,leased\n"
    )
    row = accuracy(out)
    assert (float(row["value"]), row["n_claims"], row["n_verdicts"]) == (1.0, "2", "3")
    found = table(out / "verdict_agreement.csv", "statistic")
    assert float(found[("adjudicated_share",)]["value"]) == 1.0
