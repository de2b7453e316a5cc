"""The picture next to the answer to a question."""

from collections.abc import Sequence
from dataclasses import replace

from annotations.reports import charts, view
from annotations.reports.documents.comparisons import ReportedComparison
from annotations.reports.documents.study import ReportedQuestion
from annotations.reports.estimates import ends
from annotations.reports.numbers import figure
from annotations.reports.paper.summary import MOST_COMPARED, WIDEST_FIRST, first_defined
from annotations.reports.view import Figure, Section

TITLE = "Difference of mean ratings"


def with_lead(dimension: ReportedQuestion, sections: Sequence[Section]) -> tuple[Figure | None, list[Section]]:
    """The picture of what the summary's sentence says, and the question's sections without it.

    Where the sentence is about comparisons, these are drawn on one axis; else it is a picture of the first section,
    which then no longer holds it. None where nothing is drawn.
    """
    if dimension.preferences is None and (compared := [one for one in dimension.comparisons if one.n]):
        return _differences(compared[:MOST_COMPARED]), list(sections)
    return without_lead(sections)


def without_lead(sections: Sequence[Section]) -> tuple[Figure | None, list[Section]]:
    """A picture of the first section, the first with an axis if any has one, and the sections without it."""
    if not sections:
        return None, []
    first, *others = sections
    drawn = [block for block in first.blocks if isinstance(block, Figure)]
    found = next((one for one in drawn if one.axis), drawn[0] if drawn else None)
    return found, [replace(first, blocks=[block for block in first.blocks if block is not found]), *others]


def _differences(comparisons: Sequence[ReportedComparison]) -> Figure | None:
    marks, covered, has_both = [], [], False
    for one in comparisons:
        found = first_defined(one.mean_diff, WIDEST_FIRST)  # as the sentence's
        covers = found.covers if found else "prompts"
        label = one.refined if len({each.baseline for each in comparisons}) == 1 else f"{one.refined} − {one.baseline}"
        value = figure(one.mean_diff.value, signed=True, digits=2)
        widest = ends(one.mean_diff, covers)
        if covers == "prompts and raters" and None not in (of_these := ends(one.mean_diff, "prompts")):
            marks.append(charts.Mark(label, one.mean_diff.value, *of_these, *widest, text=value))
            has_both = True
        else:
            marks.append(charts.Mark(label, one.mean_diff.value, *widest, text=value))
        covered.append(covers)
    baselines = list(dict.fromkeys(one.baseline for one in comparisons))
    against = f" from {baselines[0]}" if len(baselines) == 1 else ""
    widest_covers = " or over ".join(dict.fromkeys(covered))
    shown = f"95% interval over {widest_covers}"
    if has_both:
        shown = f"thin: {shown}; thick: over prompts, these raters"
    drawn = view.figure(
        charts.interval_plot,
        marks,
        title=TITLE,
        references=[(0.0, "no difference")],
        axis=f"difference of mean ratings{against}; {shown}",
    )
    return next((block for block in drawn if isinstance(block, Figure)), None)
