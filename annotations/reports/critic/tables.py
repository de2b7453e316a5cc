"""The document about critics as the tables that `analyze_critic` writes and the study's page offers."""

from collections.abc import Iterator

from annotations.reports.documents.critic import CriticDocument, CriticGroup, FalseAlarms, ReportedCritic
from annotations.reports.documents.estimates import ReportedEstimate, ReportedInterval
from annotations.reports.estimates import ends, items_of, leading, note_of, wilson_and_cluster
from annotations.reports.sources import COLUMNS as SOURCES
from annotations.reports.sources import source_rows
from annotations.reports.study.tables import Row

CRITIC = (
    "critic",
    "facet",
    "group",
    "statistic",
    "value",
    "wilson_low",
    "wilson_high",
    "cluster_low",
    "cluster_high",
    "n_claims",
    "n_images",
    "n_auditors",
    "n_verdicts",
    "note",
    "n_judged",
    "n_right",
    "n_partly",
    "n_wrong",
    "n_cannot_tell",
    "n_errors",
    "method",
)
OVERALL, ALL = "overall", "all"
NAMES = {"precision": "accuracy"}
ACCURACY = "share of judged claims that are right, the precision of claims"
AGREEMENT = (
    "critic",
    "statistic",
    "value",
    "ci_claims_low",
    "ci_claims_high",
    "ci_auditors_low",
    "ci_auditors_high",
    "n_claims",
    "n_pairable",
    "n_auditors",
    "n_verdicts",
    "note",
    "method",
)
DIFFERENCES = (
    "first",
    "second",
    "statistic",
    "value_first",
    "value_second",
    "difference",
    "low",
    "high",
    "p",
    "p_holm",
    "n_images",
    "note",
    "method",
    "p_method",
)
CALIBRATION = ("critic", "from", "to", "n_claims", "mean_confidence", "accuracy", "wilson_low", "wilson_high")
SHARES = ("figure", "facet", "group", "value", "wilson_low", "wilson_high", "cluster_low", "cluster_high", "n", "note")
UNSEEN = ("critic", "statistic", "n_lists", "observed", "once", "twice", "total", "low", "high", "note", "method")


def critic_rows(document: CriticDocument) -> Iterator[Row]:
    """Each critic's figures over all claims, then its controls, then the figures by group."""
    for critic in document.critics:
        overall, *groups = critic.groups
        yield from _group_rows(critic.name, overall, document)
        yield _row(critic.name, critic.cannot_tell, critic.cannot_tell.n.get("claims"))
        yield from _yardsticks(critic)
        for group in groups:
            yield from _group_rows(critic.name, group, document)
    if document.planted.n["claims"]:
        yield _row("", document.planted, document.planted.n["claims"])


def _group_rows(critic: str, group: CriticGroup, document: CriticDocument) -> Iterator[Row]:
    # If nobody looked for missed errors, groups have no recall to report.
    names = ("precision", "recall", "f1", "recall_corrected", "recall_of_lists")
    for name in names if document.counts.searches else names[:1]:
        one = getattr(group, name)
        n = one.n
        over = "claims" if name == "precision" else "errors"
        yield (
            critic,
            group.facet or OVERALL,
            group.label if group.facet else ALL,
            NAMES.get(name, name),
            one.value,
            *ends(one, over),
            *ends(one, "images"),
            n["claims"],
            group.n_images,
            group.n_auditors,
            group.n_verdicts,
            note_of(one),
            n["judged"],
            n["right"],
            n["partly"],
            n["wrong"],
            n["cannot_tell"],
            n["errors"] if document.counts.searches else None,
            f"{ACCURACY}: {one.method}" if name == "precision" else one.method,
        )


def _yardsticks(critic: ReportedCritic) -> Iterator[Row]:
    name = critic.name
    for part in ("found_free", "known_free"):
        alarms: FalseAlarms | None = getattr(critic, part)
        if alarms and alarms.false_alarm_rate.value is not None:
            for one in (alarms.false_alarm_rate, alarms.false_claims_per_image):
                yield _row(name, one, None, suffix=f"_{part}")
    if critic.floor.n["claims"]:
        yield _row(name, critic.floor, critic.floor.n["claims"])
    if critic.above_control:
        one = critic.above_control.difference
        yield _row(name, one, None, note=f"p = {critic.above_control.p}" if one.value is not None else "")
    if critic.defects_found.n["defects"]:
        yield _row(name, critic.defects_found, None)
    if critic.calibration:
        for figure in ("brier", "over_confidence", "calibration_error"):
            one = getattr(critic.calibration, figure)
            yield _row(name, one, one.n["claims"])


