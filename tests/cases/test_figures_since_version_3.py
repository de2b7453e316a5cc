"""`analyze` gives the cells of version 3 of the statistics, but where a later version says why not.

`tests/data/version_3` holds its tables for the four sets of ratings below. Commit eff3fd14 made them, the last before
the statistics moved into packages.
"""

import csv
import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from django.core.management import call_command

from tests import dsg_tifa160

DATA = Path(__file__).resolve().parents[1] / "data"
METRICS = ("dsg/mplug", "bleu", "clipscore_vitb32", "tifa_vilt")


def write(path: Path, rows: Iterable[dict[str, str]]) -> str:
    """The rows as a CSV file, and its path."""
    listed = list(rows)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(listed[0]))
        writer.writeheader()
        writer.writerows(listed)
    return str(path)


def of_images(folder: Path, dimension: str, *options: str, with_items: bool = True) -> list[str]:
    """Images of twelve prompts by five models, with the ratings of one question and four metrics."""
    items = [row for row in dsg_tifa160.item_rows() if int(row["item_id"].partition("_")[2]) < 12]
    names = {row["item"] for row in items}
    ratings = [row for row in dsg_tifa160.rating_rows() if row["item"] in names and row["dimension"] == dimension]
    metrics = [row for row in dsg_tifa160.metric_rows() if row["item"] in names and row["metric"] in METRICS]
    arguments = ["--ratings", write(folder / "ratings.csv", ratings), "--scale", "1-5", *options]
    arguments += ["--metrics", write(folder / "metrics.csv", metrics)]
    return [*arguments, "--items", write(folder / "items.csv", items)] if with_items else arguments


def of_tasks(folder: Path) -> list[str]:
    """Ten persons at three tasks, each judged by four raters of its own."""
    with (DATA / "preferences" / "brennan_3_2.csv").open(newline="") as file:
        rows = [
            {"item": row["Person"], "rater": row["Rater"], "dimension": f"task {row['Task']}", "value": row["Score"]}
            for row in csv.DictReader(file)
        ]
    return ["--ratings", write(folder / "ratings.csv", rows), "--scale", "0-10"]


COMPARED = ("--compare", "sd1dot1:sd2dot1", "--compare", "mini-dalle:vq-diffusion")
SETS: dict[str, Callable[[Path], list[str]]] = {
    "five_raters": lambda folder: of_images(folder, "consistency", *COMPARED),
    "two_raters": lambda folder: of_images(folder, "consistency_tifa", *COMPARED),
    "images_alone": lambda folder: of_images(folder, "consistency", with_items=False),
    "tasks": of_tasks,
}

KEYS = {
    "agreement": ("dimension", "statistic"),
    "answers": ("dimension", "value"),
    "comparisons": ("dimension", "baseline", "refined"),
    "means": ("dimension", "method"),
    "metric_differences": ("metric_a", "metric_b", "dimension", "statistic"),
    "metrics": ("metric", "dimension", "statistic"),
    "multiverse": ("dimension", "baseline", "refined", "exclusion", "aggregation", "subset"),
    "raters": ("dimension", "rater"),
    "sizes": ("dimension", "baseline", "refined", "half_width", "raters_per_prompt"),
}
"""The tables of version 3, and their columns that name a row."""

Cells = dict[tuple[str, tuple[str, ...], str], str]
"""By table, names of the row, and column."""


def cells_of(table: str, text: str) -> Cells:
    rows = csv.DictReader(text.splitlines())
    return {(table, tuple(row[key] for key in KEYS[table]), column): row[column] for row in rows for column in row}


def changed_on_purpose(table: str, row: tuple[str, ...], column: str, before: str, after: str) -> str:
    """The reason why this cell may differ, by the version in docs/methods/versions.md; empty where there is none."""
    if table == "agreement":
        if column in ("ci_units_low", "ci_units_high"):
            if abs(float(before) - float(after)) < 5e-10:
                return "4: exact derivatives"
            return "4: the lower end is cut" if float(before) < -1 <= float(after) else ""
        if column.startswith(("ci_raters_", "ci_units_and_raters_")):
            return "4: intervals over raters and over both"
        if column == "note" and "cut at the end" in after:
            return "4: the lower end is cut"
        if row[1] == "kendall_w" and column in ("value", "method"):
            return "4: Kendall's W"
        return "wording" if before.replace("ratings a unit", "ratings per unit") == after else ""
    if column.startswith("odds_"):
        return "4, 6, 8 and 11: ordinal models"
    if column.startswith("prompts_and_raters_"):
        return "4: the mean difference over prompts and raters"
    if column in ("raters_low", "raters_high") and after == "":
        return "4: none from two raters"
    if table == "comparisons" and column == "note" and "too few raters (2)" in after:
        return "4: none from two raters"
    if table == "multiverse" and row[4] == "dawid_skene":
        return "4: Dawid–Skene settles"
    if table == "raters" and column == "why" and before.replace(" -", " −") == after:
        return "wording"
    return ""


@pytest.mark.parametrize("name", SETS)
def test_every_cell_is_what_it_was_but_where_a_version_changed_it(name: str, tmp_path: Path) -> None:
    stored: dict[str, str] = json.loads(gzip.decompress((DATA / "version_3" / f"{name}.json.gz").read_bytes()))
    call_command("analyze", *SETS[name](tmp_path), "--resamples", "200", "--quick", "--out", str(tmp_path / "out"))
    n_equal, unexplained = 0, []
    for table, text in stored.items():
        before = cells_of(table, text)
        after = cells_of(table, (tmp_path / "out" / f"{table}.csv").read_text(encoding="utf-8"))
        for (_, row, column), cell in before.items():
            now = after.get((table, row, column), "missing")
            if is_same(cell, now):
                n_equal += 1
            elif not changed_on_purpose(table, row, column, cell, now):
                unexplained.append((table, row, column, cell, now))
    assert unexplained == []
    assert n_equal > 500


def is_same(before: str, after: str) -> bool:
    """Equal characters, or numbers equal to 13 digits, since processors differ in how they round sums."""
    if before == after:
        return True
    try:
        return float(after) == pytest.approx(float(before), rel=1e-13, abs=1e-13)
    except ValueError:
        return False
