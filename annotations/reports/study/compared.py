"""Comparisons of two methods, and the model of all methods, as stored in a study's document."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from annotations.reports.documents.comparisons import (
    ModelledMethod,
    ModelledPair,
    OverBoth,
    Permutation,
    PlannedSize,
    ReportedCategories,
    ReportedCategory,
    ReportedChoice,
    ReportedComparison,
    ReportedEquivalence,
    ReportedInteraction,
    ReportedModel,
    ReportedMultiverse,
    ReportedOrdinal,
    ReportedSequence,
    ReportedUniverse,
    TTest,
    Wilcoxon,
)
from annotations.reports.estimates import estimate, number
from annotations.reports.study.analysis import CategoryEffects
from annotations.reports.study.robustness import Depth
from annotations.reports.study.supporting import Lead
from annotations.reports.votes.fragility import reported_fewest
from annotations.stats.comparison.by_category import CategoryEffect
from annotations.stats.comparison.compare import Comparison
from annotations.stats.comparison.equivalence import Equivalence, equivalence
from annotations.stats.comparison.multiverse import Multiverse
from annotations.stats.intervals.equal_means import Interaction
from annotations.stats.ordinal_model.methods import MethodModel


def reported_comparison(
    one: Comparison,
    depth: Depth,
    within: Sequence[CategoryEffects],
    lead: Lead | None,
    methods: Sequence[str],
    names: Mapping[str, Sequence[str]],
    margin: float | None,
) -> ReportedComparison:
    """A comparison with its supporting figures, and within categories.

    margin: of the test for equivalence, if any; names: of prompts and raters by code, to name those that decide.
    """
    effect, sequence = depth.effect, depth.sequence
    return ReportedComparison(
        baseline=methods[one.baseline],
        refined=methods[one.refined],
        n=one.n,
        counts=dict(one.counts),
        mean_diff=estimate(one.mean_diff),
        wins=one.wins,
        ties=one.ties,
        losses=one.losses,
        wilcoxon=Wilcoxon(w=number(one.wilcoxon_w), p=number(one.wilcoxon_p), method=one.wilcoxon_method),
        permutation=Permutation(
            p=number(one.permutation_p),
            mid_p=number(one.permutation_mid_p),
            method=one.permutation_method,
        ),
        both=OverBoth(p=number(one.both_p), df=number(one.both_df), detectable=number(one.detectable)),
        raters_p=number(one.raters_p),
        equivalence=_equivalence(one, margin) if margin else None,
        t=TTest(t=number(one.t), df=one.t_df, p=number(one.t_p)),
        rank_biserial=estimate(one.rank_biserial),
        prob_superiority=estimate(one.prob_superiority),
        differences=_tally(float(difference) for difference in one.differences),
        note=one.note,
        ordinal=ReportedOrdinal(
            effect=estimate(effect.effect),
            odds_ratio=number(effect.odds_ratio),
            low=number(effect.odds_low),
            high=number(effect.odds_high),
            p=number(effect.p),
            deviations={name: number(value) for name, value in effect.fit.deviations.items()},
            notes=tuple(effect.fit.notes),
        ),
        multiverse=_multiverse(depth.robustness),
        sizes=tuple(
            PlannedSize(
                half_width=half_width,
                raters_per_prompt=per_prompt,
                n_raters=n_raters,
                n_prompts=plan.n_prompts if plan else None,
                n_ratings=plan.n_ratings if plan else None,
            )
            for half_width, per_prompt, n_raters, plan in depth.sizes
        ),
        gains=tuple(
            PlannedSize(
                half_width=plan.half_width,
                raters_per_prompt=plan.raters_per_prompt,
                n_raters=plan.n_raters,
                n_prompts=plan.n_prompts,
                n_ratings=plan.n_ratings,
            )
            for plan in depth.gains
        ),
        sequence=ReportedSequence(
            low=number(float(sequence.low[-1])) if len(sequence.low) else None,
            high=number(float(sequence.high[-1])) if len(sequence.high) else None,
            stopped_at=sequence.stopped_at,
            decision=sequence.decision,
            method=sequence.method,
        ),
        categories=tuple(map(_categories, within)),
        fewest=reported_fewest(lead.fewest, names) if lead else (),
        over_seeds=estimate(lead.over_seeds) if lead and lead.over_seeds else None,
    )


def _multiverse(one: Multiverse) -> ReportedMultiverse:
    return ReportedMultiverse(
        words=one.words,
        survives=one.survives,
        n=len(one.universes),
        n_same_sign=one.n_same_sign,
        n_same_conclusion=one.n_same_conclusion,
        choices=tuple(ReportedChoice(**asdict(choice)) for choice in one.choices),
        universes=tuple(
            ReportedUniverse(
                exclusion=each.exclusion,
                aggregation=each.aggregation,
                subset=each.subset,
                n_excluded=each.n_excluded,
                n_units=each.n_units,
                value=number(each.estimate.value),
                low=number(each.estimate.intervals[0].low) if each.estimate.intervals else None,
                high=number(each.estimate.intervals[0].high) if each.estimate.intervals else None,
                reason=each.estimate.reason,
            )
            for each in one.universes
        ),
    )


def _equivalence(one: Comparison, margin: float) -> ReportedEquivalence:
    return ReportedEquivalence(**_finite(equivalence(one.mean_diff.value, one.both, margin)))


def _categories(one: CategoryEffects) -> ReportedCategories:
    return ReportedCategories(
        facet=one.facet,
        interaction=ReportedInteraction(**_finite(one.interaction)),
        effects=tuple(map(_category, one.effects)),
    )


def _finite(one: Equivalence | Interaction) -> dict[str, Any]:
    return {key: number(value) if isinstance(value, float) else value for key, value in asdict(one).items()}


def _category(one: CategoryEffect) -> ReportedCategory:
    return ReportedCategory(
        category=one.category,
        n=one.n,
        mean_baseline=number(one.mean_baseline),
        mean_refined=number(one.mean_refined),
        mean_diff=estimate(one.mean_diff),
        wins=one.wins,
        ties=one.ties,
        losses=one.losses,
        win_rate=number(one.win_rate),
        p=number(one.p),
        p_holm=number(one.p_holm),
        p_covers=one.p_covers,
    )


def _tally(values: Iterable[float]) -> tuple[tuple[float, int], ...]:
    """Each distinct difference, to three decimals, with how many prompts have it; ascending."""
    counts: dict[float, int] = {}
    for value in values:
        key = round(value, 3) + 0.0  # no negative zero
        counts[key] = counts.get(key, 0) + 1
    return tuple(sorted(counts.items()))


def reported_model(one: MethodModel, methods: Sequence[str]) -> ReportedModel:
    return ReportedModel(
        covers=one.covers,
        reason=one.reason,
        notes=tuple(one.notes),
        convention=one.fit.method if one.fit else "",
        deviations={name: number(value) for name, value in one.fit.deviations.items()} if one.fit else {},
        thresholds=tuple(number(float(cut)) for cut in one.thresholds),
        methods=tuple(
            ModelledMethod(method=methods[each.method], effect=number(each.effect), letters=each.letters)
            for each in one.methods
        ),
        pairs=tuple(
            ModelledPair(
                first=methods[each.first],
                second=methods[each.second],
                log_odds=estimate(each.difference),
                odds_ratio=number(each.odds_ratio),
                p=number(each.p),
                p_holm=number(each.p_holm),
                p_simultaneous=number(each.p_simultaneous),
            )
            for each in one.pairs
        ),
    )
