"""The experiments' figures and the place that they take in the document."""

from pathlib import Path

import numpy as np
import pytest

from generation.training.experiments import EXPERIMENTS, put_into
from generation.training.studio import correlation, gain, ratio, share
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


def test_shares_and_gains_have_their_value_and_an_interval_around_it() -> None:
    assert share([1.0] * 30) == "1.00 (1.00 to 1.00)"
    assert gain([0.5] * 30, [0.25] * 30) == "+0.25 (+0.25 to +0.25)"
    value, low, high = numbers(share([1.0, 0.0] * 50))
    assert value == 0.5
    assert 0.38 < low < 0.44
    assert 0.56 < high < 0.62


def test_a_ratio_is_of_sums() -> None:
    value, low, high = numbers(ratio([(1, 1), (0, 3)] * 20))
    assert value == 0.25
    assert low < 0.25 < high
    assert ratio([(0, 0), (0, 0)]) == "–"


def test_correlation_is_of_ranks() -> None:
    one = np.arange(40.0)
    assert correlation(one.tolist(), (one**3).tolist(), 20) == "1.00 (1.00 to 1.00)"
    assert numbers(correlation(one.tolist(), (-one).tolist(), 40))[0] == -1


def numbers(text: str) -> list[float]:
    value, low, _to, high = text.replace("(", "").replace(")", "").split()
    return [float(value), float(low), float(high)]
