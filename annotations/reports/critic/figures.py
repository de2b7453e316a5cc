"""All figures of one critic: overall, by group, and compared with its controls."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from annotations.reports.critic.audits import CriticAudit, audit_of, found_error_free
from annotations.reports.critic.data import CLEAN, DEFECT, EVERY_CRITIC, CriticData, Flags
from annotations.stats.arrays import IntArray
from annotations.stats.critic.accuracy import CriticReport, CriticRow, critic_accuracy
from annotations.stats.critic.audit import (
    CANNOT_TELL,
    CRITIC,
    PARTLY,
    RIGHT,
    WRONG_IMAGE,
    PartlyCounts,
    credit,
    settle_verdicts,
)
from annotations.stats.critic.calibration import Calibration, calibration
from annotations.stats.critic.sums import strata_of
from annotations.stats.estimate import Estimate
from annotations.stats.intervals.cluster_sums import clustered_share

MOST_GROUPS = 50
AUDITOR = "auditor"
Rng = Callable[..., np.random.Generator]


@dataclass(frozen=True)
class Options:
    """`partly`: how a partly right claim counts."""

    seed: int = 0
    partly: PartlyCounts = "half"
    n_resamples: int = 2000
    n_permutations: int = 1999


@dataclass(frozen=True)
class Group:
    """A critic's figures over all claims (facet and label empty) or over those with one label, and the number of
    auditors."""

    row: CriticRow
    n_images: int
    n_auditors: int
    n_verdicts: int


@dataclass(frozen=True)
class CriticResult:
    """One critic. `report` is of ordinary images, without any control; corrected recall is of lists made first."""

    name: str
    report: CriticReport
    groups: Sequence[Group]
    floor: Estimate
    """Share of the wrong-image control's claims that are right: the precision of claims made without seeing the
    image."""
    clean: CriticReport | None
    """The same critic on images known to have no errors; its false alarms are the relevant figure there."""
    defects_found: Estimate
    unseen_n_lists: Sequence[int]
    """The number of lists, the critic's among them, of each of `report.unseen`."""
    calibration: Calibration | None


def critic_result(data: CriticData, verdict: IntArray, critic: int, options: Options, rng: Rng) -> CriticResult:
    def accuracy(audit: CriticAudit, step: int, n_permutations: int = 1) -> CriticReport:
        return critic_accuracy(
            audit.audit,
            rng=rng(1, critic, step),
            partly=options.partly,
            n_resamples=options.n_resamples,
            n_permutations=n_permutations,
        )

    main = audit_of(data, verdict, critic, error_free=found_error_free(data, verdict))
    report, n_lists = accuracy(main, 0, options.n_permutations), []
    if data.lists.is_first.any():
        own = audit_of(data, verdict, critic, own_lists=True, with_controls=False)
        report, n_lists = _with_own_lists(report, accuracy(own, 1)), strata_of(own.audit).tolist()
    is_clean = data.seen[critic] & (data.control == CLEAN)
    clean = accuracy(_clean_audit(data, critic, is_clean), 2) if is_clean.any() else None
    groups = [_counted(data, row, main) for row in (report.overall, *report.by_facet)]
    groups += _verdict_groups(data, critic, options, rng)
    return CriticResult(
        data.critics[critic],
        report,
        groups,
        _floor(data, verdict, critic, options, rng(1, critic, 3)),
        clean,
        _defects_found(data, verdict, critic, rng(1, critic, 4), options.n_resamples),
        n_lists,
        _calibration(data, main, options, rng(1, critic, 5)),
    )


def _with_own_lists(report: CriticReport, own: CriticReport) -> CriticReport:
    """Corrected recall, recall of lists and unseen errors from the lists that auditors made before seeing claims.

    What an auditor lists after seeing the claims depends on them, so it is not an independent capture.
    """
    by_key = {(row.facet, row.label): row for row in own.by_facet}

    def merged(row: CriticRow, other: CriticRow | None) -> CriticRow:
        if other is None:
            return row
        return replace(row, recall_corrected=other.recall_corrected, recall_of_lists=other.recall_of_lists)

    return replace(
        report,
        overall=merged(report.overall, own.overall),
        by_facet=tuple(merged(row, by_key.get((row.facet, row.label))) for row in report.by_facet),
        unseen=own.unseen,
        unseen_two_lists=own.unseen_two_lists,
    )


def _clean_audit(data: CriticData, critic: int, is_clean: Flags) -> CriticAudit:
    # Every claim counts there, judged or not: no verdict is needed to know that it is false.
    unsettled = np.full(len(data.claims), CANNOT_TELL, np.int64)
    bare = replace(data, claims=replace(data.claims, facets={}))
    return audit_of(bare, unsettled, critic, images=is_clean, with_controls=False, error_free=is_clean)


