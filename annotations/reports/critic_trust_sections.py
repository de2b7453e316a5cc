"""What stands behind the figures about critics: agreement of auditors, confidence, errors that nobody listed."""

from collections.abc import Callable, Mapping
from typing import Any

from annotations.reports import charts
from annotations.reports.charts import Mark
from annotations.reports.critic_charts import reliability_plot
from annotations.reports.critic_section import estimate_row, figures_table, label_of
from annotations.reports.markup import figure, folded, interval, paragraph, table, value
from annotations.reports.sections import words
from annotations.reports.tables import ends, leading, note_of

Json = Mapping[str, Any]
Translate = Callable[[str], str]


# --- auditors --------------------------------------------------------------------------------------------------------
def agreement_html(document: Json, _: Translate) -> str:
    marks, rows = [], []
    several = len(document["agreement"]) > 1
    for each in document["agreement"]:
        for one in each["estimates"]:
            label = (
                f"{each['critic']} · {words(one['statistic'])}"
                if each["critic"] and several
                else words(one["statistic"])
            )
            covers = "claims" if "claims" in one["n"] else "units"
            if not each["critic"] and covers == "units":
                low, high = ends(one, "units")
                wide_low, wide_high = ends(one, "raters")
                marks.append(Mark(label, one["value"], low, high, wide_low, wide_high, value(one["value"])))
            over = interval(*ends(one, covers)), interval(*ends(one, "raters"))
            rows.append((label, value(one["value"]), *over, note_of(one) or one["method"]))
    settled = document["settled"]
    if settled["several"]:
        said = _(
            "{n} claims have several verdicts: on {same} all agree, {adjudicated} were decided by an adjudicator, "
            "{open} are open."
        ).format(
            n=f"{settled['several']:,}",
            same=f"{settled['unanimous']:,}",
            adjudicated=f"{settled['adjudicated']:,}",
            open=f"{settled['open']:,}",
        )
    else:
        said = _("No claim has verdicts of two auditors, so that their agreement cannot be told.")
    plot = charts.interval_plot(
        marks,
        title=_("Agreement of auditors on verdicts"),
        low=min(
            [0.0, *(m.low for m in marks if m.low is not None), *(m.wide_low for m in marks if m.wide_low is not None)]
        ),
        high=1.0,
        axis=_("thick: 95% interval over claims, these auditors; thin: over auditors, these claims"),
    )
    head = (_("statistic"), _("value"), _("over claims"), _("over auditors"), _("convention or reason"))
    picture = figure(plot) if settled["several"] else ""
    return paragraph(said) + picture + folded(_("All figures"), table(head, rows, numeric=(1, 2, 3)))


# --- confidence and unseen errors ------------------------------------------------------------------------------------
def calibration_html(document: Json, _: Translate) -> str:
    html, rows = "", []
    for critic in document["critics"]:
        found = critic["calibration"]
        if not found:
            continue
        if len(document["critics"]) > 1:
            html += paragraph(critic["name"])
        html += figure(
            reliability_plot(
                found["bins"],
                title=_("Confidence against accuracy of {critic}").format(critic=critic["name"]),
                axes=(_("stated confidence"), _("share right")),
                ideal=_("means what it says"),
            )
        )
        for name, label in (
            ("brier", _("Brier score, 0 is best")),
            ("over_confidence", _("over-confidence")),
            ("calibration_error", _("expected calibration error")),
        ):
            rows.append(estimate_row(label_of(critic, document, label), found[name], signed=name == "over_confidence"))
    return html + figures_table(rows, _)


def unseen_html(document: Json, _: Translate) -> str:
    html, rows = "", []
    for critic in document["critics"]:
        marks = []
        for n_lists, one in zip(critic["unseen_n_lists"], critic["unseen"], strict=True):
            found = leading(one["total"]) or {"low": None, "high": None}
            label = _("critic and {n} auditors").format(n=n_lists - 1) if n_lists > 2 else _("critic and 1 auditor")
            total = one["total"]["value"]
            text = "" if total is None else _("{n} seen of {total}").format(n=one["n_observed"], total=f"{total:.1f}")
            marks.append(Mark(label, total, found["low"], found["high"], text=text))
            counts = (one["n_observed"], one["n_once"], one["n_twice"])
            ends_of = (value(total), interval(found["low"], found["high"]))
            rows.append(
                (label_of(critic, document, label), *counts, *ends_of, note_of(one["total"]) or one["total"]["method"])
            )
        if marks and len(document["critics"]) > 1:
            html += paragraph(critic["name"], "said")
        if marks:
            axis = _("errors in images with so many lists, estimated; 95% interval over errors")
            html += figure(charts.interval_plot(marks, title=_("Errors seen and unseen"), low=0.0, axis=axis))
    head = (_("lists"), _("seen"), _("on one"), _("on two"), _("estimated"), _("interval"), _("convention or reason"))
    note = paragraph(
        _(
            "How far the lists overlap tells how many errors stand on none. Only lists made before the claims were "
            "seen enter. Errors that are hard for everybody make the estimate too low: it is a lower bound."
        ),
        "note",
    )
    return html + note + folded(_("All figures"), table(head, rows, numeric=(1, 2, 3, 4, 5)))
