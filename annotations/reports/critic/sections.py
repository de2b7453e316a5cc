"""The document about critics as sections to be shown: the same on the study's page and in the file."""

from collections.abc import Iterator, Sequence
from typing import Any

from annotations.reports import view
from annotations.reports.charts import Mark
from annotations.reports.critic.repair_sections import anchoring_section, repair_section
from annotations.reports.critic.section import estimate_row, figures_table, label_of, mark, plot, shares_plot
from annotations.reports.critic.trust_sections import agreement_blocks, calibration_blocks, unseen_blocks
from annotations.reports.documents.critic import CriticDocument, CriticPair, FalseAlarms, ReportedCritic
from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.estimates import interval_over, note_of
from annotations.reports.numbers import figure, p_value, share
from annotations.reports.study.sections.words import spelled
from annotations.reports.view import Block, Paragraph, Section

FIGURES = ("precision", "recall", "recall_corrected", "f1")
NAMES = {
    "precision": "precision",
    "recall": "recall, listed errors",
    "recall_corrected": "recall, corrected",
    "f1": "F1",
    "recall_of_lists": "recall of auditors' own lists",
}


def critic_headlines(document: CriticDocument) -> list[str]:
    """A sentence of plain text per critic: how many of its claims are right, and how many errors it names."""
    return [_headline(critic) for critic in document.critics]


def _headline(critic: ReportedCritic) -> str:
    overall = critic.groups[0]
    precision = overall.precision
    if precision.value is None:
        return f"{critic.name}: {precision.reason}"
    judged = precision.n["judged"]
    said = (
        f"{critic.name}: of {judged:,} judged {'claim' if judged == 1 else 'claims'} {share(precision.value)} "
        f"{'is' if judged == 1 else 'are'} right ({_over_images(precision)})"
    )
    recall = overall.recall_corrected if overall.recall_corrected.value is not None else overall.recall
    if recall.value is not None:
        said += f"; it names {share(recall.value)} of the errors ({_over_images(recall)})"
    if critic.floor.value is not None:
        said += f"; of control claims {share(critic.floor.value)} are right"
    return said


def _over_images(estimate: ReportedEstimate) -> str:
    found = interval_over(estimate, "images")
    if found and found.bounds:
        return f"95% interval over images {' to '.join(map(share, found.bounds))}"
    return f"no interval over images: {found.reason}" if found else "no interval over images"


def critic_sections(document: CriticDocument) -> list[Section]:
    """Every section in reading order: the answer first, then what it is compared with, then what supports it."""
    return list(_sections(document))


def _sections(document: CriticDocument) -> Iterator[Section]:
    if not document.critics:
        return
    yield Section("accuracy", "How far to trust it", _accuracy(document), "critic", facet="overall")
    if blocks := _yardsticks(document):
        yield Section("controls", "Compared with controls", blocks, "critic", facet="overall")
    if document.differences:
        blocks = _compared(document.differences, document)
        yield Section("differences", "Critics compared", blocks, "critic_differences")
    facets: dict[str, set[str]] = {}
    for critic in document.critics:
        for group in critic.groups[1:]:
            facets.setdefault(group.facet, set()).add(group.label)
    # A property with only one value would repeat the overall figures; the table has it anyway.
    for number, facet in enumerate((name for name, labels in facets.items() if len(labels) > 1), start=1):
        title = f"By {facet.replace('_', ' ')}"
        yield Section(f"group-{number}", title, _facet(document, facet), "critic", facet=facet)
    if document.repairs:
        yield repair_section(document.repairs)
    yield Section("agreement", "Do auditors agree?", agreement_blocks(document), "verdict_agreement")
    if document.anchoring:
        yield anchoring_section(document.anchoring)
    if any(critic.calibration for critic in document.critics):
        yield Section("calibration", "Does its confidence mean anything?", calibration_blocks(document), "calibration")
    if any(critic.unseen for critic in document.critics):
        yield Section("unseen", "What nobody listed", unseen_blocks(document), "unseen")


# --- the answer ------------------------------------------------------------------------------------------------------
def _accuracy(document: CriticDocument) -> list[Block]:
    critics, counts = document.critics, document.counts
    figures = FIGURES if counts.searches else FIGURES[:1]
    rows = []
    for critic in critics:
        overall = critic.groups[0]
        listed = (*figures, "recall_of_lists") if counts.searches else figures
        rows += [estimate_row(label_of(critic, document, NAMES[name]), getattr(overall, name)) for name in listed]
        rows.append(estimate_row(label_of(critic, document, "cannot tell"), critic.cannot_tell))
    blocks: list[Block] = []
    if len(critics) == 1:
        overall = critics[0].groups[0]
        marks = [mark(NAMES[name], getattr(overall, name), "images") for name in figures]
        blocks += shares_plot(marks, "precision and recall", "precision and recall, 95% interval over images")
    else:
        for name in figures:
            marks = [mark(critic.name, getattr(critic.groups[0], name), "images") for critic in critics]
            blocks += shares_plot(marks, NAMES[name], f"{NAMES[name]}, 95% interval over images")
    blocks.append(Paragraph(_convention(document), "note"))
    if not counts.searches:
        blocks.append(Paragraph("Nobody searched for what was missed, so there is no recall.", "note"))
    return [*blocks, figures_table(rows)]


