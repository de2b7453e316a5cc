"""A plan that is frozen: its hash, its documents, and what was done otherwise."""

import hashlib
import json
from dataclasses import replace

import pytest

from annotations.reports.registration.deviations import Outcome, deviations
from annotations.reports.registration.documents import (
    REGISTRIES,
    Registered,
    answers,
    registration_markdown,
    registration_pdf,
)
from annotations.reports.registration.plan import INTENTIONS, Plan, PlannedQuestion, digest_of, registration_file

QUESTION = PlannedQuestion("match", "Does it match?", "ordinal", "image", (("1", "no"), ("2", "yes")), True)
PLAN = Plan(
    title="Foxes",
    item_kind="image",
    pairing="",
    methods=("base", "refined"),
    n_items=40,
    n_prompts=20,
    items_digest="ab" * 32,
    raters_per_item=3,
    items_per_rater=None,
    order="shuffled",
    seed=7,
    instructions="Look closely.",
    consent="",
    exclusion_rule="Fails two checks.",
    questions=(QUESTION,),
    comparisons=(("base", "refined"),),
    intentions={one.key: f"about {one.key}" for one in INTENTIONS},
)
DONE = Outcome(n_answered=120, comparisons=(("base", "refined"),), is_closed=True)
AT = "2026-03-01T10:00:00+00:00"


def test_the_digest_is_the_hash_of_the_file_and_the_plan_comes_back() -> None:
    content = registration_file(PLAN, made_at=AT, number=1)
    assert hashlib.sha256(content).hexdigest() == digest_of(PLAN, made_at=AT, number=1)
    assert Plan.from_json(json.loads(content)["plan"]) == PLAN


@pytest.mark.parametrize("change", [{"seed": 8}, {"intentions": {}}, {"questions": ()}])
def test_every_change_has_another_digest(change: dict[str, object]) -> None:
    other = replace(PLAN, **change)  # type: ignore[arg-type] (fields of a plan)
    assert digest_of(other, made_at=AT, number=1) != digest_of(PLAN, made_at=AT, number=1)


def test_a_study_that_kept_to_its_plan_has_no_deviation() -> None:
    assert deviations(PLAN, replace(PLAN, title="Foxes again", code_version="later"), DONE) == []


def test_changed_settings_name_both_values() -> None:
    now = replace(PLAN, raters_per_item=5, instructions="", rater_rules={"gold_share": 5})
    found = deviations(PLAN, now, replace(DONE, n_answered=200))
    assert found == [
        "Raters per item: registered 3; now 5.",
        "Instructions: registered “Look closely.”; now nothing.",
        "Rule for raters, gold share: registered nothing; now 5.",
    ]


def test_a_plan_of_two_methods_need_not_name_their_comparison() -> None:
    plan = replace(PLAN, comparisons=())
    done = replace(DONE, comparisons=(("refined", "base"),))
    assert deviations(plan, plan, done) == []
    assert len(deviations(replace(plan, methods=("base", "refined", "third")), plan, done)) == 2


def test_other_words_and_other_answers_are_two_deviations() -> None:
    other = replace(QUESTION, question="Does it fit?", levels=(("1", "no"), ("2", "partly"), ("3", "yes")))
    found = deviations(PLAN, replace(PLAN, questions=(other, replace(QUESTION, name="new"))), DONE)
    assert len(found) == 3
    assert "“Does it fit?”" in found[0]
    assert "partly" in found[1]
    assert found[2].startswith("Question added")


def test_the_same_number_of_other_images_is_noticed() -> None:
    (found,) = deviations(PLAN, replace(PLAN, items_digest="cd" * 32), DONE)
    assert "not the same images" in found


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (replace(DONE, n_answered=90), "120 cards were planned; the study was closed after 90"),
        (replace(DONE, n_before=2), "2 answers dated before the registration"),
        (replace(DONE, excluded=["too fast", "too fast"]), "2 raters excluded (too fast): check each"),
        (replace(DONE, comparisons=()), "registered, but not in the report"),
        (replace(DONE, comparisons=(("base", "refined"), ("base", "third"))), "not registered, so exploratory"),
    ],
)
def test_sample_exclusions_and_analysis_are_compared(outcome: Outcome, words: str) -> None:
    (found,) = deviations(PLAN, PLAN, outcome)
    assert words in found


def test_a_study_that_is_still_open_has_no_sample_to_compare() -> None:
    assert deviations(PLAN, PLAN, Outcome(n_answered=3, comparisons=PLAN.comparisons)) == []


def test_an_exclusion_without_a_registered_rule_says_so() -> None:
    (found,) = deviations(
        replace(PLAN, exclusion_rule=""), replace(PLAN, exclusion_rule=""), replace(DONE, excluded=["x"])
    )
    assert "without a registered rule" in found


@pytest.mark.parametrize("registry", list(REGISTRIES))
def test_a_document_has_every_intention_and_both_kinds_of_file(registry: str) -> None:
    registered = Registered(PLAN, 1, AT, "f" * 64, ["Raters per item: registered 3; now 5."])
    text = registration_markdown(registered, registry)
    for one in INTENTIONS:
        assert f"about {one.key}".replace("_", "\\_") in text, one.key
    for part in ("Does it match?", "Fails two checks.", "f" * 64, "Deviations so far", "40 items", "refined with base"):
        assert part in text
    assert registration_pdf(registered, registry).startswith(b"%PDF")


def test_what_nobody_stated_is_named() -> None:
    text = registration_markdown(Registered(replace(PLAN, intentions={}), 1, AT, "f" * 64), "osf")
    assert "Not stated." in text
    assert dict(answers(PLAN, "aspredicted"))["9) Name of the study"] == "Foxes"
