"""Results about critics → one JSON document, from which tables, charts and pages are drawn."""

from collections.abc import Sequence

import numpy as np

from annotations.reports.critic_analysis import CriticResults, Pair
from annotations.reports.critic_anchoring import Anchoring, Effect
from annotations.reports.critic_data import EVERY_CRITIC, OUTCOMES
from annotations.reports.critic_figures import CriticResult, Group
from annotations.reports.critic_repairs import NAMED, Gains, RepairResults
from annotations.reports.document import Json, estimate, number
from annotations.stats.audit import CANNOT_TELL, CRITIC, PLANTED, WRONG_IMAGE
from annotations.stats.capture_recapture import Unseen
from annotations.stats.confidence import Calibration
from annotations.stats.critic_comparison import Difference
from annotations.stats.estimate import STATS_VERSION
from annotations.stats.metric_tests import holm

FORMAT = 1
"""Raised when the document's shape changes."""
FIGURES = ("precision", "recall", "f1", "recall_corrected", "recall_of_lists")


def critic_document(
    results: CriticResults, *, title: str, code_version: str, made_at: str, n_excluded: int = 0
) -> Json:
    """The whole result as plain JSON types. NaN and infinities become null; the reason stands beside them."""
    data, options, verdict = results.data, results.options, results.settled
    is_real = data.claims.source == CRITIC
    judged = is_real & (verdict.verdict >= 0)
    differences = _differences(results.pairs)
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
            "partly": options.partly,
        },
        "n_excluded": n_excluded,
        "facets_left_out": dict(results.facets_left_out),
        "counts": {
            "images": len(np.unique(data.claims.image[judged])) if judged.any() else 0,
            "claims": int(judged.sum()),
            "auditors": len(np.unique(data.verdicts.auditor)),
            "simulated_auditors": data.n_simulated,
            "verdicts": int(is_real[data.verdicts.claim].sum()),
            "searches": len(data.lists.image),
            "listed": len(data.lists.group),
            "lists_first": int(data.lists.is_first.sum()),
            "control_claims": int(((data.claims.source == WRONG_IMAGE) & (verdict.verdict >= 0)).sum()),
            "planted_claims": int(((data.claims.source == PLANTED) & (verdict.verdict >= 0)).sum()),
        },
        "settled": {
            "several": int((judged & (verdict.n_judged > 1)).sum()),
            "unanimous": int((judged & verdict.unanimous).sum()),
            "adjudicated": int((judged & verdict.adjudicated).sum()),
            "open": int((judged & verdict.open).sum()),
            "cannot_tell": int((judged & (verdict.verdict == CANNOT_TELL) & ~verdict.open).sum()),
        },
        "agreement": [
            {"critic": name, "estimates": [estimate(one) for one in found]} for name, found in results.agreement
        ],
        "critics": [_critic(one) for one in results.critics],
        "planted": estimate(results.planted),
        "has_shared_control": bool((data.claims.critic[~is_real] == EVERY_CRITIC).any()),
        "repairs": _repairs(results.repairs) if results.repairs else None,
        "anchoring": _anchoring(results.anchoring) if results.anchoring else None,
        "differences": differences,
    }


def _critic(one: CriticResult) -> Json:
    report = one.report
    return {
        "name": one.name,
        "groups": [_group(group) for group in one.groups],
        "cannot_tell": estimate(report.cannot_tell),
        "found_free": {
            "false_alarm_rate": estimate(report.false_alarm_rate),
            "false_claims_per_image": estimate(report.false_claims_per_image),
        },
        "known_free": {
            "false_alarm_rate": estimate(one.clean.false_alarm_rate),
            "false_claims_per_image": estimate(one.clean.false_claims_per_image),
        }
        if one.clean
        else None,
        "unseen": [_unseen(each) for each in report.unseen],
        "unseen_n_lists": list(one.unseen_n_lists),
        "unseen_two_lists": _unseen(report.unseen_two_lists) if report.unseen_two_lists else None,
        "floor": estimate(one.floor),
        "above_control": _difference(report.above_control) if report.above_control else None,
        "defects_found": estimate(one.defects_found),
        "calibration": _calibration(one.calibration) if one.calibration else None,
    }


def _group(group: Group) -> Json:
    row = group.row
    return {
        "facet": row.facet,
        "label": row.label,
        "n_images": group.n_images,
        "n_auditors": group.n_auditors,
        "n_verdicts": group.n_verdicts,
        **{name: estimate(getattr(row, name)) for name in FIGURES},
    }


def _unseen(one: Unseen) -> Json:
    return {
        "total": estimate(one.total),
        "unseen": estimate(one.unseen),
        "n_observed": one.n_observed,
        "n_once": one.n_once,
        "n_twice": one.n_twice,
    }


def _difference(one: Difference) -> Json:
    return {
        "first": estimate(one.first),
        "second": estimate(one.second),
        "difference": estimate(one.difference),
        "p": number(one.p_value),
        "p_method": one.p_method,
    }


def _differences(pairs: Sequence[Pair]) -> list[Json]:
    """p also corrected by Holm over all pairs of critics, figure by figure."""
    found: list[Json] = [
        {
            "first": pair.first,
            "second": pair.second,
            "n_images": pair.n_images,
            "figures": {name: _difference(one) for name, one in pair.figures.items()},
        }
        for pair in pairs
    ]
    for name in ("precision", "recall", "f1"):
        defined = [one["figures"][name] for one in found if one["figures"][name]["p"] is not None]
        for figure, corrected in zip(defined, holm([one["p"] for one in defined]) if defined else (), strict=True):
            figure["p_holm"] = number(float(corrected))
    return found


def _calibration(one: Calibration) -> Json:
    return {
        "bins": [
            {
                "low": each.low,
                "high": each.high,
                "n": each.n,
                "confidence": number(each.confidence),
                "accuracy": number(each.accuracy),
                "interval_low": number(each.interval.low),
                "interval_high": number(each.interval.high),
            }
            for each in one.bins
        ],
        **{name: estimate(getattr(one, name)) for name in ("brier", "over_confidence", "calibration_error")},
    }


def _repairs(one: RepairResults) -> Json:
    return {
        "n_pairs": one.n_pairs,
        "rows": [{"facet": row.facet, "label": row.label, "rate": estimate(row.rate)} for row in one.rows],
        "improved": estimate(one.improved),
        "worse": estimate(one.worse),
        "outcomes": [dict(zip(OUTCOMES, counts, strict=True)) for counts in one.outcomes],
        "n_open": one.n_open,
        "gains": _gains(one.gains) if one.gains else None,
        "placebo_differences": estimate(one.placebo_differences),
        "placebo_left": estimate(one.placebo_left),
    }


def _gains(one: Gains) -> Json:
    return {
        "named": [
            {"words": words, "gained": gained, "lost": lost, "lacking": lacking, "mended": estimate(mended)}
            for words, gained, lost, lacking, mended in zip(
                NAMED, one.gained, one.lost, one.lacking, one.mended, strict=True
            )
        ],
        "from_right_claims": estimate(one.from_right_claims),
    }


def _anchoring(one: Anchoring) -> Json:
    def effect(each: Effect) -> Json:
        return {name: estimate(getattr(each, name)) for name in ("lists_first", "claims_first", "difference")}

    return {"accepted": effect(one.accepted), "missed_listed": effect(one.missed_listed)}
