"""All methods in one ordinal model: effects with letters, and every pair with simultaneous intervals."""

from annotations.reports import charts, view
from annotations.reports.documents.comparisons import ReportedModel
from annotations.reports.estimates import ends
from annotations.reports.numbers import figure, interval, p_value
from annotations.reports.view import Block, Paragraph

MOST_DRAWN = 24
"""Pairs that a picture holds without being taller than a page."""
_SIMULTANEOUS = (
    "Methods that share a letter are not distinguished (5%, all pairs tested). Letters, intervals and the simultaneous "
    "p come from one procedure: where the interval of a pair excludes 0, and only there, its simultaneous p is below "
    ".05 and its methods share no letter. The unadjusted p and Holm's p are given for comparison."
)
_HOLM = "Methods that share a letter are not distinguished (5%, all pairs tested, Holm's correction)."


def model_blocks(model: ReportedModel) -> list[Block]:
    if model.reason:
        return [Paragraph(f"No model of all methods: {model.reason}.")]
    is_simultaneous = model.has_simultaneous_p
    marks, rows = [], []
    for one in model.pairs:
        low, high = ends(one.log_odds, model.covers)
        words = f"{one.first} − {one.second}"
        value = figure(one.log_odds.value, signed=True, digits=2)
        marks.append(charts.Mark(words, one.log_odds.value, low, high, text=value))
        rows.append(
            (
                words,
                value,
                interval(low, high, digits=2),
                figure(one.odds_ratio, digits=2),
                *((p_value(one.p_simultaneous),) if is_simultaneous else ()),
                p_value(one.p),
                p_value(one.p_holm),
            )
        )
    effects = [(one.method, figure(one.effect, signed=True, digits=2), one.letters) for one in model.methods]
    ps = ("p, simultaneous", "p, unadjusted", "p, Holm") if is_simultaneous else ("p", "p, Holm")
    head = ("pair", "log odds", f"over {model.covers}", "odds ratio", *ps)
    more = len(marks) > MOST_DRAWN
    notes = "; ".join([model.convention, *model.notes])
    parts = [f"{name} {figure(each, digits=2)}" for name, each in sorted(model.deviations.items())]
    varied = [Paragraph(f"Standard deviations of random effects, log odds: {', '.join(parts)}.", "note")]
    cuts = ", ".join(figure(each, digits=2) for each in model.thresholds)
    levels = [Paragraph(f"Thresholds between the levels in use, for a method of effect 0: {cuts}.", "note")]
    return [
        view.table(("method", "effect, log odds", "letters"), effects, numeric=(1,)),
        Paragraph(_SIMULTANEOUS if is_simultaneous else _HOLM, "note"),
        *view.figure(
            charts.interval_plot,
            marks[:MOST_DRAWN],
            title="Differences of methods",
            references=[(0.0, "no difference")],
            axis=f"log odds of a higher rating; simultaneous 95% intervals over {model.covers}",
        ),
        *([Paragraph(f"The picture shows the first {MOST_DRAWN} of {len(marks)} pairs.", "note")] if more else []),
        view.all_figures(head, rows, numeric=range(1, len(head))),
        Paragraph(f"{notes[0].upper()}{notes[1:]}.", "note"),
        *(varied if parts else []),
        *(levels if model.thresholds else []),
    ]
