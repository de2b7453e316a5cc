"""What supports the figures about critics: agreement of auditors, confidence, errors that nobody listed."""

from collections.abc import Sequence

from annotations.reports import charts, view
from annotations.reports.charts import Mark
from annotations.reports.critic.section import estimate_row, figures_table, label_of, plot
from annotations.reports.documents.critic import CalibrationBin, CriticDocument
from annotations.reports.estimates import ends, leading, note_of
from annotations.reports.numbers import figure, interval
from annotations.reports.study.sections.words import drawn_ends, drawn_over, words
from annotations.reports.view import Block, Folded, Paragraph


# --- auditors --------------------------------------------------------------------------------------------------------
def agreement_blocks(document: CriticDocument) -> list[Block]:
    marks, rows = [], []
    several = len(document.agreement) > 1
    for group in document.agreement:
        for estimate in group.estimates:
            name = words(estimate.statistic)
            label = f"{group.critic} · {name}" if group.critic and several else name
            covers = "claims" if "claims" in estimate.n else "units"
            value = figure(estimate.value)
            if not group.critic and covers == "units":
                over = drawn_over(estimate, "units"), drawn_over(estimate, "raters")
                marks.append(Mark(label, estimate.value, *over[0], *over[1], value))
            intervals = interval(*ends(estimate, covers)), interval(*ends(estimate, "raters"))
            rows.append((label, value, *intervals, note_of(estimate) or estimate.method))
    settled = document.settled
    blocks: list[Block] = []
    if settled.several:
        said = (
            f"{settled.several:,} claims have several verdicts: on {settled.unanimous:,} all agree, "
            f"{settled.adjudicated:,} were decided by an adjudicator, {settled.open:,} are open."
        )
        blocks = plot(
            marks,
            title="Agreement of auditors on verdicts",
            limits=(-1.0, 1.0),
            shown=(0.0, 1.0),
            axis="thick: 95% interval over claims, these auditors; thin: over auditors, these claims",
        )
    else:
        said = "No claim has verdicts of two auditors, so their agreement is unknown."
    head = ("statistic", "value", "over claims", "over auditors", "convention or reason")
    return [Paragraph(said), *blocks, view.all_figures(head, rows, numeric=(1, 2, 3))]


# --- confidence and unseen errors ------------------------------------------------------------------------------------
def calibration_blocks(document: CriticDocument) -> list[Block]:
    blocks: list[Block] = []
    rows = []
    for critic in document.critics:
        found = critic.calibration
        if not found:
            continue
        if len(document.critics) > 1:
            blocks.append(Paragraph(critic.name))
        blocks += view.figure(
            charts.reliability_plot,
            found.bins,
            title=f"Confidence against accuracy of {critic.name}",
            axes=("stated confidence", "share right"),
            ideal="means what it says",
        )
        blocks.append(_by_confidence(critic.name, found.bins))
        for name, label in (
            ("brier", "Brier score, 0 is best"),
            ("over_confidence", "over-confidence"),
            ("calibration_error", "expected calibration error"),
        ):
            rows.append(
                estimate_row(label_of(critic, document, label), getattr(found, name), signed=name == "over_confidence")
            )
    return [*blocks, figures_table(rows)]


def _by_confidence(name: str, bins: Sequence[CalibrationBin]) -> Folded:
    """The table behind the chart of one critic's confidence."""
    rows = [
        (
            f"{each.low:g} to {each.high:g}",
            each.n,
            figure(each.confidence),
            figure(each.accuracy),
            interval(each.interval_low, each.interval_high),
        )
        for each in bins
        if each.n
    ]
    head = ("stated confidence", "claims", "mean confidence", "share right", "Wilson")
    return Folded(f"Figures by confidence of {name}", [view.table(head, rows, numeric=(1, 2, 3, 4))])


def unseen_blocks(document: CriticDocument) -> list[Block]:
    blocks: list[Block] = []
    rows = []
    for critic in document.critics:
        marks = []
        for n_lists, row in zip(critic.unseen_n_lists, critic.unseen, strict=True):
            total, found = row.total, leading(row.total)
            label = f"critic and {n_lists - 1} auditors" if n_lists > 2 else "critic and 1 auditor"
            text = "" if total.value is None else f"{row.n_observed:,} seen of {total.value:.1f}"
            marks.append(Mark(label, total.value, *drawn_ends(found), text=text))
            rows.append(
                (
                    label_of(critic, document, label),
                    row.n_observed,
                    row.n_once,
                    row.n_twice,
                    figure(total.value),
                    interval(found.low, found.high) if found else "",
                    note_of(total) or total.method,
                )
            )
        if marks and len(document.critics) > 1:
            blocks.append(Paragraph(critic.name, "said"))
        axis = "errors in images with this many lists, estimated; 95% interval over errors"
        blocks += plot(marks, title="Errors seen and unseen", limits=(0.0, None), shown=(0.0, None), axis=axis)
    head = ("lists", "seen", "on one", "on two", "estimated", "interval", "convention or reason")
    note = (
        "The overlap of the lists shows how many errors are on none of them. Only lists made before the claims were "
        "seen count. Errors that are hard for everybody make the estimate too low: it is a lower bound."
    )
    return [*blocks, Paragraph(note, "note"), view.all_figures(head, rows, numeric=(1, 2, 3, 4, 5))]
