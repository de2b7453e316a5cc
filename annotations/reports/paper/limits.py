"""What a study's figures cannot show, from the study itself."""

from collections.abc import Iterable, Iterator

from annotations.reports.documents.design import Design
from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.preferences import PreferencePart
from annotations.reports.documents.study import RATED, ReportedQuestion, StudyDocument
from annotations.reports.estimates import interval_over
from annotations.reports.numbers import counted, figure
from annotations.reports.study.sections.report import LOW_AGREEMENT, headline_agreement, too_wide

FEWEST_RATERS = 3
"""Fewer raters cannot represent others."""
FEW_RATERS = 5
FEW_PROMPTS = 20
LARGE_SHARE = 0.05


def limits(document: StudyDocument) -> list[str]:
    """Sentences, the most serious first. The last one applies to every study."""
    return list(dict.fromkeys(_all(document)))


def _all(document: StudyDocument) -> Iterator[str]:
    kinds = document.raters_by_kind
    if kinds.get("simulated"):
        yield "Simulated raters took part; their answers say nothing about people."
    for dimension in document.dimensions:
        yield from _of_question(dimension, alone=len(document.dimensions) == 1)
    design = document.design
    if design is None:
        yield "The files do not record how raters were recruited, assigned and blinded."
    else:
        yield from _of_design(design)
    if document.n_prompts and document.n_prompts < FEW_PROMPTS:
        yield f"{counted(document.n_prompts, 'prompt says', 'prompts say')} little about other prompts."
    yield (
        "Prompts and raters were chosen, not drawn at random from a population; intervals over them apply to others "
        "only as far as those are similar."
    )


def _of_question(dimension: ReportedQuestion, *, alone: bool) -> Iterator[str]:
    about = "" if alone else f" on “{dimension.asked}”"
    n = dimension.n_raters
    alpha, name = headline_agreement(dimension)
    over_raters = interval_over(alpha, "raters")
    if n == 1:
        yield f"One rater answered{about}: agreement is not known, and nothing can be said about other raters."
    elif n and not _covers_raters([alpha, *_estimates(dimension.preferences)]):
        if n < FEWEST_RATERS:
            yield f"With {counted(n, 'rater')}{about}, nothing can be said about other raters."
        else:
            reason = alpha.reason or (over_raters.reason if over_raters else "")
            yield f"How far other raters would agree is not known{about}{f' ({reason})' if reason else ''}."
    elif n and n < FEW_RATERS:
        yield f"{counted(n, 'rater')}{about} say little about other raters: intervals over raters are wide."
    if too_wide(alpha):
        yield f"How well raters agree is not known{about}: the interval of {name} over raters is too wide."
    # Not of votes, of which a clear winner leaves alpha near 0, nor of rankings, whose places it takes as unordered.
    elif dimension.form == RATED and alpha.value is not None and alpha.value < LOW_AGREEMENT:
        yield f"Raters agree little{about} ({name} {figure(alpha.value, digits=2)}): the question may be unclear."
    if dimension.n_components > 1:
        yield f"Some raters share no item with others{about}, so their severity cannot be separated from the images."
    asked = dimension.n_ratings + dimension.n_unable
    if asked and dimension.n_unable / asked > LARGE_SHARE:
        share = dimension.n_unable / asked
        yield f"{share:.0%} of the answers{about} were “unable to answer”, which no figure counts."
    for one in dimension.comparisons:
        if one.n and one.multiverse.survives is False:
            agree = f"{one.multiverse.n_same_conclusion:,} of {one.multiverse.n:,} analyses"
            yield (
                f"Over prompts, for these raters, the difference between {one.refined} and {one.baseline}{about} "
                f"depends on the choice of analysis: {agree} give its sign and significance."
            )


def _estimates(part: PreferencePart | None) -> Iterator[ReportedEstimate]:
    """The figures of votes or rankings whose intervals may cover other raters."""
    if part:
        yield from (row.log_worth for row in part.strengths)
        for pair in part.pairs:
            yield from (pair.win_rate, pair.with_halves, pair.tie_share)


def _covers_raters(estimates: Iterable[ReportedEstimate]) -> bool:
    """Whether an interval over other raters is known."""
    return any(each.low is not None and "raters" in each.covers for one in estimates for each in one.intervals)


def _of_design(design: Design) -> Iterator[str]:
    if missing := design.n_items - design.n_items_complete:
        yield f"{missing:,} of {design.n_items:,} {design.shown_at_once}s have fewer raters than planned."
    if design.imported_share:
        yield "Neither order nor time is known of imported answers."
    for method, cut, images in design.cut_prompts:
        yield (
            f"Of {cut:,} of {images:,} images of {method}, a text encoder of the generator read only the beginning of "
            "the prompt; what these images leave out may be what it did not read."
        )
    if not design.exclusion_rule:
        yield "No rule for excluding raters was declared beforehand."
    if design.order == "fixed":
        shown = f"{design.shown_at_once}s"
        yield f"All raters saw the {shown} in the same order, so fatigue and learning affect the same {shown}."
