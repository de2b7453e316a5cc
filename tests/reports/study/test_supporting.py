"""Fair averages, what decides the lead, raters over time and seeds: from data to document, tables and sections."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from annotations.reports.documents.study import StudyDocument
from annotations.reports.study.analysis import Options, analyse
from annotations.reports.study.data import StudyData, dimension_data
from annotations.reports.study.document import document
from annotations.reports.study.sections.gains import RELIABILITY, WIDTHS
from annotations.reports.study.sections.report import sections
from annotations.reports.study.supporting import reliability_of_means
from annotations.reports.study.tables import TABLES
from annotations.reports.view import Figure, Paragraph, Section
from annotations.reports.votes.fragility import fragility_sentence
from annotations.stats.raters.table import Repeats


def made(**more: Any) -> StudyDocument:
    """Twenty prompts, two methods, two seeds, four raters who get slower; the second method is better."""
    rng = np.random.default_rng(0)
    unit, rater = np.repeat(np.arange(80), 4), np.tile(np.arange(4), 80)
    prompt, method = np.arange(80) // 4, np.arange(80) // 2 % 2
    quality = rng.normal(size=20)[prompt] + 0.8 * method + 0.3 * rng.normal(size=80)
    level = np.clip(np.rint(1.5 + quality[unit] + 0.7 * rng.normal(size=320)), 0, 4).astype(np.int64)
    order = np.empty(320)
    for one in range(4):
        order[rater == one] = rng.permutation(80)
    question = dimension_data(
        "quality",
        unit=unit,
        rater=rater,
        level=level,
        values=[1, 2, 3, 4, 5],
        rater_names=list("wxyz"),
        n_units=80,
        order=order,
        seconds=np.exp(1 + order / 79 + 0.1 * rng.normal(size=320)),
        **more,
    )
    data = StudyData(
        [f"u{at}" for at in range(80)],
        [question],
        prompt,
        [f"prompt {at} {'long ' * 30}" for at in range(20)],
        method,
        ["base", "refined"],
    )
    options = Options(n_resamples=20, n_permutations=20, comparisons=[("base", "refined")])
    return document(analyse(data, options), title="t", code_version="c", made_at="now")


def rows(found: StudyDocument, table: str) -> list[dict[str, Any]]:
    columns, make = TABLES[table]
    return [dict(zip(columns, row, strict=True)) for row in make(found)]


def paragraphs(section: Section) -> str:
    return " ".join(block.text for block in section.blocks if isinstance(block, Paragraph))


def test_tables_have_fair_averages_what_decides_and_how_reliable_raters_are() -> None:
    repeats = Repeats(np.array([0, 1, 2, 3]), np.array([1, 2, 3, 4]), np.array([1, 2, 3, 3]))
    found = made(repeats=repeats)
    base, refined = rows(found, "adjusted")
    assert base["low"] < base["adjusted_mean"] < base["high"]
    # Everybody rated everything: the fair averages are the plain means.
    assert refined["adjusted_mean"] == pytest.approx(refined["raw_mean"])
    by_kind = {row["kind"]: row for row in rows(found, "fragility")}
    assert set(by_kind) == {"prompts", "raters", "ratings"}
    assert 1 < by_kind["prompts"]["fewest"] < 20
    assert all(len(name) <= 80 for name in found.dimensions[0].comparisons[0].fewest[0].names)
    reliability = {row["statistic"]: row for row in rows(found, "reliability")}
    assert reliability["within_rater_same"]["value"] == 0.75
    assert reliability["drift_time"]["value"] == pytest.approx(np.e, rel=0.1)
    assert reliability["drift_time"]["p"] < 0.001
    assert reliability["variance_prompt"]["value"] > reliability["variance_seed"]["value"] > -0.05
    assert found.dimensions[0].comparisons[0].over_seeds is not None
    assert found.dimensions[0].raters[3].self_consistency.value == 0


def test_sections_say_it_in_sentences() -> None:
    by_title = {section.title: section for section in sections(made())}
    assert by_title["Fair averages"].table == "adjusted"
    comparison = paragraphs(by_title["refined against base"])
    assert "The lead would be gone without" in comparison
    assert "but other images: 95% interval" in comparison
    assert "raters get slower by a factor of" in paragraphs(by_title["Raters"])
    assert "grow" not in paragraphs(by_title["Raters"])


def test_without_methods_order_and_repeats_nothing_is_claimed() -> None:
    question = dimension_data(
        "d",
        unit=np.repeat(np.arange(10), 3),
        rater=np.tile(np.arange(3), 10),
        level=np.arange(30) % 3,
        values=[1, 2, 3],
        rater_names=list("abc"),
        n_units=10,
    )
    nothing = np.full(10, -1, np.int64)
    data = StudyData([f"u{at}" for at in range(10)], [question], nothing, [], nothing, [])
    found = document(analyse(data, Options(n_resamples=20)), title="t", code_version="c", made_at="now")
    assert [list(rows(found, name)) for name in ("adjusted", "fragility", "gains")] == [[], [], []]
    assert {row["statistic"].rpartition("_")[0] for row in rows(found, "reliability")} == {"share_of_variance"}
    assert "Fair averages" not in {section.title for section in sections(found)}
    assert fragility_sentence(()) == ""


def test_what_more_raters_and_prompts_buy_is_drawn_and_in_the_tables() -> None:
    found = made()
    by_size = {(row["n_prompts"], row["n_raters"]): row["half_width"] for row in rows(found, "gains")}
    assert next(iter(by_size)) == (20, 4)
    assert by_size[20, 8] < by_size[20, 6] < by_size[20, 4]

    reliability = {row["statistic"]: row for row in rows(found, "reliability")}
    icc = {one.statistic: one for one in found.dimensions[0].agreement}
    one, four = (reliability[f"reliability_of_mean_of_{k}"] for k in (1, 4))
    assert one["value"] == pytest.approx(icc["icc_a_1"].value)
    assert four["value"] == pytest.approx(icc["icc_a_k"].value)
    assert four["low"] < four["value"] < four["high"]
    assert "interval over items and raters" in four["method"]
    shares = [reliability[f"share_of_variance_{name}"]["value"] for name in ("item", "rater", "rest")]
    assert sum(shares) == pytest.approx(1)
    assert shares[0] == pytest.approx(one["value"])

    by_title = {section.title: section for section in sections(found)}
    drawn = [block.title for each in by_title.values() for block in each.blocks if isinstance(block, Figure)]
    assert {RELIABILITY, WIDTHS} <= set(drawn)
    assert "The mean of 4 raters has a reliability of" in paragraphs(by_title["Agreement"])
    assert "With 20 prompts and 4 raters who rate both methods" in paragraphs(by_title["refined against base"])


def test_without_all_ratings_each_item_has_raters_of_its_own() -> None:
    found = made()
    question = found.dimensions[0]
    gappy = replace(question, n_units=question.n_units + 1)
    assert {one.words for one in reliability_of_means(gappy)} == {"ICC(1,k), other raters for each item"}
    unreliable = [replace(one, value=-0.1) if one.statistic == "icc_a_1" else one for one in question.agreement]
    assert reliability_of_means(replace(question, agreement=tuple(unreliable))) == []
