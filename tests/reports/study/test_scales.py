"""Scales as people declare them, and what is said of those that are none."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from annotations.reports.study.scales import BadScale, Scales, parse_scale


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1-5", ["1", "2", "3", "4", "5"]),
        ("0,0.5,1", ["0", "0.5", "1"]),
        ("-2-2", ["-2", "-1", "0", "1", "2"]),
        (" 0 , 1 ", ["0", "1"]),
        ("0.1,0.2,0.3", ["0.1", "0.2", "0.3"]),
    ],
)
def test_values_are_exact(text: str, values: list[str]) -> None:
    assert parse_scale(text) == tuple(Decimal(value) for value in values)


@pytest.mark.parametrize("text", ["", "5", "5-1", "1-1", "a-b", "1,1", "3,2", "1,nan", "0-99999", "1-5-9", "1,"])
def test_anything_else_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(BadScale, match=r"write a range of whole numbers such as 1-5|fewer than two levels"):
        parse_scale(text)


def test_one_dimension_may_have_its_own() -> None:
    scales = Scales.parse(["1-5", "speed=1-3", "a=b=0,1"])

    assert len(scales.of("anything").values) == 5
    assert len(scales.of("speed").values) == 3
    assert scales.of("a=b").values == (Decimal(0), Decimal(1))


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("1-3", "ordinal"),
        ("ordinal:1-3", "ordinal"),
        ("nominal:1,2,3", "nominal"),
        (" Nominal : 1-3", "nominal"),
        ("interval:1-3", "interval"),
        ("slider:1-3", "interval"),
        ("preference:1-3", "preference"),
    ],
)
@pytest.mark.parametrize("name", ["", "choice=", "a:b="])
def test_the_kind_of_question_may_come_first(name: str, declared: str, kind: str) -> None:
    question = Scales.parse([name + declared]).of("choice" if not name else name[:-1])
    assert question.kind == kind
    assert question.values == (Decimal(1), Decimal(2), Decimal(3))


def test_an_unknown_kind_names_those_there_are() -> None:
    with pytest.raises(BadScale, match="'categorical' is not a kind of question; write one of ordinal, interval"):
        Scales.parse(["choice=categorical:1-3"])


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (["1-5", "1-3"], "write DIMENSION=1-3"),
        (["speed=1-3", "speed=1-4"], "declared twice"),
    ],
)
def test_what_contradicts_itself_is_refused(declared: list[str], said: str) -> None:
    with pytest.raises(BadScale, match=said):
        Scales.parse(declared)


def test_a_dimension_without_a_scale_is_named() -> None:
    with pytest.raises(BadScale, match="--scale colour=1-5"):
        Scales.parse(["speed=1-3"]).of("colour")


@pytest.mark.parametrize(("scale", "largest", "n_prompts"), [("0-100/any", 100.0, 30), ("0-1/any", 1.0, 8)])
def test_any_numbers_with_all_their_digits_are_compared(
    tmp_path: Path, scale: str, largest: float, n_prompts: int
) -> None:
    rng = np.random.default_rng(0)
    given = rng.random((n_prompts, 3, 4)) * largest
    lines, items = ["item,rater,dimension,value"], ["item,prompt,method"]
    for (prompt, method, rater), value in np.ndenumerate(given):
        lines.append(f"{prompt}-{method},r{rater},match,{float(value)!r}")
    items += [f"{prompt}-{method},p{prompt},{'ABC'[method]}" for prompt in range(n_prompts) for method in range(3)]
    (tmp_path / "ratings.csv").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "items.csv").write_text("\n".join(items), encoding="utf-8")
    files = {"ratings": tmp_path / "ratings.csv", "items": tmp_path / "items.csv", "out": tmp_path / "out"}

    call_command("analyze", scale=[scale], compare=["A:B"], resamples=50, quick=True, stdout=io.StringIO(), **files)

    (row,) = csv.DictReader((tmp_path / "out" / "comparisons.csv").open(encoding="utf-8"))
    assert row["n"] == str(n_prompts)
    plain = float((given[:, 1].mean(axis=1) - given[:, 0].mean(axis=1)).mean())
    assert float(row["mean_diff"]) == pytest.approx(plain, abs=1e-9 * largest)
    assert (row["ties"], int(row["wins"])) == ("0", int((given[:, 1].mean(axis=1) > given[:, 0].mean(axis=1)).sum()))