def _counted(data: CriticData, row: CriticRow, audit: CriticAudit) -> Group:
    is_own = audit.audit.source == CRITIC
    if row.facet:
        is_own &= audit.audit.facets[row.facet] == row.label
    chosen = np.zeros(len(data.claims), bool)
    chosen[audit.claims[is_own]] = True
    rows = chosen[data.verdicts.claim]
    n_auditors = len(np.unique(data.verdicts.auditor[rows]))
    return Group(row, len(np.unique(data.claims.image[chosen])), n_auditors, int(rows.sum()))


def _verdict_groups(data: CriticData, critic: int, options: Options, rng: Rng) -> list[Group]:
    """By labels of the judgements, the auditor's name first: the verdicts with one label are settled separately."""
    verdicts = data.verdicts
    facets = dict(verdicts.facets)
    if 1 < len(data.auditors) <= MOST_GROUPS:
        facets[AUDITOR] = np.array(list(data.auditors), object)[verdicts.auditor]
    bare = replace(data, claims=replace(data.claims, facets={}))
    groups = []
    for number, (name, labels) in enumerate(facets.items()):
        for place, label in enumerate(sorted(set(labels))):
            rows = np.flatnonzero(labels == label)
            alone = settle_verdicts(verdicts.claim[rows], verdicts.value[rows], n_claims=len(data.claims)).verdict
            audit = audit_of(bare, alone, critic, with_controls=False)
            if not len(audit.claims):
                continue
            audit = replace(audit, audit=replace(audit.audit, searched=np.zeros(len(audit.images), bool)))
            report = critic_accuracy(
                audit.audit,
                rng=rng(6, critic, number, place),
                partly=options.partly,
                n_resamples=options.n_resamples,
                n_permutations=1,
            )
            narrowed = replace(
                data,
                verdicts=replace(
                    verdicts, claim=verdicts.claim[rows], auditor=verdicts.auditor[rows], value=verdicts.value[rows]
                ),
            )
            one = _counted(narrowed, report.overall, audit)
            groups.append(replace(one, row=replace(report.overall, facet=name, label=str(label))))
    return groups


def _floor(data: CriticData, verdict: IntArray, critic: int, options: Options, rng: np.random.Generator) -> Estimate:
    claims = data.claims
    is_control = (claims.source == WRONG_IMAGE) & np.isin(claims.critic, (critic, EVERY_CRITIC))
    judged = np.flatnonzero(is_control & (verdict >= 0) & (verdict != CANNOT_TELL))
    kept, image = np.unique(claims.image[judged], return_inverse=True)
    return clustered_share(
        "control_accuracy",
        credit(verdict[judged], options.partly),
        image,
        n_clusters=len(kept),
        rng=rng,
        items="claims",
        covers="images",
        method=f"credit of control claims with a verdict; a partly right claim counts as {options.partly}",
        n_resamples=options.n_resamples,
    )


def _defects_found(
    data: CriticData, verdict: IntArray, critic: int, rng: np.random.Generator, n_resamples: int
) -> Estimate:
    """A planted defect is found where a claim about the same part, or where no part is stated any claim, is right."""
    claims = data.claims
    is_right = (claims.critic == critic) & (claims.source == CRITIC) & ((verdict == RIGHT) | (verdict == PARTLY))
    images = [i for i in data.defects if data.control[i] == DEFECT and data.seen[critic, i]]
    hits, cluster = [], []
    for place, image in enumerate(images):
        here = set(claims.about[is_right & (claims.image == image)])
        for about in data.defects[image]:
            hits.append(float(about in here if about else bool(here)))
            cluster.append(place)
    return clustered_share(
        "planted_defects_found",
        np.array(hits, float),
        np.array(cluster, np.int64),
        n_clusters=len(images),
        rng=rng,
        items="defects",
        covers="images",
        method="planted defects about which a claim of the critic was judged right or partly right",
        n_resamples=n_resamples,
    )


def _calibration(
    data: CriticData, audit: CriticAudit, options: Options, rng: np.random.Generator
) -> Calibration | None:
    used = audit.audit
    confidence = data.claims.confidence[audit.claims]
    kept = (used.source == CRITIC) & (used.verdict != CANNOT_TELL) & ~np.isnan(confidence)
    if not kept.any():
        return None
    return calibration(
        confidence[kept],
        credit(used.verdict[kept], options.partly),
        used.image[kept],
        n_images=used.n_images,
        rng=rng,
        n_resamples=options.n_resamples,
    )
