"""The document about critics as HTML: one list of sections, the same on the study's page and in the file alone.

`translate` is gettext or nothing; everything else that reaches the page is escaped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from annotations.reports import charts
from annotations.reports.charts import Mark
from annotations.reports.critic_repair_sections import anchoring_section, repair_section
from annotations.reports.critic_section import CriticSection, estimate_row, figures_table, label_of, mark, spelled
from annotations.reports.critic_trust_sections import agreement_html, calibration_html, unseen_html
from annotations.reports.markup import figure, folded, p_value, paragraph, table, value
from annotations.reports.tables import ends, note_of

Json = Mapping[str, Any]
Translate = Callable[[str], str]

FIGURES = ("precision", "recall", "recall_corrected", "f1")
MOST_MARKS = 60


def critic_headlines(document: Json, translate: Translate = str) -> list[str]:
    """A sentence of plain text a critic: how many of its claims are right, and how many errors it names."""
    return [_headline(critic, document, translate) for critic in document["critics"]]


def _headline(critic: Json, document: Json, _: Translate) -> str:
    overall = critic["groups"][0]
    one = overall["precision"]
    if one["value"] is None:
        return f"{critic['name']}: {one['reason']}"
    said = _("{critic}: of {n} judged claims {share} are right").format(
        critic=critic["name"], n=f"{one['n']['judged']:,}", share=f"{one['value']:.1%}"
    )
    low, high = ends(one, "images")
    if low is not None and high is not None:
        said += f" ({_('95% interval over images')} {low:.1%}–{high:.1%})"
    recall = overall["recall_corrected"] if overall["recall_corrected"]["value"] is not None else overall["recall"]
    if recall["value"] is not None:
        said += "; " + _("it names {share} of the errors").format(share=f"{recall['value']:.1%}")
        low, high = ends(recall, "images")
        if low is not None and high is not None:
            said += f" ({low:.1%}–{high:.1%})"
    if critic["floor"]["value"] is not None:
        said += "; " + _("of control claims {share} are right").format(share=f"{critic['floor']['value']:.1%}")
    return said


def critic_sections(document: Json, translate: Translate = str) -> list[CriticSection]:
    """Every section in reading order: the answer first, then what it is held against, then what stands behind it."""
    return list(_sections(document, translate))


def _sections(document: Json, _: Translate) -> Iterator[CriticSection]:
    if not document["critics"]:
        return
    yield CriticSection("accuracy", _("How far to trust it"), _accuracy(document, _), "critic", "overall")
    if html := _yardsticks(document, _):
        yield CriticSection("controls", _("Held against controls"), html, "critic", "overall")
    for pair in [document["differences"]] if document["differences"] else []:
        yield CriticSection("differences", _("Critics compared"), _compared(pair, document, _), "critic_differences")
    facets: dict[str, set[str]] = {}
    for critic in document["critics"]:
        for group in critic["groups"][1:]:
            facets.setdefault(group["facet"], set()).add(group["label"])
    # A property with one value tells nothing that the whole does not; the table has it all the same.
    for number, facet in enumerate((name for name, labels in facets.items() if len(labels) > 1), start=1):
        title = _("By {facet}").format(facet=_(facet.replace("_", " ")))
        yield CriticSection(f"group-{number}", title, _facet(document, facet, _), "critic", facet)
    if document["repairs"]:
        yield repair_section(document["repairs"], _)
    yield CriticSection("agreement", _("Do auditors agree?"), agreement_html(document, _), "verdict_agreement")
    if document["anchoring"]:
        yield anchoring_section(document["anchoring"], _)
    if any(critic["calibration"] for critic in document["critics"]):
        yield CriticSection(
            "calibration", _("Does its confidence mean anything?"), calibration_html(document, _), "calibration"
        )
    if any(critic["unseen"] for critic in document["critics"]):
        yield CriticSection("unseen", _("What nobody listed"), unseen_html(document, _), "unseen")


# --- the answer ------------------------------------------------------------------------------------------------------
def _accuracy(document: Json, _: Translate) -> str:
    names = {
        "precision": _("precision"),
        "recall": _("recall, listed errors"),
        "recall_corrected": _("recall, corrected"),
        "f1": _("F1"),
        "recall_of_lists": _("recall of auditors' own lists"),
    }
    figures = FIGURES if document["counts"]["searches"] else FIGURES[:1]
    critics, rows = document["critics"], []
    for critic in critics:
        overall = critic["groups"][0]
        listed = (*figures, "recall_of_lists") if document["counts"]["searches"] else figures
        rows += [estimate_row(label_of(critic, document, names[name]), overall[name]) for name in listed]
        rows.append(estimate_row(label_of(critic, document, _("cannot tell")), critic["cannot_tell"]))

    def plot(marks: Sequence[Mark], title: str) -> str:
        axis = f"{title}, {_('95% interval over images')}"
        return figure(charts.interval_plot(marks[:MOST_MARKS], title=title, low=0.0, high=1.0, axis=axis))

    if len(critics) == 1:
        overall = critics[0]["groups"][0]
        pictures = plot([mark(names[name], overall[name], "images") for name in figures], _("precision and recall"))
    else:
        pictures = "".join(
            plot([mark(critic["name"], critic["groups"][0][name], "images") for critic in critics], names[name])
            for name in figures
        )
    counts, settled = document["counts"], document["settled"]
    said = _("{claims} claims about {images} images, {verdicts} verdicts by {auditors} auditors.").format(
        **{name: f"{counts[name]:,}" for name in ("claims", "images", "verdicts", "auditors")}
    )
    if settled["open"]:
        said += " " + _("{n} claims are open: auditors are tied, and nobody has decided yet.").format(n=settled["open"])
    convention = _(
        "A partly right claim counts as {partly}; “cannot tell” is no verdict. Controls are left out."
    ).format(partly={"right": _("right"), "half": _("half"), "wrong": _("wrong")}[document["made"]["partly"]])
    none = (
        ""
        if counts["searches"]
        else paragraph(_("Nobody searched for what was missed, so there is no recall."), "note")
    )
    return pictures + paragraph(f"{said} {convention}", "note") + none + figures_table(rows, _)


# --- controls --------------------------------------------------------------------------------------------------------
def _yardsticks(document: Json, _: Translate) -> str:
    html, rows = "", []
    for critic in document["critics"]:
        marks, own = _yardsticks_of(critic, document, _)
        above = critic["above_control"]
        if above and above["difference"]["value"] is not None:
            said = _(
                "Precision of {critic} minus that of claims made about a wrong image, on the same images: {gap}, {p}."
            )
            gap = spelled(above["difference"], signed=True)
            html += paragraph(said.format(critic=critic["name"], gap=gap, p=p_value(above["p"])), "said")
        elif marks and len(document["critics"]) > 1:
            html += paragraph(critic["name"], "said")
        html += _shares(marks, critic["name"], _)
        rows += own
    planted = document["planted"]
    if planted["value"] is not None:
        html += _shares([mark(_("planted claims accepted"), planted, "images")], _("planted claims"), _)
        rows.append(estimate_row(_("planted claims accepted"), planted))
    if not rows:
        return ""
    note = paragraph(
        _(
            "The floor is what claims reach that were made about another image. False alarms: images without errors "
            "about which the critic claims one. Planted claims accepted: how far auditors can be misled."
        ),
        "note",
    )
    return html + note + figures_table(rows, _)


def _yardsticks_of(critic: Json, document: Json, _: Translate) -> tuple[list[Mark], list[Sequence[Any]]]:
    marks: list[Mark] = []
    rows: list[Sequence[Any]] = []

    def add(label: str, one: Json, *, is_share: bool = True) -> None:
        if one["value"] is None:
            return
        rows.append(estimate_row(label_of(critic, document, label), one, signed=not is_share))
        if is_share:
            marks.append(mark(label, one, "images"))

    if critic["floor"]["value"] is not None:
        add(_("precision"), critic["groups"][0]["precision"])
        add(_("floor: wrong image"), critic["floor"])
    if critic["above_control"]:
        add(_("above the floor"), critic["above_control"]["difference"], is_share=False)
    for part, words_of in (
        ("found_free", _("false alarms, none found")),
        ("known_free", _("false alarms, known clean")),
    ):
        if critic[part]:
            add(words_of, critic[part]["false_alarm_rate"])
            add(_("false claims an image"), critic[part]["false_claims_per_image"], is_share=False)
    add(_("planted defects found"), critic["defects_found"])
    return marks, rows


def _shares(marks: Sequence[Mark], title: str, _: Translate) -> str:
    if not marks:
        return ""
    return figure(charts.interval_plot(marks[:MOST_MARKS], title=title, low=0.0, high=1.0, axis=_("95% interval")))


# --- by group --------------------------------------------------------------------------------------------------------
def _facet(document: Json, facet: str, _: Translate) -> str:
    html, rows = "", []
    for critic in document["critics"]:
        groups = [group for group in critic["groups"][1:] if group["facet"] == facet]
        if groups and len(document["critics"]) > 1:
            html += paragraph(critic["name"], "said")
        for name, title in (("precision", _("precision")), ("recall", _("recall, listed errors"))):
            if name == "recall" and not document["counts"]["searches"]:
                continue
            marks = []
            for group in groups:
                one = group[name]
                if one["value"] is not None:
                    n = one["n"]["judged"] if name == "precision" else one["n"]["errors"]
                    marks.append(mark(f"{group['label']} ({n:,})", one, "images"))
                if name == "precision" or one["value"] is not None:
                    rows.append(estimate_row(f"{label_of(critic, document, group['label'])}: {title}", one))
            if marks:
                axis = f"{title}, {_('95% interval over images')}"
                plot = charts.interval_plot(marks, title=f"{title}, {facet}", low=0.0, high=1.0, axis=axis)
                html += figure(plot)
    return html + figures_table(rows, _)


# --- two critics -----------------------------------------------------------------------------------------------------
def _compared(pairs: Sequence[Json], document: Json, _: Translate) -> str:
    names = {"precision": _("precision"), "recall": _("recall"), "f1": _("F1")}
    html, rows = "", []
    for name, title in names.items():
        if name != "precision" and not document["counts"]["searches"]:
            continue
        marks = []
        for pair in pairs:
            one, label = pair["figures"][name], f"{pair['first']} − {pair['second']}"
            if one["difference"]["value"] is not None:
                marks.append(mark(label, one["difference"], "images", signed=True))
            corrected = one.get("p_holm")
            holm = f"{p_value(one['p'])} ({_('Holm')} {corrected:.4f})" if corrected is not None else ""
            sides = f"{value(one['first']['value'])} / {value(one['second']['value'])}"
            gap, reason = spelled(one["difference"], signed=True), note_of(one["difference"])
            rows.append((f"{label}: {title}", pair["n_images"], sides, gap, holm, reason))
        if marks:
            axis = _("difference of {figure}, 95% interval over images").format(figure=title)
            plot = charts.interval_plot(marks[:MOST_MARKS], title=title, references=[(0.0, "0")], axis=axis)
            html += figure(plot)
    head = (_("difference"), _("images"), _("first / second"), _("value"), _("p"), _("reason"))
    said = _("On the images that both were shown.")
    if document["counts"]["searches"]:
        said += " " + _("For recall, what either critic names rightly is an error for both.")
    note = paragraph(said, "note")
    return html + note + folded(_("All figures"), table(head, rows, numeric=(1, 2, 3)))
