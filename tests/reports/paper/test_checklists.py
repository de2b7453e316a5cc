"""Checklists say what a study knows, with its evidence, and name what is missing with a cure."""

import json
import re
from typing import Any

from annotations.reports.documents.study import StudyDocument
from annotations.reports.paper.checklists.heds import heds, n_filled
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
    assert "3 raters per item were planned; 18 of 20 items reached that number." in answered["6"]
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
