"""`analyze` on files as people have them: the right figures, or a refusal that leads to them, and never other figures.

The expected figures were had without this project's code: alpha from its pairwise definition in exact fractions,
ICC(A,1) from two-way mean squares in fractions, differences of methods counted exactly, correlations by NumPy and
SciPy, each on the files as a few lines of plain Python read them.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

FILES = Path(__file__).resolve().parents[1] / "data" / "files"
ALPHAS = ("krippendorff_alpha_ordinal", "krippendorff_alpha_nominal", "krippendorff_alpha_interval")


@dataclass(frozen=True)
class Compared:
    """baseline:refined, and what the comparison of their ratings says."""

    n: int
    difference: float
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True)
class Question:
    """counts are ratings, items, raters; None means a figure that cannot be estimated."""

    counts: tuple[int, int, int]
    alphas: tuple[float | None, ...]
    icc: float | None = None
    compared: Compared | None = None
    means: tuple[float, float] | None = None
    correlations: tuple[float, float, float] | None = None
    name: str = "rating"


@dataclass(frozen=True)
class Case:
    """files     --ratings, and if given --items and --metrics, by their names
    warns       words that are among the warnings; without any there is no warning
    refused     words of the message that refuses the file
    """

    ratings: str | tuple[str, ...]
    items: str = ""
    metrics: str = ""
    scale: str = "1-5"
    options: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    warns: tuple[str, ...] = ()
    refused: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join((*self.files, *self.options))

    @property
    def files(self) -> tuple[str, ...]:
        return (self.ratings,) if isinstance(self.ratings, str) else self.ratings


CLEAN = Question((120, 40, 3), (0.5913, 0.1610, 0.5982), icc=0.6010)
ONE_BLANK = Question(
    (90, 30, 3), (0.4950, 0.2207, 0.4850), compared=Compared(15, 0.0, 8, 1, 6), correlations=(0.75392, 0.75328, 0.56523)
)
LONG = Question(
    (72, 24, 3),
    (0.6923, 0.4512, 0.7258),
    icc=0.7309,
    compared=Compared(12, 1.1667, 9, 0, 3),
    means=(2.5, 3.6667),
    name="quality",
)
SLIDER_WITH_DECIMALS = Question(
    (72, 24, 3),
    (0.6325,),
    compared=Compared(12, 21.1111, 9, 0, 3),
    means=(50.7083, 71.8194),
    name="quality",
)
WORDS = ("Strongly disagree", "Disagree", "Neutral", "Agree", "Strongly agree")
COMPARE = ("--compare", "base:ref")
EXCLUDE = ("--on-bad-value", "exclude")


def formats(ratings: str, *questions: Question, **more: Any) -> Case:
    given = {"items": "formats/items.csv", "options": COMPARE} | more
    names = tuple(f"formats/{name}" for name in ratings.split())
    return Case(names, questions=questions, **given)


def as_long(name: str) -> Question:
    """The ratings of long.csv under another name of the question."""
    return Question(LONG.counts, LONG.alphas, LONG.icc, LONG.compared, LONG.means, name=name)


CASES = [
    Case("ws_clean.csv", questions=(CLEAN,)),
    Case("ws_rater_half.csv", questions=(CLEAN,)),
    Case("ws_item_one_rater.csv", questions=(CLEAN,)),
    Case("ws_after_comma.csv", questions=(CLEAN,)),
    Case("ws_hidden_second_answer.csv", refused='row 122, value "2": .* in row 2.*21 more'),
    Case(
        "self_agreement.csv",
        questions=(Question((10, 10, 1), (None, None, None)),),
        warns=("10 answers repeat an earlier one",),
    ),
    Case(
        "case_rater.csv",
        questions=(Question((120, 40, 4), (0.5913, 0.1610, 0.5982)),),
        warns=('rater: .*"cem", "Cem"',),
    ),
    Case("id_float.csv", questions=(Question((120, 80, 3), (0.6458,)),), warns=('item: .*"0", "0.0"',)),
    Case(
        "method_blank_ratings.csv",
        "method_blank_items.csv",
        options=COMPARE,
        questions=(Question((90, 30, 3), (0.4950,), compared=Compared(15, 0.0, 8, 1, 6)),),
        more={"methods": ["base", "ref"]},
    ),
    Case(
        "metric_half_blank_ids_ratings.csv",
        "metric_half_blank_ids_items.csv",
        "metric_half_blank_ids_metrics.csv",
        options=COMPARE,
        questions=(
            Question(
                (90, 30, 3),
                (0.6769, 0.3063, 0.6669),
                compared=Compared(15, 0.1556, 8, 0, 7),
                correlations=(0.70673, 0.77252, 0.60248),
            ),
        ),
    ),
    Case(
        "one_blank_prompt_id_ratings.csv",
        "one_blank_prompt_id_items.csv",
        "one_blank_prompt_id_metrics.csv",
        options=COMPARE,
        questions=(ONE_BLANK,),
        warns=("1 item has no prompt_id.*row 5",),
    ),
    *(
        Case("negative_scale.csv", scale=scale, questions=(Question((6, 3, 2), (0.5098, 0.2857, 0.3750)),))
        for scale in ("-2-2", "=-2-2")
    ),
    *(
        formats(name, LONG)
        for name in (
            *("long.csv", "semi.csv", "utf16.csv", "floats.csv", "long_records.json", "long.parquet"),
            *("long_cols.json", "with_index.csv", "long.csv.gz", "book.xlsx", "potato.jsonl"),
        )
    ),
    *(formats(name, as_long("rating")) for name in ("nodim.csv", "wide.csv", "mturk.csv")),
    formats("multi_dim.csv", as_long("alignment"), as_long("quality")),
    *(
        formats(name, as_long("quality"), Question((72, 24, 3), (None, None, None), name="acceptable"))
        for name in ("labelstudio.json", "labelstudio_min.json")
    ),
    formats(
        "qualtrics.csv",
        Question((24, 8, 3), (0.6835, 0.5054, 0.6945), compared=Compared(4, 0.9167, 3, 0, 1), means=(2.3333, 3.2500)),
    ),
    formats(
        "imagenhub_r1.tsv imagenhub_r2.tsv",
        Question(
            (48, 24, 2),
            (0.0453, -0.2685, 0.0496),
            compared=Compared(12, 0.0, 4, 3, 5),
            means=(0.5833, 0.5833),
            name="semantic consistency",
        ),
        Question(
            (48, 24, 2),
            (-0.1694, -0.0797, -0.1658),
            compared=Compared(12, 0.125, 7, 2, 3),
            means=(0.5417, 0.6667),
            name="perceptual quality",
        ),
        scale="0,0.5,1",
    ),
    *(
        formats("sliderf.csv", SLIDER_WITH_DECIMALS, scale=scale)
        for scale in ("17.7-100/0.1", "0-100/0.1", "0-100/any", "slider:0-100/any")
    ),
    *(
        formats("words.csv", LONG, options=(*COMPARE, *options), scale=scale)
        for options, scale in (
            ((), ",".join(WORDS)),
            (("--labels", ",".join(f"{word}={n}" for n, word in enumerate(WORDS, 1))), "1-5"),
            (("--labels", "quality:" + ",".join(f"{word}={n}" for n, word in enumerate(WORDS, 1))), "1-5"),
        )
    ),
    formats(
        "cp1252.csv",
        Question(LONG.counts, LONG.alphas, LONG.icc, LONG.compared, LONG.means, name="Qualität"),
        options=(*COMPARE, "--encoding", "windows-1252"),
    ),
    *(formats(name, refused="rank.*analyze --rankings", scale="1-3") for name in ("rank.csv", "rank_long.csv")),
    formats("othernames.csv", LONG),
    formats(
        "wide_renamed.csv",
        Question((24, 24, 5), (None, None, None)),
        options=(),
        warns=('column "x" is not used', "no item has two ratings"),
    ),
    *(formats("words.csv", options=options, refused="(?s)Neutral.*No row could be used") for options in ((), EXCLUDE)),
    formats(
        "slider.csv",
        Question(
            (72, 24, 3), (0.6502,), compared=Compared(12, 25.3056, 8, 0, 4), means=(47.6389, 72.9444), name="quality"
        ),
        scale="0-100",
    ),
    formats("cp1252.csv", refused="row 2: byte 0xEB at position 42.*iconv"),
    formats("nan.csv", refused='row 2, value "NaN".*10 more.*--on-bad-value exclude'),
    formats(
        "nan.csv",
        Question((61, 24, 3), (0.7330, 0.4365, 0.7559), compared=Compared(12, 1.1528, 8, 1, 3), name="quality"),
        options=(*COMPARE, *EXCLUDE),
    ),
    *(
        formats(
            "empty.csv",
            Question((64, 24, 3), (0.7010, 0.4718, 0.7272), compared=Compared(12, 1.2083, 8, 1, 3), name="quality"),
            options=(*COMPARE, *options),
            warns=("8 of 72 rows have no value and count as missing",),
        )
        for options in ((), EXCLUDE)
    ),
    formats("dup.csv", refused='row 74, value "4": .* in row 2'),
]


def analyzed(case: Case, out: Path) -> dict[str, Any]:
    arguments = [
        "--ratings",
        *(str(FILES / name) for name in case.files),
        "--out",
        str(out),
        "--resamples",
        "20",
        "--quick",
        *case.options,
    ]
    arguments += [f"--scale{case.scale}"] if case.scale.startswith("=") else ["--scale", case.scale]
    for role in ("items", "metrics"):
        if getattr(case, role):
            arguments += [f"--{role}", str(FILES / getattr(case, role))]
    call_command("analyze", *arguments)
    document: dict[str, Any] = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("case", CASES, ids=str)
def test_figures_or_refusal(case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if case.refused:
        with pytest.raises(CommandError, match=case.refused):
            analyzed(case, tmp_path / "out")
        assert not (tmp_path / "out" / "report.json").exists()
        return
    document = analyzed(case, tmp_path / "out")
    assert len(document["warnings"]) == len(case.warns)
    printed = capsys.readouterr().out
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for words in case.warns:
        assert any(_matches(words, warning) for warning in document["warnings"])
        assert _matches(words, printed)
        assert "Please check" in page
    for name, expected in case.more.items():
        assert document[name] == expected
    assert [dimension["name"] for dimension in document["dimensions"]] == [one.name for one in case.questions]
    for dimension, expected in zip(document["dimensions"], case.questions, strict=True):
        _check(dimension, expected)


def _matches(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None


def _check(dimension: dict[str, Any], expected: Question) -> None:
    assert (dimension["n_ratings"], dimension["n_units"], dimension["n_raters"]) == expected.counts
    values = {one["statistic"]: one["value"] for one in dimension["agreement"]}
    for name, alpha in zip(ALPHAS, expected.alphas, strict=False):
        assert values.get(name) == (None if alpha is None else pytest.approx(alpha, abs=6e-5)), name
    if expected.icc is not None:
        assert values["icc_a_1"] == pytest.approx(expected.icc, abs=6e-5)
    if expected.means is not None:
        assert [one["value"] for one in dimension["means"]] == pytest.approx(expected.means, abs=6e-5)
    if expected.compared is not None:
        [comparison] = dimension["comparisons"]
        counted = (comparison["n"], comparison["wins"], comparison["ties"], comparison["losses"])
        assert counted == (
            expected.compared.n,
            expected.compared.wins,
            expected.compared.ties,
            expected.compared.losses,
        )
        assert comparison["mean_diff"]["value"] == pytest.approx(expected.compared.difference, abs=6e-5)
    if expected.correlations is not None:
        [metric] = dimension["board"]["metrics"]
        found = {one["statistic"]: one for one in metric["estimates"]}
        names = ("pearson", "spearman", "kendall_tau_b")
        assert [found[name]["value"] for name in names] == pytest.approx(expected.correlations, abs=6e-6)
        assert {found[name]["n"]["units"] for name in names} == {30}
        assert {found[name]["intervals"][0]["covers"] for name in names} == {"prompts"}
