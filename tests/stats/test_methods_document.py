"""The methods pages: their links lead somewhere, the functions and tests they name exist, their examples are right."""

import ast
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

from annotations.stats.critic.accuracy import critic_accuracy
from annotations.stats.critic.audit import CANNOT_TELL, PARTLY, RIGHT, WRONG, Audit
from annotations.stats.critic.capture_recapture import chapman

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = [DOCS / "methods.md", *sorted((DOCS / "methods").glob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
FUNCTION = re.compile(r"`((?:[a-z_]+\.)*[a-z_]+)\.([a-z_]+)`")
TEST = re.compile(r"`([\w/]*test_\w+)\.py::([\w:]+)`")


def anchors(page: Path) -> set[str]:
    """Headings as they become anchors: lower case, spaces to hyphens, punctuation gone."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text()):
        if target.startswith("http"):
            continue
        other = (page.parent / target).resolve() if target else page
        assert other.is_file(), f"{page.name}: there is no {target}"
        if anchor:
            assert anchor in anchors(other), f"{page.name}: {target} has no heading for #{anchor}"


def test_functions_of_the_front_page_exist() -> None:
    table = (DOCS / "methods.md").read_text().split("## Every statistic")[1].split("\n## ")[0]
    named = [found for line in table.splitlines() if line.startswith("|") for found in FUNCTION.findall(line)]
    assert len(named) > 20
    for module, function in named:
        assert hasattr(importlib.import_module(f"annotations.stats.{module}"), function), f"{module}.{function}"


def test_tests_that_pages_name_exist() -> None:
    named = [found for page in PAGES for found in TEST.findall(page.read_text())]
    assert len(named) > 20
    for module, name in named:
        tree: ast.AST = ast.parse((DOCS.parent / "tests" / f"{module}.py").read_text())
        for part in name.split("::"):
            inside = {one.name: one for one in ast.iter_child_nodes(tree) if hasattr(one, "name")}
            assert part in inside, f"tests/{module}.py has no {name}"
            tree = inside[part]


def test_example_of_the_critics_page() -> None:
    # Four images; claims R R W | R P | W ? | none; missed one on image 0, two on image 3.
    audit = Audit(
        4,
        np.array([0, 0, 0, 1, 1, 2, 2]),
        np.array([RIGHT, RIGHT, WRONG, RIGHT, PARTLY, WRONG, CANNOT_TELL]),
        missed_image=np.array([0, 3, 3]),
    )
    row = critic_accuracy(audit, rng=np.random.default_rng(0), n_resamples=50, n_permutations=9).overall
    assert (row.precision.value, row.recall.value, row.f1.value) == pytest.approx((0.583, 0.500, 0.538), abs=5e-4)
    interval = row.precision.interval("claims")
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx((0.241, 0.861), abs=5e-4)
    assert chapman(4, 5, 2).total.value == pytest.approx(9)
