"""Results → one JSON document: what a snapshot freezes, and what tables, charts and pages are drawn from."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import isfinite
from typing import Any

from annotations.reports.analysis import EVERYTHING, DimensionResults, StudyResults
from annotations.reports.depth import Depth
from annotations.stats.comparison import Comparison
from annotations.stats.estimate import STATS_VERSION, Estimate, Interval
from annotations.stats.means import MethodMean
from annotations.stats.metric_tests import MetricDifference
from annotations.stats.metrics import MetricBoard
from annotations.stats.raters import RaterRow

Json = dict[str, Any]
FORMAT = 1
"""Raised when the document's shape changes."""
MOST_RATERS = 5000
"""Raters listed one by one; a study with more gets their summary figures only."""


def document(results: StudyResults, *, title: str, code_version: str, made_at: str, n_excluded: int = 0) -> Json:
    """The whole result as plain JSON types. NaN and infinities become null; the reason stands beside them."""
    data, options = results.data, results.options
    return {
        "format": FORMAT,
        "title": title,
        "made": {
            "at": made_at,
            "code_version": code_version,
            "stats_version": STATS_VERSION,
            "inputs_hash": data.inputs_hash(),
            "seed": options.seed,
            "n_resamples": options.n_resamples,
            "n_permutations": options.n_permutations,
            "comparisons": [list(pair) for pair in options.comparisons],
        },
        "n_items": len(data.units),
        "n_excluded": n_excluded,
        "methods": list(data.methods),
        "n_prompts": len(data.prompts),
        "metrics": list(data.metrics),
        "facets_left_out": results.facets_left_out,
        "dimensions": [_dimension(one, data.methods) for one in results.dimensions],
    }


def number(value: float) -> float | None:
    """A float fit for JSON."""
    return float(value) if isfinite(value) else None


def _dimension(results: DimensionResults, methods: Sequence[str]) -> Json:
    data, found = results.data, results.agreement
    return {
        "name": data.name,
        "question": data.question,
        "values": [float(value) for value in data.ratings.values],
        "labels": list(data.labels),
        "is_ordinal": data.is_ordinal,
        "n_ratings": len(data.ratings),
        "n_units": data.ratings.n_units,
        "n_raters": data.ratings.n_raters,
        "n_unable": data.n_unable,
        "histogram": list(found.histogram),
        "agreement": [estimate(one) for one in (*found.estimates, *results.beside)],
        "pairs": _pairs(results),
        "components": [[data.raters[code] for code in group[:50]] for group in found.components[:50]],
        "n_components": len(found.components),
        "means": [_mean(one, methods) for one in results.means],
        "comparisons": [
            _comparison(one, methods) | _depth(behind)
            for one, behind in zip(results.comparisons, results.depths, strict=True)
        ],
        "board": _board(results.board) if results.board else None,
        "facets": [
            {"facet": one.facet, "value": one.value, **_board(one.board, differences=False)} for one in results.facets
        ],
        "raters": [_rater(one, data.raters[one.rater]) for one in results.raters[:MOST_RATERS]],
        "n_raters_left_out": max(0, len(results.raters) - MOST_RATERS),
    }


def _pairs(results: DimensionResults) -> Json | None:
    if results.pairs is None:
        return None
    return {
        "raters": list(results.data.raters),
        "kappa": [[number(value) for value in row] for row in results.pairs.kappa],
        "n_shared": results.pairs.n_shared.astype(int).tolist(),
        "method": results.pairs.method,
    }


def estimate(one: Estimate) -> Json:
    return {
        "statistic": one.statistic,
        "value": number(one.value),
        "method": one.method,
        "n": dict(one.n),
        "reason": one.reason,
        "seed": one.seed,
        "intervals": [_interval(interval) for interval in one.intervals],
    }


def _interval(one: Interval) -> Json:
    return asdict(one) | {"low": number(one.low), "high": number(one.high)}


def _mean(one: MethodMean, methods: Sequence[str]) -> Json:
    return {
        **estimate(one.mean),
        "convention": one.mean.method,
        "method": methods[one.method] if methods else EVERYTHING,
        "mean_of_units": number(one.mean_of_units),
        "n_units": one.n_units,
        "n_ratings": one.n_ratings,
        "n_prompts": one.n_prompts,
        "n_raters": one.n_raters,
        "histogram": [int(count) for count in one.histogram],
    }


