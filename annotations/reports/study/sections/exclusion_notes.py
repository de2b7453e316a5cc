"""Which raters are left out of a report and why, in sentences."""

from collections.abc import Iterator

from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.study import StudyDocument
from annotations.reports.notices import excluded_raters
from annotations.reports.numbers import counted, decimal, span


def exclusion_notes(document: StudyDocument) -> Iterator[str]:
    """The excluded raters with their reasons, and the rule that was declared for excluding them."""
    excluded = document.excluded_raters
    for notice in excluded_raters(excluded):
        yield notice.text
    for one in document.with_excluded:
        yield (
            f"With the excluded raters, {one.refined} minus {one.baseline} ({one.question}) would be "
            f"{_in_words(one.with_them)} instead of {_in_words(one.without)}."
        )
    if n := document.n_withdrawn:
        who = "1 rater" if n == 1 else f"{n:,} raters"
        yield f"{who} withdrew; their answers are in no figure."
    if n := document.n_further:
        yield (
            f"{counted(n, 'answer')} came from further raters, who were asked because of earlier answers. They would "
            "bias means and agreement, so every figure here is that of the first raters. The export has all answers, "
            "and what most raters say about each item."
        )
    if document.design is not None and document.design.further_prompts:
        yield document.design.further_prompts
    rule = " ".join((document.exclusion_rule or "").split())
    if rule:
        yield f"Rule for excluding raters, declared before the study opened: {rule}"
    elif excluded and document.exclusion_rule is not None:
        yield "No rule for excluding raters was declared before the study opened."


def _in_words(estimate: ReportedEstimate) -> str:
    """A mean difference with its widest-reaching interval."""
    if estimate.value is None:
        return "undefined"
    limits = [one for one in estimate.intervals if one.low is not None and one.high is not None]
    if not limits:
        return decimal(estimate.value, signed=True)
    low, high = limits[-1].low, limits[-1].high
    return f"{decimal(estimate.value, signed=True)} ({span(low or 0.0, high or 0.0, signed=True)})"
