"""What refinement repaired, and whether seeing claims anchors auditors, as sections of the report on critics."""

from typing import Any

from annotations.reports import charts, view
from annotations.reports.critic.section import estimate_row, figures_table, mark, plot, shares_plot
from annotations.reports.documents.critic import ReportedAnchoring, ReportedGains, ReportedRepairs
from annotations.reports.numbers import counted
from annotations.reports.study.sections.words import spelled
from annotations.reports.view import Block, Folded, Paragraph, Section


def repair_section(repairs: ReportedRepairs) -> Section:
    overall, *groups = repairs.rows
    marks = [mark("all claims that are right", overall.rate, "images")]
    marks += [mark(f"{row.label} ({row.rate.n['claims']:,})", row.rate, "images") for row in groups]
    rows = [estimate_row("repair rate, all claims that are right", overall.rate)]
    rows += [estimate_row(f"{row.facet}: {row.label}", row.rate) for row in groups]
    rows.append(estimate_row("less than before, not fixed", repairs.improved))
    rows.append(estimate_row("worse than before", repairs.worse))
    blocks: list[Block] = []
    if overall.rate.value is not None:
        pairs = counted(repairs.n_pairs, "pair")
        said = f"Of the errors that right claims name, {spelled(overall.rate)} were fixed, on {pairs}."
        blocks.append(Paragraph(said, "said"))
    blocks += shares_plot(marks, "Repair rate by kind of claim", "share fixed, 95% interval over images")
    if repairs.gains:
        blocks += _gains(repairs.gains, rows)
    placebo = repairs.placebo_differences
    if placebo.value is not None:
        said = f"Where both images were the same, {spelled(placebo)} of the judgements saw a difference."
        blocks.append(Paragraph(said, "note"))
        rows.append(estimate_row("placebo: a difference seen", placebo))
        rows.append(estimate_row("placebo: error put on the left", repairs.placebo_left))
    blocks += [figures_table(rows), _outcomes(repairs)]
    return Section("repairs", "What refinement repaired", blocks, "repairs")


def _gains(gains: ReportedGains, rows: list[Any]) -> list[Block]:
    """How much right claims contributed to the gains of refinement; their figures are added to the rows."""
    overall = gains.from_right_claims
    if overall.value is None:
        return []
    rows.append(estimate_row("gain that right claims name", overall))
    rows += [estimate_row(f"fixed: {group.words}", group.mended) for group in gains.named]
    gained = [group.gained for group in gains.named]
    lost = sum(group.lost for group in gains.named)
    said = (
        f"Refinement gained {sum(gained):,} parts of prompts and lost {lost:,}; a right claim named "
        f"{spelled(overall)} of the gained."
    )
    names = ("right claim", "other claim", "no claim")
    split = list(zip(names, gained, ("win", "loss", "tie"), strict=True))
    counted_as = "parts of prompts that refinement gained"
    rows += [(f"gained: {name}", n, "", "", sum(gained), counted_as) for name, n in zip(names, gained, strict=True)]
    title = "Parts of the prompt that refinement gained, by what claims said"
    return [Paragraph(said), *view.figure(charts.split_bar, split, title=title)]


def _outcomes(repairs: ReportedRepairs) -> Folded:
    right, other = repairs.outcomes
    rows = [("claims judged right or partly right", *right.values()), ("other claims", *other.values())]
    head = ("claims", *(name.replace("_", " ") for name in right))
    blocks: list[Block] = [view.table(head, rows, numeric=range(1, len(head)))]
    if n := repairs.n_open:
        blocks.append(Paragraph(f"{counted(n, 'claim')} {'is' if n == 1 else 'are'} left out: auditors are tied."))
    return Folded("Every outcome", blocks)


def anchoring_section(anchoring: ReportedAnchoring) -> Section:
    orders = {"lists_first": "own list first", "claims_first": "claims first", "difference": "difference"}
    blocks: list[Block] = []
    rows = []
    for name, title, most in (
        ("accepted", "claims accepted", 1.0),
        ("missed_listed", "missed errors listed per image", None),
    ):
        effect = getattr(anchoring, name)
        marks = [mark(orders[order], getattr(effect, order), "images") for order in ("lists_first", "claims_first")]
        axis = f"{title}, 95% interval over images"
        blocks += plot(marks, title=title, limits=(0.0, most), shown=(0.0, most), axis=axis)
        rows += [
            estimate_row(f"{title}: {words}", getattr(effect, order), signed=order == "difference")
            for order, words in orders.items()
        ]
    listed = anchoring.missed_listed
    if listed.difference.value is not None:
        said = (
            f"Errors listed per image that no right claim names: {spelled(listed.lists_first)} with the own list "
            f"first, {spelled(listed.claims_first)} otherwise."
        )
        blocks.append(Paragraph(said))
    note = "The order was drawn at random for each auditor and image, so a difference is its effect."
    blocks += [Paragraph(note, "note"), figures_table(rows)]
    return Section("anchoring", "Does seeing the claims first change the answers?", blocks, "anchoring")
