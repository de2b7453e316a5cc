"""What the report says in sentences: the answer, the methods that were used, and the limits."""

import re
from typing import Any

import numpy as np

from annotations.reports.paper.checklists.items import values
from annotations.reports.paper.limits import limits
from annotations.reports.paper.methods import cited, methods
from annotations.reports.paper.references.bibliography import REFERENCES
from annotations.reports.paper.summary import summary
from annotations.reports.study.data import StudyData, dimension_data
from annotations.reports.study.sections.comparisons import comparison_blocks
from annotations.reports.view import Paragraph
from tests.reports.study.documents import edited, study_data, study_document

DESIGN: dict[str, Any] = {
    "item_kind": "pair",
    "raters_per_item": 3,
    "items_per_rater": 40,
    "order": "shuffled",
    "seed": 7,
    "batch_size": 10,
    "lease_minutes": 30,
    "instructions": "Look at the whole picture.",
    "consent": "I agree.",
    "exclusion_rule": "",
    "n_items": 20,
    "n_items_complete": 18,
    "n_joined": 4,
    "n_consented": 3,
    "imported_share": 0.0,
    "n_changed": 2,
    "allows_unable": ["alignment"],
    "first_answer": "2026-11-01T10:00:00+00:00",
    "last_answer": "2026-11-03T10:00:00+00:00",
    "median_seconds": 6.25,
    "is_simulated": False,
    "notes": None,
}


def constant_gain(n_prompts: int, gain: int) -> StudyData:
    """Three raters of two methods: each rates the refined image of a prompt this much higher than the other."""
    prompt, method = (codes.ravel() for codes in np.indices((n_prompts, 2)))
    unit, rater = (codes.ravel() for codes in np.indices((2 * n_prompts, 3)))
    level = 1 + (7 * prompt[unit] + rater) % 3 + gain * method[unit]
    question = dimension_data(
        "quality",
        unit=unit,
        rater=rater,
        level=level,
        values=[1, 2, 3, 4, 5],
        rater_names=list("xyz"),
        n_units=2 * n_prompts,
    )
    names = [f"u{at}" for at in range(2 * n_prompts)]
    return StudyData(names, [question], prompt, [f"p{at}" for at in range(n_prompts)], method, ["base", "refined"])


def said(**more: Any) -> str:
    return "\n".join(methods(study_document(study_data(), **more)))


