"""The fields of HEDS 3.0 by number: what each asks, in our words, and where its answer comes from."""

from collections.abc import Mapping, Sequence
from typing import Any

_FACTS = "Write it under the study's facts"
_FORM = "Add it in the form"
_FILES = "Known of studies that ran on the site; for answers from files, add it in the form"
_WORDING = "Give the question's wording: analyze --questions, or the study's settings"

FIELDS: Mapping[str, tuple[str, str]] = {
    "1.1.1": ("where the paper is", _FACTS),
    "1.1.2": ("which experiment it is", _FORM),
    "1.2": ("where the resources are", _FACTS),
    "1.3.1.1": ("who completes the form: name", _FORM),
    "1.3.1.2": ("who completes the form: affiliation", _FORM),
    "1.3.1.3": ("who completes the form: address", _FORM),
    "1.3.2.1": ("contact author: name", _FACTS),
    "1.3.2.2": ("contact author: affiliation", _FORM),
    "1.3.2.3": ("contact author: address", _FORM),
    "2.1": ("type of the systems' input", _FORM),
    "2.2": ("type of the systems' output", _FORM),
    "2.3": ("the systems' task", _FORM),
    "2.4": ("languages of the prompts", _FORM),
    "2.5": ("languages of the outputs", _FORM),
    "3.1.1": ("outputs per system", _FORM),
    "3.1.2": ("how outputs were selected", _FORM),
    "3.1.3.1": ("power analysis: method", "Compare two methods (--compare), or plan the sample and name the method"),
    "3.1.3.2": ("power analysis: result", "Compare two methods (--compare), or give the plan's power"),
    "3.1.3.3": ("power analysis: code", "Compare two methods (--compare), or give the plan's code"),
    "3.2.1": ("number of evaluators", _FORM),
    "3.2.2.1": ("whether evaluators are experts", _FORM),
    "3.2.2.2": ("whether evaluators are paid", f"{_FACTS}: begin with “not paid”, or give the sum"),
    "3.2.2.3": ("whether authors knew evaluators", f"{_FACTS}, or choose it in the form"),
    "3.2.2.4": ("whether authors were evaluators", _FORM),
    "3.2.3": ("how evaluators were recruited", _FACTS),
    "3.2.4": ("training of evaluators", _FILES),
    "3.2.5": ("further characteristics of evaluators", _FACTS),
    "3.3.1": ("preregistration", "Register the plan before the first answer, or choose it in the form"),
    "3.3.2": ("by what medium answers were collected", _FILES),
    "3.3.3.1": ("types of quality assurance", _FORM),
    "3.3.3.2": ("methods of quality assurance", _FORM),
    "3.3.4.1": ("where the interface can be seen", _FACTS),
    "3.3.4.2": ("what evaluators saw", _FILES),
    "3.3.5": ("how free evaluators were in time", _FILES),
    "3.3.6": ("whether evaluators could ask", _FILES),
    "3.3.7": ("conditions of the evaluation", _FORM),
    "3.3.8": ("how conditions varied", _FILES),
    "4.1.1": ("type of quality", _FORM),
    "4.1.2": ("aspect of the outputs", _FORM),
    "4.1.3": ("frame of reference", _FORM),
    "4.2.1": ("objective or subjective", _FORM),
    "4.2.2": ("absolute or relative", _FORM),
    "4.2.3": ("intrinsic or extrinsic", _FORM),
    "4.3.1.1": ("the criterion's name for evaluators", _WORDING),
    "4.3.1.2": ("the criterion's standard name", "Look it up in a standard set such as QCET and add it in the form"),
    "4.3.2": ("the criterion's definition for evaluators", _WORDING),
    "4.3.3": ("size of the scale", _FORM),
    "4.3.4": ("values of the scale", _FORM),
    "4.3.5": ("how the scale is presented", _FILES),
    "4.3.6": ("the task without a scale", _FORM),
    "4.3.7": ("the question word for word", _WORDING),
    "4.3.8": ("form of response", _FORM),
    "4.3.9": ("how answers are aggregated", _FORM),
    "4.3.10": ("effect sizes and tests", _FORM),
    "4.3.11.1": ("agreement between evaluators: method", _FORM),
    "4.3.11.2": ("agreement between evaluators: score", _FORM),
    "4.3.12.1": ("agreement of evaluators with themselves: method", _FORM),
    "4.3.12.2": ("agreement of evaluators with themselves: score", _FORM),
    "5.1": ("ethics review", _FACTS),
    "5.2": ("personal data", _FILES),
    "5.3": ("special categories of personal data", _FACTS),
    "5.4": ("assessment of impact", _FACTS),
}


def blank_fields(file: Mapping[str, Any], criteria: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """(number, criterion, what it asks, what to do) of each field without an answer; a criterion in section 4 alone."""
    filled = {(entry["number"], key) for entry in file.values() if entry.get("number") for key in entry["data"]}
    found = []
    for number, (asks, cure) in FIELDS.items():
        keys = criteria if number.startswith("4.") else [""]
        found += [(number, key, asks, cure) for key in keys if (number, key) not in filled]
    return found
