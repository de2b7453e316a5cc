"""Checklists say what a study knows, with its evidence, and name what is missing with a cure."""

import json
import re
from typing import Any

from annotations.questions import ACCEPTANCE, ALIGNMENT, BEST_WORST, FAITHFULNESS, PREFERENCE, RANKING
from annotations.reports.documents.study import StudyDocument
from annotations.reports.paper.checklists.heds import CRITERION_FIELDS, MATCH_QUESTIONS, OTHER_FIELDS, heds, n_filled
from annotations.reports.paper.checklists.heds_fields import FIELDS, blank_fields
from annotations.reports.paper.checklists.written import checklist_files, checklists
from tests.reports.paper.test_said import DESIGN
from tests.reports.study.documents import edited, study_data, study_document


def careful(**more: Any) -> StudyDocument:
    def word(found: dict[str, Any]) -> None:
        for dimension in found["dimensions"]:
            dimension["question"] = "Does the image match the prompt?"
            dimension["labels"] = ["not at all", "badly", "partly", "nearly", "exactly"]

    return edited(study_document(study_data(n_raters=4), **{"design": DESIGN} | more), word)


def test_a_careful_study_answers_what_it_knows() -> None:
    otani, grras = checklists(careful())
    answered = {item.number: item.answer for item in grras.items if not item.is_missing}
    assert {"2", "6", "8", "9", "10", "11", "13", "15"} <= set(answered)
    assert "1 not at all, 2 badly" in answered["2"]
    assert "3 raters per pair were planned; 18 of 20 pairs reached that number." in answered["6"]
    assert "alpha" in answered["13"]
    words = {item.number: item.answer for item in otani.items}
    assert words["5"] == "“Look at the whole picture.”"
    assert words["15"] == "Consent was asked for before the first card."


def test_a_careless_study_learns_what_is_missing_and_how_to_fix_it() -> None:
    document = careful(design={**DESIGN, "instructions": "", "consent": "", "median_seconds": None})
    otani, _ = checklists(document)
    missing = {item.number: item.cure for item in otani.missing}
    assert {"5", "8", "9", "10", "15"} <= set(missing)
    assert missing["5"].startswith("Write instructions")
    assert "consent" in missing["15"]
    for checklist in checklists(document):
        assert all(item.cure for item in checklist.missing)


def test_ratings_from_files_leave_the_design_open() -> None:
    _, grras = checklists(study_document(study_data()))
    assert {"2", "6", "8", "9"} <= {item.number for item in grras.missing}


def test_the_form_gets_thirty_fields_of_one_question() -> None:
    sheet = heds(careful(raters_by_kind={"person": 4}))
    assert n_filled(sheet) >= 30
    criterion = "heds-criteria-criterion"
    assert sheet[criterion]["control"] == {"alignment": True}
    chosen = sheet[f"{criterion}-evaluation_mode-absolute_or_relative-1"]
    assert chosen == {"data": {"alignment": True}, "control": {}, "text": {}, "number": "4.2.2"}
    assert sheet[f"{criterion}-response_elicitation-size_of_scale"]["data"] == {"alignment": "5"}
    assert sheet["heds-sample_evaluators_design-evaluators-number_of_evaluators"]["data"] == {"": "4"}


def test_an_imported_study_of_one_question_fills_thirty_fields() -> None:
    document = study_document(study_data(n_raters=4), design={**DESIGN, "imported_share": 1.0})
    sheet = heds(edited(document, lambda found: found["dimensions"][0].update(question=ALIGNMENT.question)))
    assert n_filled(sheet) >= 30
    numbers = {entry["number"] for entry in sheet.values() if entry.get("number")}
    unknown = {
        "2.4",
        "3.1.2",
        "3.2.2.2",
        "3.2.4",
        "3.3.2",
        "3.3.4.2",
        "3.3.5",
        "3.3.6",
        "3.3.7",
        "3.3.8",
        "4.3.5",
        "5.2",
    }
    assert not numbers & unknown, "how the answers were collected is not known"


