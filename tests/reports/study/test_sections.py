"""What a report shows: each question its own sections, every notice in every rendering, no figure off its scale."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pytest

from annotations.reports.documents.study import StudyDocument
from annotations.reports.page import page
from annotations.reports.paper.limits import limits
from annotations.reports.study.latex import latex
from annotations.reports.study.sections.notices import notices
from annotations.reports.study.sections.report import headline, sections
from annotations.reports.study.tables import CEILING, agreement_rows
from annotations.reports.view import Folded, Table
from tests.reports.study.documents import edited, study_data, study_document

AWKWARD = [
    ["quality", "quality-detail"],
    ["a", "a-means", "a-means-title"],
    ["Image quality", "image-quality", "image quality!"],
    ["質", "質量", "?"],
    ['"><script>alert(1)</script>', "script-alert-1-script"],
]


def ids(html: str) -> list[str]:
    return re.findall(r'\bid="([^"]*)"', html)


@pytest.mark.slow
@pytest.mark.parametrize("names", AWKWARD)
def test_each_question_has_its_own_sections_and_every_id_is_there_once(names: list[str]) -> None:
    made = study_document(study_data([(name, "ordinal") for name in names]))
    text = page(made)

    assert len(ids(text)) == len(set(ids(text)))
    assert all(re.fullmatch(r"[a-z0-9-]+", each) for each in ids(text))
    parts = text.split('<section class="dimension">')[1:]
    assert [unescape(re.findall(r"<h2[^>]*>([^<]*)</h2>", part)[0]) for part in parts] == names
    assert {len(re.findall(r'<section id="', part)) for part in parts} == {5}
    for name in names:
        assert [section.id.rpartition("-")[2] for section in sections(made) if section.question == name] == [
            "1",
            "means",
            "adjusted",
            "agreement",
            "raters",
        ]


def qualified(**more: Any) -> StudyDocument:
    """A document with everything that can qualify figures."""
    data = study_data([("alignment", "ordinal"), ("choice", "nominal")], metrics=["clip"])
    made = study_document(data, raters_by_kind={"simulated": 2, "person": 1}, n_late=3, n_excluded=4)

    def qualify(found: dict[str, Any]) -> None:
        found["warnings"] = ["The names cem and Cem differ in case only."]
        found["facets_left_out"] = {"category": "it has fewer than two values"}
        found["dimensions"][0]["n_gold"] = 5
        found |= more

    return edited(made, qualify)


def test_whatever_qualifies_the_figures_is_in_every_rendering() -> None:
    made = qualified()
    said = [notice.text for notice in notices(made)]

    assert len(said) == 6
    html = unescape(page(made))
    tex = latex(made), latex(made, is_short=True)
    for text in said:
        assert text in html
    about_tables = [notice.text for notice in notices(made, with_facets=False)]  # LaTeX shows metrics by no facet
    assert len(about_tables) == 5
    for text in about_tables:
        assert all(text in each for each in tex), text
    assert html.index("simulated") < html.index("<svg"), "what matters most comes first"
    for each in tex:
        assert each.count("2 of these raters are simulated") == each.count(r"\begin{tabular}")


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ({"simulated": 2}, "All raters here are simulated: a program drew their answers."),
        ({"simulated": 1, "person": 3}, "1 of these raters is simulated: a program drew its answers."),
        ({"person": 3}, ""),
    ],
)
def test_simulated_raters_are_named(kinds: dict[str, int], said: str) -> None:
    text = page(qualified(raters_by_kind=kinds))
    assert said in text
    assert ("simulated" in text) == bool(said)


def test_a_study_of_two_prompts_says_so_instead_of_an_interval() -> None:
    made = study_document(study_data(n_prompts=2, n_raters=2))
    text = unescape(page(made))

    assert "no interval over prompts: too few prompts (2)" in text
    assert "too few raters (2)" in text
    assert "too few prompts (2)" in latex(made)
    for figure in re.findall(r'class="tick"[^>]*>([−0-9.]+)<', "".join(means_pictures(text))):
        assert 1 <= float(figure) <= 5


def means_pictures(html: str) -> list[str]:
    return re.findall(r'aria-label="Mean rating of every method".*?</svg>', html, re.DOTALL)


@pytest.mark.parametrize("n_prompts", [3, 4, 10])
def test_no_mean_is_drawn_or_written_off_its_scale(n_prompts: int) -> None:
    made = study_document(study_data(n_prompts=n_prompts, n_raters=3, seed=n_prompts))
    for mean in made.dimensions[0].means:
        for interval in mean.intervals:
            assert interval.low is None or 1 <= interval.low <= interval.high <= 5
    for interval in made.dimensions[0].comparisons[0].mean_diff.intervals:
        assert interval.low is None or -4 <= interval.low <= interval.high <= 4
    pictures = means_pictures(page(made))
    assert len(pictures) == 2, "for a page and for a phone"
    cut = sum(
        getattr(interval, end)
        for mean in made.dimensions[0].means
        for covers in ("prompts", "raters")
        for interval in [next(each for each in mean.intervals if each.covers == covers)]
        for end in ("cut_low", "cut_high")
    )
    for picture in pictures:
        assert picture.count('class="arrow"') == cut


def test_a_question_without_order_shows_categories_alone() -> None:
    made = study_document(study_data([("choice", "nominal")], metrics=["clip"]))
    html, tex = unescape(page(made)), latex(made)

    assert headline(made.dimensions[0], made).startswith("60 ratings of 20 items by 3 raters; nominal alpha ")
    for word in ("ordinal", "ICC", "AC2", "Kendall", "severity", "milder", "spread", "Mean rating", "Spearman"):
        assert word not in html, word
        assert word not in tex, word
    assert "Gwet's AC1" in html
    assert "Gwet's AC1" in tex
    assert "Agreement of every rater with the others" in html


@pytest.mark.slow
def test_the_rater_who_moves_agreement_most_is_named() -> None:
    made = study_document(study_data(n_raters=5))
    question = made.dimensions[0]
    whole = next(each for each in question.agreement if each.statistic == "krippendorff_alpha_ordinal").value
    without = question.without_rater.values["krippendorff_alpha_ordinal"]
    moves = [abs(value - whole) for value in without]
    most = moves.index(max(moves))
    html = unescape(page(made))
    assert (
        f"Without rater rater {most} ordinal alpha is {without[most]:.2f}; without any one of the others".replace(
            "-", "−"
        )
        in html
    )
    # Two raters: none can be left out.
    assert "Without rater" not in page(study_document(study_data(n_raters=2)))


@pytest.mark.slow
def test_a_rater_who_answers_the_other_way_round_is_named_next_to_agreement() -> None:
    data = study_data(n_raters=4)
    (question,) = data.dimensions
    ratings = question.ratings
    seen = np.clip(ratings.unit % 5 + np.random.default_rng(0).integers(-1, 2, len(ratings)), 0, 4)
    level = np.where(ratings.rater == 2, 4 - seen, seen)
    turned = replace(data, dimensions=[replace(question, ratings=replace(ratings, level=level))])
    (agreement,) = (one for one in sections(study_document(turned)) if one.id.endswith("agreement"))
    assert any(
        "Opposite to the others, by rank correlation: rater 2 (−0.95)" in str(block) for block in agreement.blocks
    )
    (usual,) = (one for one in sections(study_document(data)) if one.id.endswith("agreement"))
    assert not any("Opposite to the others" in str(block) for block in usual.blocks)


@pytest.mark.slow
def test_what_a_figure_rests_on_is_said_in_every_rendering() -> None:
    made = study_document(study_data(n_prompts=3))
    note = "rests on 6 units with two ratings or more"
    assert note in unescape(page(made))
    assert note in latex(made)
    assert all(note in str(row) for row in agreement_rows(made) if row[1] == "krippendorff_alpha_ordinal")
    assert note not in page(study_document(study_data(n_prompts=10)))


def test_a_minus_is_a_minus_and_an_interval_has_no_dash() -> None:
    made = study_document(study_data(seed=8))
    html = re.sub(r":\d+–\d+\.</li>", "", unescape(page(made)))  # without the pages of references
    assert not re.search(r"[>\s\[(]-\d", html), "a hyphen before a figure"
    assert not re.search(r"\d–[−\d]", html)


def test_an_interval_that_says_nothing_takes_the_place_of_the_figure() -> None:
    """Over raters from −.33 to .99: the figure alone would look like a result."""

    def widen(made: dict[str, Any]) -> None:
        for one in made["dimensions"][0]["agreement"]:
            for interval in one["intervals"]:
                if interval["covers"] == "raters":
                    interval |= {"low": -0.33, "high": 0.99, "reason": ""}

    made = study_document(study_data())
    assert "; ordinal alpha " in headline(made.dimensions[0], made)
    wide = edited(made, widen)
    assert headline(wide.dimensions[0], wide) == (
        "60 ratings of 20 items by 3 raters; too few to say how well such raters agree: the 95% interval of ordinal "
        "alpha over raters is −0.33 to 0.99"
    )
    assert "How well raters agree is not known: the interval of ordinal alpha over raters is too wide." in limits(wide)
    assert not any("agree little" in line for line in limits(wide))


def test_metrics_are_shown_by_how_much_people_agree_and_corrected_for_noise() -> None:
    made = study_document(study_data(n_prompts=60, n_raters=2, metrics=("clip",)))
    (shown,) = (section for section in sections(made) if section.title == "Automatic metrics against people")
    every, by_facet = (block for block in shown.blocks if isinstance(block, Folded))
    (of_all,), (_, of_facets) = every.blocks, by_facet.blocks
    assert isinstance(of_all, Table)
    assert isinstance(of_facets, Table)
    assert "Spearman's ρ corrected" in of_all.head
    assert all(str(row[0]).startswith("people's agreement: ") for row in of_facets.rows)
    assert {row[1] for row in of_facets.rows} == {"clip", CEILING}
    assert all(isinstance(row[4], int) and row[4] >= 20 for row in of_facets.rows if row[1] == "clip")


def test_one_of_a_kind_is_singular() -> None:
    made = study_document(study_data(methods=("only",), n_prompts=1, n_raters=1))
    assert headline(made.dimensions[0], made).startswith("1 rating of 1 item by 1 rater; ")


def test_a_document_from_before_these_fields_is_still_drawn() -> None:

    def age(found: dict[str, Any]) -> None:
        for name in ("key", "warnings", "n_late", "raters_by_kind"):
            found.pop(name)
        for dimension in found["dimensions"]:
            for name in ("kind", "n_gold", "without_rater"):
                dimension.pop(name)
            for estimate in dimension["agreement"]:
                estimate.pop("notes")

    made = edited(qualified(), age)
    assert "nominal alpha" in page(made)
    assert r"\label{tab:a-study-" in latex(made)
