"""Three methods and categories of prompts in a study's document, sections and tables."""

from dataclasses import replace
from typing import Any

import numpy as np

from annotations.reports.paper.methods import methods
from annotations.reports.paper.summary import summary
from annotations.reports.study.analysis import Options, analyse
from annotations.reports.study.data import StudyData, dimension_data
from annotations.reports.study.document import document
from annotations.reports.study.sections.report import sections
from annotations.reports.study.tables import TABLES
from annotations.reports.view import Paragraph
from tests.reports.study.documents import edited, study_data, study_document


def test_three_methods_and_a_category_have_their_sections_and_tables() -> None:
    """60 prompts of two categories, three methods, four raters; refined gains more on one category."""
    rng = np.random.default_rng(0)
    prompt, method = np.repeat(np.arange(60), 3), np.tile(np.arange(3), 60)
    unit, rater = np.repeat(np.arange(180), 4), np.tile(np.arange(4), 180)
    gain = np.array([0.0, 1.0, 1.4])[method] * np.where(prompt < 30, 1.0, 0.3)
    level = np.clip(np.rint(1.5 + gain[unit] + rng.normal(size=720)), 0, 4).astype(np.int64)
    question = dimension_data(
        "quality", unit=unit, rater=rater, level=level, values=[1, 2, 3, 4, 5], rater_names=list("wxyz"), n_units=180
    )
    category = np.where(prompt < 30, "color", "counting").astype(object)
    data = StudyData(
        [f"u{at}" for at in range(180)],
        [question],
        prompt,
        [f"p{at}" for at in range(60)],
        method,
        ["base", "refined", "ours"],
        {"category": category},
    )
    options = Options(n_resamples=20, n_permutations=20, comparisons=[("base", "refined")], margin=0.3)
    made = document(analyse(data, options), title="t", code_version="c", made_at="now")
    (dimension,) = made.dimensions
    assert [one.method for one in dimension.model.methods][-1] == "base"
    columns, method_pairs = TABLES["method_pairs"]
    for row in (dict(zip(columns, row, strict=True)) for row in method_pairs(made)):
        is_apart = not set(row["letters_a"]) & set(row["letters_b"])
        assert (row["p_simultaneous"] < 0.05) == (row["low"] > 0 or row["high"] < 0) == is_apart
    titles = [section.title for section in sections(made)]
    assert "All methods in one model" in titles
    (shown,) = (section for section in sections(made) if section.title == "All methods in one model")
    notes = [block.text for block in shown.blocks if isinstance(block, Paragraph)]
    assert any(
        "where the interval of a pair excludes 0, and only there, its simultaneous p is below .05" in note
        for note in notes
    )
    assert any(note.startswith("Standard deviations of random effects, log odds: images ") for note in notes)
    assert any(note.startswith("Thresholds between the levels in use") and note.count(", ") == 4 for note in notes)
    written = " ".join(methods(made))
    assert "hold together [@hothorn2008], over prompts and raters; simultaneous p-values agree with them" in written
    assert "two one-sided tests at 5% each [@schuirmann1987] with a margin of 0.3" in written
    assert "Welch's F test" in written
    assert "Fair averages are least-squares means" in written
    assert "repeated items" not in written
    (comparison,) = dimension.comparisons
    (facet,) = comparison.categories
    assert [(one.category, one.n) for one in facet.effects] == [("color", 30), ("counting", 30)]
    assert facet.interaction.p < 0.2
    assert comparison.equivalence.words.startswith("not inferior")
    said = " ".join(block.text for one in sections(made) for block in one.blocks if isinstance(block, Paragraph))
    assert " Not inferior: a loss of 0.3 or more is ruled out." in said
    open_question = replace(comparison.equivalence, words="neither equivalence nor non-inferiority is shown")
    undecided = replace(dimension, comparisons=(replace(comparison, equivalence=open_question),))
    found = sections(replace(made, dimensions=(undecided,)))
    said = " ".join(block.text for one in found for block in one.blocks if isinstance(block, Paragraph))
    assert " At a margin of 0.3, neither equivalence nor non-inferiority is shown." in said
    names = {name: len(list(rows(made))) for name, (_, rows) in TABLES.items()}
    assert (names["categories"], names["method_pairs"], names["means_by_facet"]) == (2, 3, 6)
    for name, (columns, rows) in TABLES.items():
        assert all(len(row) == len(columns) for row in rows(made)), name


def test_a_document_of_an_earlier_version_names_holms_correction() -> None:
    """Its letters followed Holm's p, and it has no simultaneous one."""

    def without(made: dict[str, Any]) -> None:
        made["dimensions"][0]["comparisons"] = []
        for pair in made["dimensions"][0]["model"]["pairs"]:
            del pair["p_simultaneous"]

    new = study_document(study_data(n_prompts=12, methods=("a", "b", "c"), seed=3))
    old = edited(new, without)
    assert ", simultaneous 95% interval over prompts and raters " in summary(edited(new, _without_comparisons))[0]
    assert "; all pairs in one model, Holm's correction, 5%)." in summary(old)[0]
    assert "p-values have Holm's correction [@holm1979], and methods that share a letter" in " ".join(methods(old))
    (shown,) = (section for section in sections(old) if section.title == "All methods in one model")
    assert any(isinstance(block, Paragraph) and "Holm's correction)." in block.text for block in shown.blocks)


def _without_comparisons(made: dict[str, Any]) -> None:
    made["dimensions"][0]["comparisons"] = []