class TestSummary:
    def test_a_clear_difference_is_said_with_its_interval_and_tally(self) -> None:
        found = study_document(study_data(n_prompts=60, n_raters=6))
        comparison = found.dimensions[0].comparisons[0]
        (line,) = summary(found)
        assert line.startswith("refined #2 is rated ")
        assert " higher than base_line (95% interval over prompts and raters +" in line
        assert f"better on {comparison.wins} of 60 prompts, worse on {comparison.losses}" in line

    def test_equal_methods_are_not_distinguished(self) -> None:
        found = study_document(study_data(n_prompts=12, methods=("a", "b", "c"), seed=3))

        def blur(made: dict[str, Any]) -> None:
            for interval in made["dimensions"][0]["comparisons"][0]["mean_diff"]["intervals"]:
                interval |= {"low": -0.5, "high": 0.5}

        found = edited(found, blur)
        assert summary(found)[0].startswith("The ratings do not distinguish b from a: mean difference ")

    def test_two_prompts_allow_no_answer_and_say_why(self) -> None:
        (line,) = summary(study_document(study_data(n_prompts=2, n_raters=2)))
        assert "is undecided" in line
        assert "no interval: too few prompts (2)" in line

    def test_a_constant_gain_has_no_interval_and_is_decided_by_the_exact_tests(self) -> None:
        """Refined is better by 1 on all of 8 prompts: p of both tests is 2/2⁸. On 5 prompts it is 2/2⁵."""
        (line,) = summary(study_document(constant_gain(8, 1)))
        assert line.startswith("refined is rated 1.00 higher than base (no interval: all differences are equal; ")
        assert "tests over prompts, for these raters: permutation p = 0.0078, Wilcoxon p = 0.0078" in line
        assert line.endswith("better on 8 of 8 prompts, worse on 0).")
        (line,) = summary(study_document(constant_gain(5, -1)))
        assert line.startswith("refined against base is undecided: the mean difference is −1.00 (no interval: all ")
        assert "permutation p = 0.0625, Wilcoxon p = 0.0625" in line
        (line,) = summary(study_document(constant_gain(8, 0)))
        assert line.startswith(
            "The ratings do not distinguish refined from base: mean difference +0.00 (no interval: all"
        )
        assert "for these raters: permutation p = 1.0000; better on 0 of 8 prompts" in line

    def test_the_page_says_the_same_of_a_constant_gain(self) -> None:
        made = study_document(constant_gain(8, 1))
        blocks = comparison_blocks(made.dimensions[0].comparisons[0])
        assert isinstance(blocks[0], Paragraph)
        assert "(no interval over prompts: all differences are equal; " in blocks[0].text
        assert "tests over prompts, for these raters: permutation p = 0.0078, Wilcoxon p = 0.0078" in blocks[0].text

    def test_a_scale_below_zero_has_one_minus_sign(self) -> None:
        def below_zero(made: dict[str, Any]) -> None:
            question = made["dimensions"][0]
            question["values"] = [-value for value in question["values"]][::-1]

        found = edited(study_document(study_data(n_prompts=12, methods=("a",))), below_zero)
        lowest = f"−{-found.dimensions[0].values[0]:g}"
        assert f"from {lowest} to " in summary(found)[0]
        texts = [*summary(found), *methods(found), values(found.dimensions[0]), *found.dimensions[0].level_names]
        assert any(lowest in text for text in methods(found))
        assert not re.search(r"(?<!\w)-\d", " ".join(texts))

    def test_several_questions_are_named(self) -> None:
        lines = summary(study_document(study_data([("alignment", "ordinal"), ("which", "nominal")])))
        assert [line.partition(":")[0] for line in lines] == ["alignment", "which"]
        assert "The most frequent answer is “" in lines[1]

    def test_many_methods_without_a_comparison_are_ranked_by_their_model(self) -> None:
        found = study_document(study_data(n_prompts=12, methods=("a", "b", "c"), seed=3))

        def of_letters(*letters: str) -> str:
            def change(made: dict[str, Any]) -> None:
                dimension = made["dimensions"][0]
                dimension["comparisons"] = []
                for one, each in zip(dimension["model"]["methods"], letters, strict=True):
                    one["letters"] = each

            return summary(edited(found, change))[0]

        model = found.dimensions[0].model
        assert model is not None
        best, second, _ = (one.method for one in model.methods)
        assert of_letters("a", "b", "b").startswith(
            f"Of 3 methods, {best} is rated higher than each of the others (mean"
        )
        assert f"{best} is rated highest, but is not distinguished from {second} (mean " in of_letters("a", "ab", "b")
        assert of_letters("a", "a", "a").startswith(
            f"The ratings do not distinguish {best}, which is rated highest, from either of the other two methods ("
        )
        assert "over prompts and raters" in of_letters("a", "a", "a")

    def test_methods_without_a_comparison_are_not_ranked_as_proven(self) -> None:
        found = study_document(study_data(methods=("a", "b")))
        found = edited(found, lambda made: made["dimensions"][0].update(comparisons=[]))
        assert " has the higher mean rating, " in summary(found)[0]
        assert ", and " in summary(found)[0]
        assert summary(found)[0].endswith("; without a paired comparison this does not show that they differ.")


