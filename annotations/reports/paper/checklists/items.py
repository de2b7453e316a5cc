"""One item of a checklist, answered by a study or named as missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotations.reports.documents.study import RANKED, ReportedQuestion, StudyDocument
from annotations.reports.estimates import interval_over
from annotations.reports.numbers import counted, figure, scale_value, span
from annotations.reports.paper.registered import registration_lines
from annotations.reports.study.sections.report import headline_agreement

NO_PLAN = (
    "No plan was registered before the first answer: state in the paper that sample, rules and analysis were not fixed "
    "in advance, and register the plan of the next study on its page Registration."
)
ONE_RATER = "Have at least two raters rate the same items: without that, agreement cannot be estimated."


@dataclass(frozen=True)
class Item:
    """number, asks: of the checklist, in our words. answer: "" if the study does not know it; `cure` then says how to
    supply it.

    evidence: the file or section of the report in which the answer can be checked.
    """

    number: str
    asks: str
    answer: str = ""
    evidence: str = ""
    cure: str = ""

    @property
    def is_missing(self) -> bool:
        return not self.answer


@dataclass(frozen=True)
class Checklist:
    """`source` is the key of its reference."""

    title: str
    source: str
    items: Sequence[Item]

    @property
    def missing(self) -> list[Item]:
        return [item for item in self.items if item.is_missing]


class Facts:
    """Answers that several checklists need, in sentences; "" if the study does not know."""

    def __init__(self, document: StudyDocument) -> None:
        self.document = document
        self.design = document.design
        self.dimensions: Sequence[ReportedQuestion] = document.dimensions

    @property
    def items(self) -> str:
        said = counted(self.document.n_items, "item")
        if self.document.n_prompts:
            said += f" from {counted(self.document.n_prompts, 'prompt')}"
        if methods := self.document.single_methods:
            said += f" by {counted(len(methods), 'method')}: {', '.join(methods)}"
        return f"{said}."

    @property
    def raters(self) -> str:
        n = max(dimension.n_raters for dimension in self.dimensions)
        kinds = self.document.raters_by_kind
        listed = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        return f"{counted(n, 'rater')}{f' ({listed})' if listed else ''}."

    @property
    def replicates(self) -> str:
        if self.design is None:
            return ""
        shown = self.design.shown_at_once
        reached = f"{self.design.n_items_complete:,} of {self.design.n_items:,} {shown}s reached that number."
        return f"{counted(self.design.raters_per_item, 'rater')} per {shown} were planned; {reached}"

    @property
    def scales(self) -> str:
        return " ".join(f"“{dimension.asked}”: {values(dimension)}." for dimension in self.dimensions)

    @property
    def has_words(self) -> bool:
        """Whether every question's wording is known."""
        return all(dimension.question for dimension in self.dimensions)

    @property
    def blinding(self) -> str:
        if self.design is None or self.design.imported_share == 1:
            return ""
        return (
            "Raters saw no method's name, no metric's score and no other rater's answer; images were re-encoded under "
            "random addresses."
        )

    @property
    def independence(self) -> str:
        if not self.blinding:
            return ""
        return "Each rater rated alone by an account of their own; no page shows another rater's answer."

    @property
    def agreement(self) -> str:
        """Nothing if no question's agreement can be estimated."""
        found = [headline_agreement(dimension)[0].value for dimension in self.dimensions]
        return " ".join(map(agreement_words, self.dimensions)) if any(value is not None for value in found) else ""

    @property
    def plan(self) -> str:
        """Whether the plan was registered, with each deviation; nothing if the study did not run on the site."""
        if self.document.registration:
            return " ".join(registration_lines(self.document))
        return "" if self.design is None or self.design.imported_share == 1 else NO_PLAN

    @property
    def exclusions(self) -> str:
        excluded = self.document.excluded_raters
        rule = " ".join((self.document.exclusion_rule or "").split())
        said = f"Declared beforehand: “{rule}”. " if rule else ""
        if not excluded:
            return f"{said}No rater was excluded." if self.design else said
        reasons = "; ".join(dict.fromkeys(one.reason for one in excluded))
        return f"{said}{counted(len(excluded), 'rater')} excluded: {reasons}."

    def answer(self, name: str) -> str:
        """The researchers' own text about an item that only they can answer."""
        return ((self.design.notes or {}).get(name, "") if self.design else "").strip()


def values(dimension: ReportedQuestion) -> str:
    """The scale in words: each value with its label."""
    if dimension.form == RANKED:
        return f"places 1 to {len(dimension.values)}, 1 is the best, ties allowed"
    labels = dimension.labels or ["" for _ in dimension.values]
    if len(labels) > 12:
        return f"{len(labels)} values from {scale_value(dimension.values[0])} to {scale_value(dimension.values[-1])}"
    return ", ".join(
        f"{scale_value(value)} {label}".strip() for value, label in zip(dimension.values, labels, strict=True)
    )


def agreement_words(dimension: ReportedQuestion) -> str:
    """The headline's statistic with its intervals."""
    found, name = headline_agreement(dimension)
    about = dimension.asked
    if found.value is None:
        return f"“{about}”: {name} cannot be estimated ({found.reason})."
    said = f"“{about}”: Krippendorff's {name} {figure(found.value, digits=2)}"
    for covers in ("units", "raters"):
        interval = interval_over(found, covers)
        if interval and interval.bounds:
            over = "items" if covers == "units" else covers
            said += f", 95% interval over {over} {span(*interval.bounds)}"
    return f"{said}."
