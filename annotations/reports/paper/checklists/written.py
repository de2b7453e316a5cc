"""All checklists of a study as files: Markdown to read, and HEDS as JSON for its form."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotations.reports.documents.study import StudyDocument
from annotations.reports.numbers import counted
from annotations.reports.paper.checklists.grras import grras
from annotations.reports.paper.checklists.heds import CRITERION_FIELDS, OTHER_FIELDS, heds, n_filled
from annotations.reports.paper.checklists.heds_fields import blank_fields
from annotations.reports.paper.checklists.items import Checklist, Facts
from annotations.reports.paper.checklists.otani import otani
from annotations.reports.paper.markdown import literal
from annotations.reports.paper.references.bibliography import REFERENCES


def checklists(document: StudyDocument) -> list[Checklist]:
    """The checklists that are answered item by item."""
    facts = Facts(document)
    return [otani(facts), grras(facts)]


def checklist_files(document: StudyDocument) -> Iterator[tuple[str, bytes]]:
    """checklists/checklists.md, and checklists/heds.json."""
    sheet = heds(document)
    criteria = [dimension.name for dimension in document.dimensions]
    text = "\n".join([*_markdown(checklists(document), n_filled(sheet), len(criteria)), *_blank(sheet, criteria)])
    yield "checklists/checklists.md", text.encode()
    yield "checklists/heds.json", json.dumps(sheet, ensure_ascii=False, indent=1).encode()


def _markdown(found: Sequence[Checklist], filled: int, n_criteria: int) -> Iterator[str]:
    yield "# Checklists\n"
    for checklist in found:
        n = len(checklist.items)
        yield f"## {checklist.title}\n"
        yield f"{n - len(checklist.missing)} of {n} items are answered. {literal(REFERENCES[checklist.source].long)}\n"
        for item in checklist.items:
            if item.is_missing:
                yield f"- [ ] **{item.number}. {literal(item.asks)}.** Missing: {literal(item.cure)}"
            else:
                where = f" ({literal(item.evidence)})" if item.evidence else ""
                yield f"- [x] **{item.number}. {literal(item.asks)}.** {literal(item.answer)}{where}"
        yield ""
    fields = OTHER_FIELDS + CRITERION_FIELDS * n_criteria
    yield "## HEDS 3.0\n"
    yield f"{filled} of {fields} fields are filled in heds.json; load it in the form by “upload json” and add the rest."
    yield f"{literal(REFERENCES['belz2024'].long)}\n"


def _blank(sheet: Mapping[str, Any], criteria: Sequence[str]) -> Iterator[str]:
    blank = blank_fields(sheet, criteria)
    if not blank:
        return
    yield f"{counted(len(blank), 'field')} of HEDS left blank:\n"
    for number, criterion, asks, cure in blank:
        about = f" ({literal(criterion)})" if criterion and len(criteria) > 1 else ""
        yield f"- **{number}**{about} {asks}: {literal(cure)}."
    yield ""