class TestMethods:
    def test_files_do_not_pretend_to_know_the_design(self) -> None:
        text = said()
        assert "do not record how items were assigned" in text
        assert "blind: " not in text
        assert "shuffled" not in text

    def test_the_design_that_was_used_is_described(self) -> None:
        text = said(design=DESIGN)
        assert "two images side by side, with their prompt" in text
        assert "Which image was on the left was drawn for each rater and item." in text
        assert "Each pair was to be judged by 3 raters; 18 of 20 pairs were." in text
        assert "shuffled for each rater (seed 7)" in text
        assert "on record for 3 raters" in text
        assert "2 answers were changed" in text
        assert "or “unable to answer”" in text
        assert "from 2026-11-01 to 2026-11-03" in text

    def test_nothing_changed_on_one_day_and_every_item_complete_read_as_such(self) -> None:
        text = said(design={**DESIGN, "n_items_complete": 20, "n_changed": 0, "last_answer": DESIGN["first_answer"]})
        assert "by 3 raters; all 20 pairs were." in text
        assert "the last one counts. No answer was changed." in text
        assert "Answers were given on 2026-11-01." in text
        one = said(design={**DESIGN, "n_items": 1, "n_items_complete": 1, "n_changed": 1})
        assert "by 3 raters; the only pair was." in one
        assert "1 answer was changed." in one

    def test_the_methods_of_a_pair_are_counted_one_by_one(self) -> None:
        assert "by 3 methods (base_line, refined #2, placebo)" in said(
            methods=["base_line | refined #2", "base_line | placebo"]
        )

    def test_another_design_gives_other_words(self) -> None:
        text = said(design={**DESIGN, "item_kind": "image", "order": "fixed", "consent": "", "allows_unable": []})
        assert "one image at a time" in text
        assert "on the left" not in text
        assert "the same for all raters" in text
        assert "No consent text was shown." in text
        assert "unable" not in text

    def test_choices_between_two_images_need_no_words(self) -> None:
        found = edited(
            study_document(study_data([("which", "preference")])), lambda made: made["dimensions"][0].update(labels=[])
        )
        assert "on 5 unordered choices (1 = the image on the left; 2 = the image on the right; 3; 4; 5) (" in "\n".join(
            methods(found)
        )
        (line,) = summary(found)
        assert line.startswith("60 votes on 20 pairs of images by 3 raters; ")

    def test_imported_answers_have_no_procedure(self) -> None:
        text = said(design={**DESIGN, "imported_share": 1.0})
        assert "100% of the answers were collected elsewhere" in text
        assert "shuffled" not in text

    def test_exclusions_are_reported(self) -> None:
        excluded = [{"rater": "r9", "reason": "failed checks", "n_answers": 12}]
        text = said(design=DESIGN, excluded_raters=excluded, exclusion_rule="Two failed checks.", n_late=1)
        assert "declared before the study opened: “Two failed checks.”" in text
        assert "1 rater with 12 answers was excluded (failed checks)" in text
        assert "1 card came after others" in text
        assert "r9" not in text, "a paper does not name raters"

    def test_only_what_was_computed_is_cited(self) -> None:
        nominal = cited(methods(study_document(study_data([("which", "nominal")]))))
        ordinal = cited(methods(study_document(study_data(metrics=("clip",)))))
        assert "wilcoxon1945" not in nominal
        assert "spearman1904" not in nominal
        assert {"wilcoxon1945", "spearman1904", "mcgraw1996"} <= set(ordinal)
        assert set(nominal) | set(ordinal) <= set(REFERENCES)


class TestLimits:
    def test_few_raters_low_agreement_and_missing_ratings_are_named(self) -> None:
        found = study_document(study_data(n_prompts=6, n_raters=2, seed=1), design={**DESIGN, "order": "fixed"})
        n_ratings = found.dimensions[0].n_ratings
        found = edited(found, lambda made: made["dimensions"][0].update(n_unable=n_ratings))
        lines = limits(found)
        assert "With 2 raters, nothing can be said about other raters." in lines
        assert "2 of 20 pairs have fewer raters than planned." in lines
        assert any(line.startswith("50% of the answers were “unable to answer”") for line in lines)
        assert any("in the same order" in line for line in lines)
        assert any("6 prompts say little" in line for line in lines)

    def test_prompts_that_were_read_in_part_are_named_by_method(self) -> None:
        found = study_document(study_data(), design={**DESIGN, "cut_prompts": [["refined", 1200, 2400]]})
        assert any(line.startswith("Of 1,200 of 2,400 images of refined, a text encoder") for line in limits(found))

    def test_simulated_raters_lead(self) -> None:
        lines = limits(study_document(study_data(), raters_by_kind={"simulated": 3}))
        assert lines[0].startswith("Simulated raters took part")

    def test_no_study_is_without_limits(self) -> None:
        perfect = {**DESIGN, "n_items_complete": 20, "exclusion_rule": "x"}
        assert limits(study_document(study_data(n_prompts=40, n_raters=8), design=perfect))[-1].startswith(
            "Prompts and"
        )