def _convention(document: CriticDocument) -> str:
    counts, is_open = document.counts, document.settled.open
    said = (
        f"{counts.claims:,} claims about {counts.images:,} images, {counts.verdicts:,} verdicts by "
        f"{counts.auditors:,} auditors."
    )
    if is_open:
        said += f" {is_open:,} claims are open: auditors are tied, and nobody has decided yet."
    partly = document.made.partly
    return f"{said} A partly right claim counts as {partly}; “cannot tell” is not a verdict. Controls are left out."


# --- controls --------------------------------------------------------------------------------------------------------
def _yardsticks(document: CriticDocument) -> list[Block]:
    blocks: list[Block] = []
    rows: list[Sequence[Any]] = []
    for critic in document.critics:
        marks, own = _yardsticks_of(critic, document)
        above = critic.above_control
        if above and above.difference.value is not None:
            said = (
                f"Precision of {critic.name} minus that of claims made about a wrong image, on the same images: "
                f"{spelled(above.difference, signed=True)}, {p_value(above.p)}."
            )
            blocks.append(Paragraph(said, "said"))
        elif marks and len(document.critics) > 1:
            blocks.append(Paragraph(critic.name, "said"))
        blocks += shares_plot(marks, critic.name, "95% interval over images")
        rows += own
    planted = document.planted
    if planted.value is not None:
        blocks += shares_plot(
            [mark("planted claims accepted", planted, "images")], "planted claims", "95% interval over images"
        )
        rows.append(estimate_row("planted claims accepted", planted))
    if not rows:
        return []
    note = (
        "The floor is what claims reach that were made about another image. False alarms: images without errors "
        "about which the critic claims one. Planted claims accepted: how far auditors can be misled."
    )
    return [*blocks, Paragraph(note, "note"), figures_table(rows)]


def _yardsticks_of(critic: ReportedCritic, document: CriticDocument) -> tuple[list[Mark], list[Sequence[Any]]]:
    marks: list[Mark] = []
    rows: list[Sequence[Any]] = []

    def add(label: str, estimate: ReportedEstimate, *, is_share: bool = True) -> None:
        if estimate.value is None:
            return
        rows.append(estimate_row(label_of(critic, document, label), estimate, signed=not is_share))
        if is_share:
            marks.append(mark(label, estimate, "images"))

    if critic.floor.value is not None:
        add("precision", critic.groups[0].precision)
        add("floor: wrong image", critic.floor)
    if critic.above_control:
        add("above the floor", critic.above_control.difference, is_share=False)
    for part, label in (("found_free", "false alarms, none found"), ("known_free", "false alarms, known clean")):
        alarms: FalseAlarms | None = getattr(critic, part)
        if alarms:
            add(label, alarms.false_alarm_rate)
            add("false claims per image", alarms.false_claims_per_image, is_share=False)
    add("planted defects found", critic.defects_found)
    return marks, rows


# --- by group --------------------------------------------------------------------------------------------------------
def _facet(document: CriticDocument, facet: str) -> list[Block]:
    blocks: list[Block] = []
    rows = []
    for critic in document.critics:
        groups = [group for group in critic.groups[1:] if group.facet == facet]
        if groups and len(document.critics) > 1:
            blocks.append(Paragraph(critic.name, "said"))
        for name in ("precision", "recall"):
            if name == "recall" and not document.counts.searches:
                continue
            marks = []
            for group in groups:
                estimate = getattr(group, name)
                if estimate.value is not None:
                    n = estimate.n["judged"] if name == "precision" else estimate.n["errors"]
                    marks.append(mark(f"{group.label} ({n:,})", estimate, "images"))
                if name == "precision" or estimate.value is not None:
                    label = f"{label_of(critic, document, group.label)}: {NAMES[name]}"
                    rows.append(estimate_row(label, estimate))
            blocks += shares_plot(marks, f"{NAMES[name]}, {facet}", f"{NAMES[name]}, 95% interval over images")
    return [*blocks, figures_table(rows)]


# --- two critics -----------------------------------------------------------------------------------------------------
def _compared(pairs: Sequence[CriticPair], document: CriticDocument) -> list[Block]:
    blocks: list[Block] = []
    rows = []
    for name, title in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
        if name != "precision" and not document.counts.searches:
            continue
        marks = []
        for pair in pairs:
            found, label = pair.figures[name], f"{pair.first} − {pair.second}"
            if found.difference.value is not None:
                marks.append(mark(label, found.difference, "images", signed=True))
            corrected = found.p_holm
            holm = f"{p_value(found.p)} (Holm {corrected:.4f})" if corrected is not None else ""
            sides = f"{figure(found.first.value)} / {figure(found.second.value)}"
            gap, reason = spelled(found.difference, signed=True), note_of(found.difference)
            rows.append((f"{label}: {title}", pair.n_images, sides, gap, holm, reason))
        axis = f"difference of {title}, 95% interval over images"
        blocks += plot(marks, title=title, limits=(-1.0, 1.0), references=[(0.0, "0")], axis=axis)
    head = ("difference", "images", "first / second", "value", "p", "reason")
    said = "On the images that both were shown."
    if document.counts.searches:
        said += " For recall, what either critic names rightly is an error for both."
    return [*blocks, Paragraph(said, "note"), view.all_figures(head, rows, numeric=(1, 2, 3))]
