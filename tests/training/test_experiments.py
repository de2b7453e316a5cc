"""The experiments' tables, which the product makes, and the place that they take in the document."""

from pathlib import Path

import pytest

from generation.training.experiments import EXPERIMENTS, put_into
from generation.training.product_tables import (
    Seen,
    SeenClaim,
    analyse,
    analyse_claims,
    conditions_table,
    critics_precision,
    metrics_table,
)
from generation.training.studio import ratio
from tests.servers import ROOT


def test_a_section_replaces_only_itself(tmp_path: Path) -> None:
    file = tmp_path / "experiments.md"
    file.write_text("# Title\n<!-- rounds -->\nold\n<!-- end -->\nkept\n<!-- critic -->\nother\n<!-- end -->\n")
    put_into(file, "rounds", r"new \1 text")
    assert file.read_text() == (
        "# Title\n<!-- rounds -->\nnew \\1 text\n<!-- end -->\nkept\n<!-- critic -->\nother\n<!-- end -->\n"
    )
    with pytest.raises(ValueError, match="no place for the section methods"):
        put_into(file, "methods", "x")


def test_the_document_has_a_place_for_every_experiment() -> None:
    text = (ROOT / "docs" / "experiments.md").read_text()
    assert all(f"<!-- {name} -->" in text for name in EXPERIMENTS)


@pytest.mark.slow
def test_conditions_are_compared_by_the_product(tmp_path: Path) -> None:
    """Of four prompts the second condition is better on two, by 1/2 and by 1/4, equal on one, worse by 1/4 on one.

    Its mean gain is (1/2 + 1/4 + 0 − 1/4) / 4 = 1/8. The score goes with the share in every image.
    """
    shares = {"baseline": (0.5, 0.75, 1.0, 1.0), "again: refined": (1.0, 1.0, 1.0, 0.75)}
    seen = [
        Seen(f"p{prompt}", name, share, share == 1, {"score": 10 * share})
        for name, values in shares.items()
        for prompt, share in enumerate(values)
    ]
    report = analyse(seen, "baseline", tmp_path / "x", quick=True)
    assert (report / "report.html").exists()

    first, second = conditions_table(report, [*shares]).splitlines()[2:]
    _, name, whole, share, gain, counts, _ = map(str.strip, second.split("|"))
    assert (name, counts) == ("again: refined", "2, 1, 1")
    assert whole.startswith("0.75 (")
    assert share.startswith("0.94 (")
    assert gain.startswith("+0.12 (−")
    assert first.startswith("| baseline | 0.50 (")
    assert first.endswith("|  |  |")
    [metric] = metrics_table(report).splitlines()[2:]
    assert metric.startswith("| score | 1.00 |")


@pytest.mark.slow
def test_claims_are_counted_by_the_product_controls_apart(tmp_path: Path) -> None:
    control = "looking, shown the next prompt's image"
    claims = [SeenClaim("looking", f"i{n}", "a", is_right=n < 3) for n in range(4)]
    claims += [SeenClaim(control, f"i{n}", "a", is_right=n < 1, is_control=True) for n in range(4)]
    precision = critics_precision(analyse_claims(claims, tmp_path, quick=True))
    assert precision["looking"].startswith("0.75 (")
    assert precision[control].startswith("0.25 (")


def test_a_ratio_is_of_sums() -> None:
    value, low, high = (float(word.strip("()")) for word in ratio([(1, 1), (0, 3)] * 20).split() if word != "to")
    assert value == 0.25
    assert 0 < low < 0.25 < high < 0.5
    assert ratio([(0, 0), (0, 0)]) == "–"
