"""Results about critics → one document, from which tables, charts and pages are drawn."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from annotations.reports.critic.analysis import CriticResults, Pair
from annotations.reports.critic.anchoring import Anchoring, Effect
from annotations.reports.critic.data import EVERY_CRITIC, OUTCOMES
from annotations.reports.critic.figures import CriticResult, Group
from annotations.reports.critic.repairs import NAMED, Gains, RepairResults
from annotations.reports.documents.critic import (
    CalibrationBin,
    CriticAgreement,
    CriticCounts,
    CriticDifference,
    CriticDocument,
    CriticGroup,
    CriticPair,
    FalseAlarms,
    GainGroup,
    OrderEffect,
    RepairRow,
    ReportedAnchoring,
    ReportedCalibration,
    ReportedCritic,
    ReportedGains,
    ReportedRepairs,
    ReportedUnseen,
    Settled,
)
from annotations.reports.documents.provenance import MadeOfVerdicts
from annotations.reports.estimates import estimate, number
from annotations.stats.critic.audit import CANNOT_TELL, CRITIC, PLANTED, WRONG_IMAGE
from annotations.stats.critic.calibration import Calibration
from annotations.stats.critic.capture_recapture import Unseen
from annotations.stats.critic.comparison import Difference
from annotations.stats.estimate import STATS_VERSION
from annotations.stats.metrics.permutation import holm

FIGURES = ("precision", "recall", "f1", "recall_corrected", "recall_of_lists")


def critic_document(
    results: CriticResults,
    *,
    title: str,
    code_version: str,
    made_at: str,
    n_excluded: int = 0,
    warnings: Sequence[str] = (),
) -> CriticDocument:
    """The whole result. NaN and infinities become None; the reason is next to them."""
    data, options, verdict = results.data, results.options, results.settled
    is_real = data.claims.source == CRITIC
    judged = is_real & (verdict.verdict >= 0)
    differences = _differences(results.pairs)
    return CriticDocument(
        title=title,
        made=MadeOfVerdicts(
            at=made_at,
            code_version=code_version,
            stats_version=STATS_VERSION,
            inputs_hash=data.inputs_hash(),
            seed=options.seed,
            n_resamples=options.n_resamples,
            n_permutations=options.n_permutations,
            partly=options.partly,
        ),
        n_excluded=n_excluded,
        warnings=tuple(warnings),
        facets_left_out=dict(results.facets_left_out),
        counts=CriticCounts(
            images=len(np.unique(data.claims.image[judged])) if judged.any() else 0,
            claims=int(judged.sum()),
            auditors=len(np.unique(data.verdicts.auditor)),
            simulated_auditors=data.n_simulated,
            verdicts=int(is_real[data.verdicts.claim].sum()),
            searches=len(data.lists.image),
            listed=len(data.lists.group),
            lists_first=int(data.lists.is_first.sum()),
            control_claims=int(((data.claims.source == WRONG_IMAGE) & (verdict.verdict >= 0)).sum()),
            planted_claims=int(((data.claims.source == PLANTED) & (verdict.verdict >= 0)).sum()),
        ),
        settled=Settled(
            several=int((judged & (verdict.n_judged > 1)).sum()),
            unanimous=int((judged & verdict.unanimous).sum()),
            adjudicated=int((judged & verdict.adjudicated).sum()),
            open=int((judged & verdict.open).sum()),
            cannot_tell=int((judged & (verdict.verdict == CANNOT_TELL) & ~verdict.open).sum()),
        ),
        agreement=tuple(
            CriticAgreement(critic=name, estimates=tuple(map(estimate, found))) for name, found in results.agreement
        ),
        critics=tuple(_critic(one) for one in results.critics),
        planted=estimate(results.planted),
        has_shared_control=bool((data.claims.critic[~is_real] == EVERY_CRITIC).any()),
        repairs=_repairs(results.repairs) if results.repairs else None,
        anchoring=_anchoring(results.anchoring) if results.anchoring else None,
        differences=tuple(differences),
    )


def _critic(one: CriticResult) -> ReportedCritic:
    report = one.report
    return ReportedCritic(
        name=one.name,
        groups=tuple(_group(group) for group in one.groups),
        cannot_tell=estimate(report.cannot_tell),
        found_free=FalseAlarms(
            false_alarm_rate=estimate(report.false_alarm_rate),
            false_claims_per_image=estimate(report.false_claims_per_image),
        ),
        known_free=FalseAlarms(
            false_alarm_rate=estimate(one.clean.false_alarm_rate),
            false_claims_per_image=estimate(one.clean.false_claims_per_image),
        )
        if one.clean
        else None,
        unseen=tuple(_unseen(each) for each in report.unseen),
        unseen_n_lists=tuple(one.unseen_n_lists),
        unseen_two_lists=_unseen(report.unseen_two_lists) if report.unseen_two_lists else None,
        floor=estimate(one.floor),
        above_control=_difference(report.above_control) if report.above_control else None,
        defects_found=estimate(one.defects_found),
        calibration=_calibration(one.calibration) if one.calibration else None,
    )


def _group(group: Group) -> CriticGroup:
    row = group.row
    return CriticGroup(
        facet=row.facet,
        label=row.label,
        n_images=group.n_images,
        n_auditors=group.n_auditors,
        n_verdicts=group.n_verdicts,
        **{name: estimate(getattr(row, name)) for name in FIGURES},
    )


def _unseen(one: Unseen) -> ReportedUnseen:
    return ReportedUnseen(
        total=estimate(one.total),
        unseen=estimate(one.unseen),
        n_observed=one.n_observed,
        n_once=one.n_once,
        n_twice=one.n_twice,
    )


def _difference(one: Difference) -> CriticDifference:
    return CriticDifference(
        first=estimate(one.first),
        second=estimate(one.second),
        difference=estimate(one.difference),
        p=number(one.p_value),
        p_method=one.p_method,
    )


def _differences(pairs: Sequence[Pair]) -> list[CriticPair]:
    """p also corrected by Holm over all pairs of critics, figure by figure."""
    figures = [{name: _difference(one) for name, one in pair.figures.items()} for pair in pairs]
    for name in ("precision", "recall", "f1"):
        tested = [(at, of[name].p) for at, of in enumerate(figures)]
        defined = [(at, p) for at, p in tested if p is not None]
        for (at, _), corrected in zip(defined, holm([p for _, p in defined]) if defined else (), strict=True):
            figures[at][name] = replace(figures[at][name], p_holm=number(float(corrected)))
    return [
        CriticPair(first=pair.first, second=pair.second, n_images=pair.n_images, figures=of)
        for pair, of in zip(pairs, figures, strict=True)
    ]


def _calibration(one: Calibration) -> ReportedCalibration:
    return ReportedCalibration(
        bins=tuple(
            CalibrationBin(
                low=each.low,
                high=each.high,
                n=each.n,
                confidence=number(each.confidence),
                accuracy=number(each.accuracy),
                interval_low=number(each.interval.low),
                interval_high=number(each.interval.high),
            )
            for each in one.bins
        ),
        **{name: estimate(getattr(one, name)) for name in ("brier", "over_confidence", "calibration_error")},
    )


def _repairs(one: RepairResults) -> ReportedRepairs:
    return ReportedRepairs(
        n_pairs=one.n_pairs,
        rows=tuple(RepairRow(facet=row.facet, label=row.label, rate=estimate(row.rate)) for row in one.rows),
        improved=estimate(one.improved),
        worse=estimate(one.worse),
        outcomes=tuple(dict(zip(OUTCOMES, counts, strict=True)) for counts in one.outcomes),
        n_open=one.n_open,
        gains=_gains(one.gains) if one.gains else None,
        placebo_differences=estimate(one.placebo_differences),
        placebo_left=estimate(one.placebo_left),
    )


def _gains(one: Gains) -> ReportedGains:
    return ReportedGains(
        named=tuple(
            GainGroup(words=words, gained=gained, lost=lost, lacking=lacking, mended=estimate(mended))
            for words, gained, lost, lacking, mended in zip(
                NAMED, one.gained, one.lost, one.lacking, one.mended, strict=True
            )
        ),
        from_right_claims=estimate(one.from_right_claims),
    )


def _anchoring(one: Anchoring) -> ReportedAnchoring:
    return ReportedAnchoring(accepted=_effect(one.accepted), missed_listed=_effect(one.missed_listed))


def _effect(one: Effect) -> OrderEffect:
    return OrderEffect(
        lists_first=estimate(one.lists_first),
        claims_first=estimate(one.claims_first),
        difference=estimate(one.difference),
    )
