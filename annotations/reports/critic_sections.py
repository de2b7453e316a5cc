"""The document about critics as HTML: one list of sections, the same on the study's page and in the file alone.

`translate` is gettext or nothing; everything else that reaches the page is escaped.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from annotations.reports import charts
from annotations.reports.charts import Mark
from annotations.reports.critic_markup import figure, folded, p_value, paragraph, table, value
from annotations.reports.critic_repair_sections import anchoring_section, repair_section
from annotations.reports.critic_section import CriticSection, estimate_row, figures_table, label_of, mark, spelled
from annotations.reports.critic_trust_sections import agreement_html, calibration_html, unseen_html
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
        said += "; " + _("of claims about an image it was not shown {share} are right").format(
            share=f"{critic['floor']['value']:.1%}"
        )
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
    facets = dict.fromkeys(
        group["facet"] for critic in document["critics"] for group in critic["groups"] if group["facet"]
    )
    for number, facet in enumerate(facets, start=1):
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
    marks, rows = [], []
    for critic in document["critics"]:
        overall = critic["groups"][0]
        marks += [mark(label_of(critic, document, names[name]), overall[name], "images") for name in figures]
        listed = (*figures, "recall_of_lists") if document["counts"]["searches"] else figures
        rows += [estimate_row(label_of(critic, document, names[name]), overall[name]) for name in listed]
        rows.append(estimate_row(label_of(critic, document, _("cannot tell")), critic["cannot_tell"]))
    plot = charts.interval_plot(
        marks[:MOST_MARKS],
        title=_("Precision and recall"),
        low=0.0,
        high=1.0,
        axis=_("95% interval over images"),
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
    return figure(plot) + paragraph(f"{said} {convention}", "note") + none + figures_table(rows, _)


# --- controls --------------------------------------------------------------------------------------------------------
def _yardsticks(document: Json, _: Translate) -> str:
    marks: list[Mark] = []
    rows: list[Sequence[Any]] = []
    said: list[str] = []

    def add(label: str, one: Json) -> None:
        if one["value"] is not None:
            marks.append(mark(label, one, "images"))
            rows.append(estimate_row(label, one))

    for critic in document["critics"]:
        above = critic["above_control"]
        if critic["floor"]["value"] is not None:
            add(label_of(critic, document, _("precision")), critic["groups"][0]["precision"])
            add(label_of(critic, document, _("floor: wrong image")), critic["floor"])
        if above and above["difference"]["value"] is not None:
            said.append(
                _("{critic} is {gap} above claims made about a wrong image, on the same images ({p}).").format(
                    critic=critic["name"], gap=spelled(above["difference"], signed=True), p=p_value(above["p"])
                )
            )
            rows.append(
                estimate_row(label_of(critic, document, _("above the floor")), above["difference"], signed=True)
            )
        for part, words_of in (
            ("found_free", _("false alarms, no error found")),
            ("known_free", _("false alarms, known clean")),
        ):
            if critic[part]:
                add(label_of(critic, document, words_of), critic[part]["false_alarm_rate"])
                one = critic[part]["false_claims_per_image"]
                if one["value"] is not None:
                    rows.append(estimate_row(label_of(critic, document, _("false claims an image")), one))
        add(label_of(critic, document, _("planted defects found")), critic["defects_found"])
    add(_("planted claims accepted"), document["planted"])
    if not rows:
        return ""
    plot = charts.interval_plot(
        marks[:MOST_MARKS], title=_("Controls beside the precision"), low=0.0, high=1.0, axis=_("95% interval")
    )
    told = "".join(paragraph(sentence, "said") for sentence in said)
    note = paragraph(
        _(
            "The floor is what claims reach that were made about another image. False alarms: images without errors "
            "about which the critic claims one. Planted claims accepted: how far auditors can be misled."
        ),
        "note",
    )
    return told + figure(plot) + note + figures_table(rows, _)


# --- by group --------------------------------------------------------------------------------------------------------
def _facet(document: Json, facet: str, _: Translate) -> str:
    with_recall = bool(document["counts"]["searches"])
    html, rows = "", []
    for name, title in (("precision", _("precision")), ("recall", _("recall, listed errors"))):
        if name == "recall" and not with_recall:
            continue
        marks = []
        for critic in document["critics"]:
            for group in critic["groups"]:
                if group["facet"] != facet:
                    continue
                one = group[name]
                label = label_of(critic, document, group["label"])
                if one["value"] is not None:
                    n = one["n"]["judged"] if name == "precision" else one["n"]["errors"]
                    marks.append(mark(f"{label} ({n:,})", one, "images"))
                if name == "precision" or one["value"] is not None:
                    rows.append(estimate_row(f"{label}: {title}", one))
        if marks:
            plot = charts.interval_plot(
                marks[:MOST_MARKS],
                title=f"{title}, {facet}",
                low=0.0,
                high=1.0,
                axis=f"{title}, {_('95% interval over images')}",
            )
            html += figure(plot)
    return html + figures_table(rows, _)


# --- two critics -----------------------------------------------------------------------------------------------------
def _compared(pairs: Sequence[Json], document: Json, _: Translate) -> str:
    names = {"precision": _("precision"), "recall": _("recall"), "f1": _("F1")}
    marks, rows = [], []
    for pair in pairs:
        for name, one in pair["figures"].items():
            if name != "precision" and not document["counts"]["searches"]:
                continue
            label = f"{pair['first']} − {pair['second']}: {names[name]}"
            if one["difference"]["value"] is not None:
                marks.append(mark(label, one["difference"], "images", signed=True))
            corrected = one.get("p_holm")
            holm = f"{p_value(one['p'])} ({_('Holm')} {corrected:.4f})" if corrected is not None else ""
            sides = f"{value(one['first']['value'])} / {value(one['second']['value'])}"
            rows.append(
                (
                    label,
                    pair["n_images"],
                    sides,
                    spelled(one["difference"], signed=True),
                    holm,
                    note_of(one["difference"]),
                )
            )
    plot = charts.interval_plot(
        marks[:MOST_MARKS],
        title=_("Differences between critics on the same images"),
        references=[(0.0, "0")],
        axis=_("difference, 95% interval over images"),
    )
    head = (_("difference"), _("images"), _("first / second"), _("value"), _("p"), _("reason"))
    note = paragraph(
        _("On the images that both were shown. For recall, what either critic names rightly is an error for both."),
        "note",
    )
    return (figure(plot) if marks else "") + note + folded(_("All figures"), table(head, rows, numeric=(1, 2, 3)))