def _comparison(one: Comparison, methods: Sequence[str]) -> Json:
    return {
        "baseline": methods[one.baseline],
        "refined": methods[one.refined],
        "n": one.n,
        "counts": dict(one.counts),
        "mean_diff": estimate(one.mean_diff),
        "wins": one.wins,
        "ties": one.ties,
        "losses": one.losses,
        "wilcoxon": {"w": number(one.wilcoxon_w), "p": number(one.wilcoxon_p), "method": one.wilcoxon_method},
        "permutation": {
            "p": number(one.permutation_p),
            "mid_p": number(one.permutation_mid_p),
            "method": one.permutation_method,
        },
        "t": {"t": number(one.t), "df": one.t_df, "p": number(one.t_p)},
        "rank_biserial": estimate(one.rank_biserial),
        "prob_superiority": estimate(one.prob_superiority),
        "differences": _tally(float(difference) for difference in one.differences),
        "note": one.note,
    }


def _depth(one: Depth) -> Json:
    effect, robust, sequence = one.effect, one.robustness, one.sequence
    return {
        "ordinal": {
            "effect": estimate(effect.effect),
            "odds_ratio": number(effect.odds_ratio),
            "low": number(effect.odds_low),
            "high": number(effect.odds_high),
            "p": number(effect.p),
            "deviations": {name: number(value) for name, value in effect.fit.deviations.items()},
            "notes": list(effect.fit.notes),
        },
        "multiverse": {
            "words": robust.words,
            "survives": robust.survives,
            "n": len(robust.universes),
            "n_same_sign": robust.n_same_sign,
            "n_same_conclusion": robust.n_same_conclusion,
            "choices": [asdict(choice) for choice in robust.choices],
            "universes": [
                {
                    "exclusion": each.exclusion,
                    "aggregation": each.aggregation,
                    "subset": each.subset,
                    "n_excluded": each.n_excluded,
                    "n_units": each.n_units,
                    "value": number(each.estimate.value),
                    "low": number(each.estimate.intervals[0].low) if each.estimate.intervals else None,
                    "high": number(each.estimate.intervals[0].high) if each.estimate.intervals else None,
                    "reason": each.estimate.reason,
                }
                for each in robust.universes
            ],
        },
        "sizes": [
            {"half_width": half_width, "raters_per_prompt": per_prompt, "n_raters": n_raters}
            | ({"n_prompts": plan.n_prompts, "n_ratings": plan.n_ratings} if plan else {"n_prompts": None})
            for half_width, per_prompt, n_raters, plan in one.sizes
        ],
        "sequence": {
            "low": number(float(sequence.low[-1])) if len(sequence.low) else None,
            "high": number(float(sequence.high[-1])) if len(sequence.high) else None,
            "stopped_at": sequence.stopped_at,
            "decision": sequence.decision,
            "method": sequence.method,
        },
    }


def _tally(values: Iterable[float]) -> list[list[float]]:
    """Each distinct difference, to three decimals, with how many prompts have it; ascending."""
    counts: dict[float, int] = {}
    for value in values:
        key = round(value, 3) + 0.0  # no negative zero
        counts[key] = counts.get(key, 0) + 1
    return [[value, count] for value, count in sorted(counts.items())]


def _board(board: MetricBoard, *, differences: bool = True) -> Json:
    return {
        "metrics": [
            {
                "metric": one.metric,
                "epsilon": number(one.epsilon),
                "estimates": [estimate(each) for each in one.estimates],
            }
            for one in board.metrics
        ],
        "baseline": [estimate(one) for one in board.baseline],
        "ceiling": [estimate(one) for one in board.ceiling],
        "differences": [_difference(one) for one in board.differences] if differences else [],
        "clusters": [
            {"statistic": one.statistic, "groups": [list(group) for group in one.groups], "method": one.method}
            for one in board.clusters
        ]
        if differences
        else [],
    }


def _difference(one: MetricDifference) -> Json:
    return asdict(one) | {"difference": number(one.difference), "p": number(one.p), "p_holm": number(one.p_holm)}


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


def _rater(one: RaterRow, name: str) -> Json:
    return {
        "rater": name,
        "n": one.n,
        "n_shared": one.n_shared,
        **{figure: estimate(getattr(one, figure)) for figure in RATER_FIGURES},
        "suspicion": number(one.suspicion.score),
        "why": one.suspicion.words,
    }