def test_ratings_from_files_with_the_wording_fill_thirty_fields_and_without_it_fewer() -> None:
    document = study_document(study_data(n_raters=4))
    worded = edited(document, lambda found: found["dimensions"][0].update(question=ALIGNMENT.question))
    assert n_filled(heds(worded)) >= 30
    bare = edited(document, lambda found: found["dimensions"][0].update(comparisons=[]))
    assert 20 <= n_filled(heds(bare)) < 30
    assert {"4.1.1", "4.3.2", "4.3.7"} <= {number for number, *_ in blank_fields(heds(bare), ["alignment"])}


def test_a_name_used_as_the_question_is_not_its_wording() -> None:
    named = edited(study_document(study_data()), lambda found: found["dimensions"][0].update(question="alignment"))
    assert {"4.3.2", "4.3.7"} <= {number for number, *_ in blank_fields(heds(named), ["alignment"])}


def test_outputs_are_counted_per_system() -> None:
    sheet = heds(study_document(study_data(n_prompts=10)))
    assert sheet["heds-sample_evaluators_design-sample-number_of_system_outputs"]["data"] == {"": "10"}


def test_the_fields_are_those_of_the_form_and_each_blank_one_has_a_cure() -> None:
    per_criterion = [number for number in FIELDS if number.startswith("4.")]
    assert (len(per_criterion), len(FIELDS)) == (CRITERION_FIELDS, CRITERION_FIELDS + OTHER_FIELDS)
    document = careful()
    sheet = heds(document)
    blank = blank_fields(sheet, ["alignment"])
    assert len(blank) + n_filled(sheet) == len(FIELDS)
    text = dict(checklist_files(document))["checklists/checklists.md"].decode()
    assert all(f"- **{number}** {asks}: " in text for number, _, asks, cure in blank if cure)


def test_questions_about_the_match_are_those_that_the_site_offers() -> None:
    presets = (ALIGNMENT, FAITHFULNESS, ACCEPTANCE, PREFERENCE, RANKING, BEST_WORST)
    assert {str(preset.question) for preset in presets} == MATCH_QUESTIONS


def test_what_researchers_wrote_of_pay_decides_only_where_it_is_plain() -> None:
    def chosen(payment: str) -> set[str]:
        sheet = heds(careful(design={**DESIGN, "notes": {"payment": payment}}))
        return {
            place[-1] for place in sheet if place.startswith("heds-sample_evaluators_design-evaluators-evaluators-pay")
        }

    assert chosen("12 euros per hour") == {"1"}
    assert chosen("Not paid.") == {"3"}
    assert chosen("See the paper.") == set()


def test_every_entry_has_the_shape_that_the_form_reads() -> None:
    sheet = heds(study_document(study_data([("a", "ordinal"), ("b", "nominal")]), design=DESIGN))
    assert json.loads(json.dumps(sheet)) == sheet
    for place, entry in sheet.items():
        assert re.fullmatch(r"heds-[a-z_]+(-[a-z_]+)*(-\d+)?", place)
        assert set(entry) <= {"data", "control", "text", "number"}
        keys = set(entry["data"])
        assert keys <= ({"a", "b"} if place.startswith("heds-criteria") else {""})
        is_option = bool(re.search(r"-\d+$", place))
        assert all(value is True if is_option else isinstance(value, str) and value for value in entry["data"].values())
        if not place.endswith("-other_text") and place != "heds-criteria-criterion":
            assert re.fullmatch(r"\d(\.\d+)+", entry["number"])


def test_preferences_are_relative_and_categories_are_labels() -> None:
    sheet = heds(study_document(study_data([("which", "preference"), ("kind", "nominal")]), design=DESIGN))
    relative = sheet["heds-criteria-criterion-evaluation_mode-absolute_or_relative-2"]["data"]
    assert relative == {"which": True}
    form = "heds-criteria-criterion-response_elicitation-form_of_response"
    assert sheet[f"{form}-3"]["data"] == {"which": True}
    assert sheet[f"{form}-7"]["data"] == {"kind": True}


def test_the_file_to_read_has_boxes_for_all_items() -> None:
    document = careful()
    files = dict(checklist_files(document))
    text = files["checklists/checklists.md"].decode()
    items = [item for checklist in checklists(document) for item in checklist.items]
    assert len(re.findall(r"^- \[[ x]\] ", text, re.MULTILINE)) == len(items) == 30
    assert text.count("Missing: ") == sum(item.is_missing for item in items)
    assert json.loads(files["checklists/heds.json"])
