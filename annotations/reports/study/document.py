"""Results → one document, which a snapshot freezes and from which tables, charts and pages are drawn."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from annotations.reports.anchors import slug
from annotations.reports.documents.provenance import MadeOfRatings
from annotations.reports.documents.study import (
    MeansOfFacet,
    MetricBoard,
    MetricBoardOfFacet,
    MetricGroups,
    RaterPairs,
    ReportedMean,
    ReportedMetric,
    ReportedMetricDifference,
    ReportedQuestion,
    ReportedRater,
    StudyDocument,
    WithoutRater,
)
from annotations.reports.documents.supporting import ReportedExclusion
from annotations.reports.estimates import estimate, number
from annotations.reports.study.analysis import (
    EVERYTHING,
    MOST_PAIRED_RATERS,
    DimensionResults,
    StudyResults,
)
from annotations.reports.study.compared import reported_comparison, reported_model
from annotations.reports.study.supporting import reported_support
from annotations.reports.votes.document import preference_part
from annotations.stats.comparison.means import MethodMean
from annotations.stats.estimate import STATS_VERSION
from annotations.stats.metrics.permutation import MetricDifference
from annotations.stats.metrics.table import MetricTable
from annotations.stats.raters.table import RaterRow

MOST_RATERS = 5000
"""The most raters that are listed one by one; a study with more gets only summary figures."""


def document(
    results: StudyResults,
    *,
    title: str,
    code_version: str,
    made_at: str,
    n_excluded: int = 0,
    warnings: Sequence[str] = (),
    key: str = "",
) -> StudyDocument:
    """The whole result. NaN and infinities become None, with the reason next to them.

    n_excluded  rows of the files that were left out
    warnings    what in the files should be checked, in whole sentences
    key         names the study in labels of tables; without one it is made of the title and the inputs
    """
    data, options = results.data, results.options
    inputs_hash = data.inputs_hash()
    return StudyDocument(
        title=title,
        key=key or f"{slug(title, 'study')}-{inputs_hash[:6]}",
        made=MadeOfRatings(
            at=made_at,
            code_version=code_version,
            stats_version=STATS_VERSION,
            inputs_hash=inputs_hash,
            seed=options.seed,
            n_resamples=options.n_resamples,
            n_permutations=options.n_permutations,
            comparisons=tuple((baseline, refined) for baseline, refined in options.comparisons),
        ),
        n_items=len(data.units),
        n_excluded=n_excluded,
        warnings=tuple(warnings),
        excluded_raters=tuple(
            ReportedExclusion(rater=one.name, reason=one.reason, n_answers=one.n_answers)
            for one in data.excluded_raters
        ),
        raters_by_kind=dict(data.rater_kinds),
        n_withdrawn=data.n_withdrawn,
        n_further=data.n_further,
        methods=tuple(data.methods),
        n_prompts=len(data.prompts),
        metrics=tuple(data.metrics),
        facets_left_out=dict(results.facets_left_out),
        dimensions=tuple(_dimension(one, data.methods, data.prompts, options.margin) for one in results.dimensions),
    )


def _dimension(
    results: DimensionResults, methods: Sequence[str], prompts: Sequence[str], margin: float | None
) -> ReportedQuestion:
    data, found = results.data, results.agreement
    return ReportedQuestion(
        name=data.name,
        question=data.question,
        values=tuple(float(value) for value in data.ratings.values),
        labels=tuple(data.labels),
        kind=data.kind,
        is_ordinal=data.is_ordinal,
        n_ratings=len(data.ratings),
        n_units=data.ratings.n_units,
        n_raters=data.ratings.n_raters,
        n_unable=data.n_unable,
        n_gold=0 if data.gold is None else int((data.gold >= 0).sum()),
        preferences=preference_part(data.preferences) if data.preferences is not None else None,
        histogram=tuple(found.histogram),
        agreement=tuple(estimate(one) for one in (*found.estimates, *results.beside)),
        without_rater=_without_rater(results),
        pairs=_pairs(results),
        components=tuple(tuple(data.raters[code] for code in group[:50]) for group in found.components[:50]),
        n_components=len(found.components),
        means=tuple(_mean(one, methods) for one in results.means),
        comparisons=tuple(
            reported_comparison(*each, methods, {"prompts": prompts, "raters": data.raters}, margin)
            for each in zip(results.comparisons, results.depths, results.categories, results.leads, strict=True)
        ),
        model=reported_model(results.model, methods) if results.model else None,
        means_by_facet=tuple(
            MeansOfFacet(facet=facet, value=value, means=tuple(_mean(one, methods) for one in means))
            for facet, value, means in results.means_by_facet
        ),
        board=MetricBoard(**_board(results.metrics)) if results.metrics else None,
        facets=tuple(
            MetricBoardOfFacet(facet=one.facet, value=one.value, **_board(one.metrics, differences=False))
            for one in results.facets
        ),
        raters=tuple(_rater(one, data.raters[one.rater]) for one in results.raters[:MOST_RATERS]),
        n_raters_left_out=max(0, len(results.raters) - MOST_RATERS),
        support=reported_support(results.support, methods),
    )


def _without_rater(results: DimensionResults) -> WithoutRater | None:
    """Every statistic of agreement with each rater left out; None where there are too many raters to show."""
    data = results.data
    if data.ratings.n_raters > MOST_PAIRED_RATERS:
        return None
    left_out = {one.statistic: one.without_rater for one in results.agreement.estimates if one.without_rater}
    return WithoutRater(
        raters=tuple(data.raters),
        values={statistic: tuple(map(number, values)) for statistic, values in left_out.items()},
    )


def _pairs(results: DimensionResults) -> RaterPairs | None:
    if results.pairs is None:
        return None
    return RaterPairs(
        raters=tuple(results.data.raters),
        kappa=tuple(tuple(map(number, row)) for row in results.pairs.kappa),
        n_shared=tuple(map(tuple, results.pairs.n_shared.astype(int).tolist())),
        method=results.pairs.method,
    )


def _mean(one: MethodMean, methods: Sequence[str]) -> ReportedMean:
    return ReportedMean(
        **vars(estimate(one.mean)) | {"method": methods[one.method] if methods else EVERYTHING},
        convention=one.mean.method,
        mean_of_units=number(one.mean_of_units),
        n_units=one.n_units,
        n_ratings=one.n_ratings,
        n_prompts=one.n_prompts,
        n_raters=one.n_raters,
        histogram=tuple(int(count) for count in one.histogram),
    )


def _board(table: MetricTable, *, differences: bool = True) -> dict[str, Any]:
    """The fields of a board; without tests of differences for a facet."""
    return {
        "metrics": tuple(
            ReportedMetric(
                metric=one.metric, epsilon=number(one.epsilon), estimates=tuple(map(estimate, one.estimates))
            )
            for one in table.metrics
        ),
        "baseline": tuple(map(estimate, table.baseline)),
        "ceiling": tuple(map(estimate, table.ceiling)),
        "differences": tuple(map(_difference, table.differences)) if differences else (),
        "clusters": tuple(
            MetricGroups(statistic=one.statistic, groups=tuple(map(tuple, one.groups)), method=one.method)
            for one in table.clusters
        )
        if differences
        else (),
    }


def _difference(one: MetricDifference) -> ReportedMetricDifference:
    figures = {"difference": number(one.difference), "p": number(one.p), "p_holm": number(one.p_holm)}
    return ReportedMetricDifference(**asdict(one) | figures)


RATER_FIGURES = (
    "gold_pass_rate",
    "agreement",
    "rank_correlation",
    "mean_absolute_deviation",
    "severity",
    "spread",
    "modal_share",
    "longest_run",
    "median_seconds",
    "fast_share",
    "self_consistency",
    "self_deviation",
)


def _rater(one: RaterRow, name: str) -> ReportedRater:
    return ReportedRater(
        rater=name,
        n=one.n,
        n_shared=one.n_shared,
        **{figure: estimate(getattr(one, figure)) for figure in RATER_FIGURES},
        suspicion=number(one.suspicion.score),
        why=one.suspicion.words,
    )
