"""What refinement repaired, and whether seeing claims anchors auditors, as sections of the report on critics."""

from collections.abc import Callable, Mapping
from typing import Any

from annotations.reports import charts
from annotations.reports.critic_section import CriticSection, estimate_row, figures_table, mark, spelled
from annotations.reports.markup import figure, folded, paragraph, table

Json = Mapping[str, Any]
Translate = Callable[[str], str]
MOST_MARKS = 60


def repair_section(repairs: Json, _: Translate) -> CriticSection:
    overall, *groups = repairs["rows"]
    marks = [mark(_("all claims that are right"), overall["rate"], "images")]
    marks += [mark(f"{row['label']} ({row['rate']['n']['claims']:,})", row["rate"], "images") for row in groups]
    rows = [estimate_row(_("repair rate"), overall["rate"])]
    rows += [estimate_row(f"{_(row['facet'])}: {row['label']}", row["rate"]) for row in groups]
    rows.append(estimate_row(_("less than before, not fixed"), repairs["improved"]))
    rows.append(estimate_row(_("worse than before"), repairs["worse"]))
    said = ""
    if overall["rate"]["value"] is not None:
        said = paragraph(
            _("Of the errors that right claims name, {share} were fixed, on {pairs} pairs.").format(
                share=spelled(overall["rate"]), pairs=f"{repairs['n_pairs']:,}"
            ),
            "said",
        )
    plot = charts.interval_plot(
        marks[:MOST_MARKS],
        title=_("Repair rate by kind of claim"),
        low=0.0,
        high=1.0,
        axis=_("share fixed, 95% interval over images"),
    )
    gains = _gains(repairs["gains"], rows, _) if repairs["gains"] else ""
    placebo = ""
    if repairs["placebo_differences"]["value"] is not None:
        placebo = paragraph(
            _("Where both images were one and the same, {share} of the judgements saw a difference.").format(
                share=spelled(repairs["placebo_differences"])
            ),
            "note",
        )
        rows.append(estimate_row(_("placebo: a difference seen"), repairs["placebo_differences"]))
        rows.append(estimate_row(_("placebo: error put on the left"), repairs["placebo_left"]))
    outcomes = _outcomes(repairs, _)
    html = said + figure(plot) + gains + placebo + figures_table(rows, _)
    return CriticSection("repairs", _("What refinement repaired"), html + outcomes, "repairs")


def _gains(gains: Json, rows: list[Any], _: Translate) -> str:
    one = gains["from_right_claims"]
    if one["value"] is None:
        return ""
    rows.append(estimate_row(_("gain that right claims name"), one))
    rows += [estimate_row(f"{_('mended')}: {_(each['words'])}", each["mended"]) for each in gains["named"]]
    names = (_("right claim"), _("other claim"), _("no claim"))
    counts = [each["gained"] for each in gains["named"]]
    bar = charts.split_bar(
        list(zip(names, counts, ("win", "loss", "tie"), strict=True)),
        title=_("Parts of the prompt that refinement gained, by what claims said"),
    )
    lost = sum(each["lost"] for each in gains["named"])
    said = _("Refinement gained {gained} parts of prompts and lost {lost}; a right claim named {share} of the gained.")
    text = said.format(gained=sum(counts), lost=lost, share=spelled(one))
    return paragraph(text) + figure(bar)


def _outcomes(repairs: Json, _: Translate) -> str:
    names = list(repairs["outcomes"][0])
    rows = [
        (_("claims judged right or partly right"), *repairs["outcomes"][0].values()),
        (_("other claims"), *repairs["outcomes"][1].values()),
    ]
    head = (_("claims"), *(_(name.replace("_", " ")) for name in names))
    note = (
        paragraph(_("{n} claims are left out: auditors are tied.").format(n=repairs["n_open"]))
        if repairs["n_open"]
        else ""
    )
    return folded(_("Every outcome"), table(head, rows, numeric=range(1, len(head))) + note)


def anchoring_section(anchoring: Json, _: Translate) -> CriticSection:
    names = {"accepted": _("claims accepted"), "missed_listed": _("missed errors listed, an image")}
    orders = {"lists_first": _("own list first"), "claims_first": _("claims first"), "difference": _("difference")}
    html, rows = "", []
    for name, title in names.items():
        effect = anchoring[name]
        marks = [mark(orders[order], effect[order], "images") for order in ("lists_first", "claims_first")]
        html += figure(
            charts.interval_plot(marks, title=title, low=0.0, axis=f"{title}, {_('95% interval over images')}")
        )
        rows += [
            estimate_row(f"{title}: {orders[order]}", effect[order], signed=order == "difference") for order in orders
        ]
    listed = anchoring["missed_listed"]
    told = ""
    if listed["difference"]["value"] is not None:
        said = _(
            "Errors listed an image that no right claim names: {first} with the own list first, {second} otherwise."
        )
        sides = {"first": spelled(listed["lists_first"]), "second": spelled(listed["claims_first"])}
        told = paragraph(said.format(**sides))
    note = paragraph(
        _("The order was drawn at random for each auditor and image, so that a difference is its doing."), "note"
    )
    html += told + note + figures_table(rows, _)
    return CriticSection("anchoring", _("Does seeing the claims first change the answers?"), html, "anchoring")