def _row(critic: str, one: ReportedEstimate, n_claims: int | None, *, suffix: str = "", note: str = "") -> Row:
    statistic = one.statistic.removeprefix("critic_")
    wilson, cluster = map(_both, wilson_and_cluster(one))
    if statistic == "precision_difference":
        statistic = "accuracy_above_control"
    notes = "; ".join(text for text in (note_of(one), note) if text)
    return (
        critic,
        OVERALL,
        ALL,
        statistic + suffix,
        one.value,
        *wilson,
        *cluster,
        n_claims,
        one.n.get("images"),
        None,
        None,
        notes,
        *(None,) * 6,
        one.method,
    )


def agreement_rows(document: CriticDocument) -> Iterator[Row]:
    for each in document.agreement:
        for one in each.estimates:
            n = one.n
            yield (
                each.critic or ALL,
                one.statistic,
                one.value,
                *(ends(one, "claims") if "claims" in n else ends(one, "units")),
                *ends(one, "raters"),
                n.get("units", n.get("claims")),
                n.get("pairable"),
                n.get("raters"),
                n.get("ratings"),
                note_of(one),
                one.method,
            )


def difference_rows(document: CriticDocument) -> Iterator[Row]:
    for pair in document.differences:
        for name in ("precision", "recall", "f1"):
            if (figure := pair.figures.get(name)) is None:
                continue
            if name != "precision" and not document.counts.searches:
                continue
            one = figure.difference
            yield (
                pair.first,
                pair.second,
                NAMES.get(name, name),
                figure.first.value,
                figure.second.value,
                one.value,
                *ends(one, "images"),
                figure.p,
                figure.p_holm,
                pair.n_images,
                note_of(one),
                one.method,
                figure.p_method,
            )


def calibration_rows(document: CriticDocument) -> Iterator[Row]:
    for critic in document.critics:
        for one in critic.calibration.bins if critic.calibration else ():
            figures = ("low", "high", "n", "confidence", "accuracy", "interval_low", "interval_high")
            yield (critic.name, *(getattr(one, name) for name in figures))


def repair_rows(document: CriticDocument) -> Iterator[Row]:
    """The side-by-side audit: repair rates, other outcomes, gains, and what the placebo pairs show."""
    repairs = document.repairs
    if not repairs:
        return
    for row in repairs.rows:
        yield _share(row.rate, row.facet or OVERALL, row.label or ALL)
    for name in ("improved", "worse", "placebo_differences", "placebo_left"):
        yield _share(getattr(repairs, name), OVERALL, ALL)
    if repairs.gains:
        yield _share(repairs.gains.from_right_claims, OVERALL, ALL)
        for one in repairs.gains.named:
            yield _share(one.mended, "claims", one.words)


def anchoring_rows(document: CriticDocument) -> Iterator[Row]:
    anchoring = document.anchoring
    if anchoring is None:
        return
    for name, effect in (("accepted", anchoring.accepted), ("missed_listed", anchoring.missed_listed)):
        for order in ("lists_first", "claims_first", "difference"):
            yield _share(getattr(effect, order), name, order)


def _share(one: ReportedEstimate, facet: str, group: str) -> Row:
    wilson, cluster = map(_both, wilson_and_cluster(one))
    return (
        one.statistic,
        facet,
        group,
        one.value,
        *wilson,
        *cluster,
        items_of(one),
        note_of(one),
    )


def _both(interval: ReportedInterval | None) -> tuple[float | None, float | None]:
    """Both ends, as cells."""
    return (interval.low, interval.high) if interval else (None, None)


def unseen_rows(document: CriticDocument) -> Iterator[Row]:
    """Errors that nobody listed, by number of lists (the critic's among them); 2 where all auditors are one list."""
    for critic in document.critics:
        two = critic.unseen_two_lists
        for n_lists, one in [
            *zip(critic.unseen_n_lists, critic.unseen, strict=True),
            *([(2, two)] if two else []),
        ]:
            total = one.total
            interval = leading(total)
            counts = (one.n_observed, one.n_once, one.n_twice)
            ends_of = (total.value, *_both(interval))
            yield (critic.name, total.statistic, n_lists, *counts, *ends_of, note_of(total), total.method)


CRITIC_TABLES = {
    "critic": (CRITIC, critic_rows),
    "verdict_agreement": (AGREEMENT, agreement_rows),
    "critic_differences": (DIFFERENCES, difference_rows),
    "calibration": (CALIBRATION, calibration_rows),
    "repairs": (SHARES, repair_rows),
    "anchoring": (SHARES, anchoring_rows),
    "unseen": (UNSEEN, unseen_rows),
    "sources": (SOURCES, source_rows),
}
"""File name without ending → columns, and the function that makes the rows."""
OF_VERDICTS = ("critic", "verdict_agreement", "critic_differences", "calibration")
"""The tables that need only verdicts."""
