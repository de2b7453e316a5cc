"""The answer in one sentence: what it compares by default, equal means, and how certain it is."""

import re
from typing import Any

import numpy as np
import pytest

from annotations.reports.paper.summary import summary
from annotations.reports.study.analysis import Options, analyse, default_pair
from annotations.reports.study.data import StudyData, dimension_data
from annotations.reports.study.document import document
from tests.reports.study.documents import edited, study_data, study_document


def of_means(*means: float) -> str:
    """The sentence on methods a, b, c … with these means, on prompts of their own; two raters, a scale from 1 to 5."""
    levels = [[round(4 * mean) // 4 + (at < round(4 * mean) % 4) for at in range(4)] for mean in means]
    level = np.repeat(np.array(levels).ravel(), 2) - 1
    k = len(means)
    unit, rater = np.repeat(np.arange(4 * k), 2), np.tile([0, 1], 4 * k)
    question = dimension_data(
        "q", unit=unit, rater=rater, level=level, values=[1, 2, 3, 4, 5], rater_names=["x", "y"], n_units=4 * k
    )
    method = np.repeat(np.arange(k), 4)
    data = StudyData(
        [f"u{at}" for at in range(4 * k)],
        [question],
        np.arange(4 * k),
        [f"p{at}" for at in range(4 * k)],
        method,
        list("abcdefgh")[:k],
    )
    options = Options(n_resamples=20, n_permutations=20, comparisons=default_pair(data))
    found = document(analyse(data, options), title="t", code_version="1", made_at="now")
    found = edited(found, lambda made: made["dimensions"][0].update(model=None))
    return summary(found)[0]


class TestEqualMeans:
    def test_two_and_more_methods_with_one_mean_have_the_same(self) -> None:
        assert of_means(4, 4) == "a and b have the same mean rating, 4.00 on a scale from 1 to 5."
        assert of_means(*[3.5] * 7) == "7 methods have the same mean rating, 3.50 on a scale from 1 to 5."

    def test_ties_at_either_end_are_named_together(self) -> None:
        said = of_means(4, 3, 4, 2.5)
        assert said.startswith(
            "Of 4 methods, a and c have the highest mean rating, 4.00 on a scale from 1 to 5, and d "
        )
        assert ", and d the lowest, 2.50 (" in said
        said = of_means(4, 3, 3)
        assert said.startswith("Of 3 methods, a has the highest mean rating, 4.00 on a scale from 1 to 5 (")
        assert "), and b and c the lowest, 3.00; without" in said

    def test_a_single_method_with_ratings_is_not_the_highest_and_the_lowest(self) -> None:
        found = study_document(study_data(methods=("a", "b", "c")))

        def lose(made: dict[str, Any]) -> None:
            question = made["dimensions"][0]
            question.update(comparisons=[], model=None)
            for mean in question["means"][1:]:
                mean["value"] = None

        (line,) = summary(edited(found, lose))
        assert line.startswith("a has the mean rating, ")

    def test_means_that_two_decimals_do_not_tell_apart_have_more(self) -> None:
        found = study_document(study_data(methods=("a", "b", "c")))

        def near(made: dict[str, Any]) -> None:
            question = made["dimensions"][0]
            question.update(comparisons=[], model=None)
            for at, mean in enumerate(question["means"]):
                mean["value"] = 4.0 - 0.001 * at

        (line,) = summary(edited(found, near))
        assert "a has the highest mean rating, 4.000 on" in line
        assert "c the lowest, 3.998 (" in line


class TestTheOnlyTwoMethods:
    def test_they_are_compared_without_being_asked_for(self) -> None:
        data = study_data(n_prompts=20, methods=("zeta", "beta"))
        assert default_pair(data) == [("beta", "zeta")]
        options = Options(n_resamples=20, n_permutations=20, comparisons=default_pair(data))
        (line,) = summary(document(analyse(data, options), title="t", code_version="1", made_at="now"))
        assert re.match(
            r"zeta is rated \d\.\d\d (higher|lower) than beta \(|The ratings do not distinguish zeta from", line
        )

    @pytest.mark.parametrize(
        "data",
        [
            study_data(methods=("a", "b", "c")),
            study_data(methods=("a",)),
            study_data(n_prompts=1, methods=("a", "b")),
            study_data(methods=("a", "b | c")),
            study_data((("which", "nominal"),), methods=("a", "b")),
        ],
        ids=["three", "one", "one prompt", "images side by side", "unordered"],
    )
    def test_others_are_not(self, data: StudyData) -> None:
        assert default_pair(data) == []


class TestHowCertainItIs:
    def test_two_methods_have_the_p_of_their_interval(self) -> None:
        found = study_document(study_data(n_prompts=60, n_raters=6))
        p = found.dimensions[0].comparisons[0].both.p
        assert p is not None
        shown = "p < 0.0001" if p < 0.0001 else f"p = {p:.4f}"
        (line,) = summary(found)
        assert re.search(rf"95% interval over prompts and raters \S+ to \S+, {shown}; better on ", line)

    def test_with_too_few_raters_it_is_the_p_over_prompts_that_agrees_with_the_interval(self) -> None:
        comparison = study_document(study_data(n_prompts=30, n_raters=2)).dimensions[0].comparisons[0]
        (line,) = summary(study_document(study_data(n_prompts=30, n_raters=2)))
        assert comparison.t.p is not None
        shown = "p < 0.0001" if comparison.t.p < 0.0001 else f"p = {comparison.t.p:.4f}"
        assert re.search(rf"95% interval over prompts \S+ to \S+, {shown}; better on ", line)

    def test_the_first_of_many_methods_has_its_odds_against_the_next(self) -> None:
        found = study_document(study_data(n_prompts=12, methods=("a", "b", "c"), seed=3))
        found = edited(found, lambda made: made["dimensions"][0].update(comparisons=[]))
        model = found.dimensions[0].model
        assert model is not None
        best, second = (one.method for one in model.methods[:2])
        pair = next(one for one in model.pairs if {one.first, one.second} == {best, second})
        assert pair.odds_ratio is not None
        (line,) = summary(found)
        assert f"next {second} with " in line
        assert (
            f"; odds ratio against {second} {pair.odds_ratio:.2f}, simultaneous 95% interval over prompts and raters "
            in line
        )
        assert re.search(r" \d+\.\d\d to \d+\.\d\d, p [<=] \d\.\d{4}; all pairs in one model\)\.$", line)

    def test_ends_of_the_odds_that_mean_nothing_are_said_to_be_beyond(self) -> None:
        found = study_document(study_data(n_prompts=12, methods=("a", "b", "c"), seed=3))

        def widen(made: dict[str, Any]) -> None:
            made["dimensions"][0].update(comparisons=[])
            for pair in made["dimensions"][0]["model"]["pairs"]:
                for interval in pair["log_odds"]["intervals"]:
                    interval |= {"low": -900.0, "high": 18.05}

        (line,) = summary(edited(found, widen))
        assert ", simultaneous 95% interval over prompts and raters below 0.01 to above 1,000, p " in line

    def test_means_that_one_sentence_compares_have_the_same_decimals(self) -> None:
        found = study_document(study_data(n_prompts=12, methods=("a", "b", "c"), seed=3))

        def hundred(made: dict[str, Any]) -> None:
            made["dimensions"][0].update(comparisons=[])
            for mean in made["dimensions"][0]["means"]:
                mean["value"] = (
                    64.0 if mean["method"] == made["dimensions"][0]["model"]["methods"][0]["method"] else 52.44
                )

        assert "mean 64.00, next " in summary(edited(found, hundred))[0]
        assert " with 52.44;" in summary(edited(found, hundred))[0]

    def test_a_difference_that_rounds_to_zero_has_no_minus(self) -> None:
        found = study_document(study_data(n_prompts=12, methods=("a", "b", "c"), seed=3))

        def nothing(made: dict[str, Any]) -> None:
            diff = made["dimensions"][0]["comparisons"][0]["mean_diff"]
            diff["value"] = -0.001
            for interval in diff["intervals"]:
                interval |= {"low": -0.5, "high": 0.5}

        assert "mean difference +0.00 (95%" in summary(edited(found, nothing))[0]
