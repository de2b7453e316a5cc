"""Two studies of the same images side by side."""

import hashlib
from collections.abc import Sequence
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotations.models import Study
from annotations.queries.replication.panels import (
    compared,
    is_quickly_compared,
    questions_of,
    state_of,
    studies_of_same_images,
)
from annotations.reports.numbers import figure
from annotations.reports.replication.side_by_side import WIDEST_FIRST, SideBySide
from annotations.stats.comparison.compare import Comparison
from annotations.stats.estimate import Estimate
from annotations.views.rights import researcher_of_study, signed_in

SIDE, EDGE = 300, 32
KEPT_SECONDS = 3600


@never_cache
@researcher_of_study
@require_safe
def replication(request: HttpRequest, study: Study) -> HttpResponse:
    """The studies that show the same images; with `?other=`, one of them side by side with this one."""
    others = list(studies_of_same_images(study, signed_in(request)))
    context: dict[str, Any] = {"study": study, "tab": "results", "others": others, "questions": questions_of(study)}
    if token := request.GET.get("other", ""):
        other = next((one for one in others if one.token == token), None)
        if other is None:
            raise Http404
        asked = (request.GET.get("question", ""), request.GET.get("other_question", ""))
        context |= {"other": other, "other_questions": questions_of(other), "asked": asked}
        if is_quickly_compared(study, other):
            context |= _found(study, other, asked if any(asked) else None)
        else:
            context["is_large"] = True
    return render(request, "annotations/replication/page.html", context)


def _found(study: Study, other: Study, questions: tuple[str, str] | None) -> dict[str, Any]:
    """The page's content for a comparison, cached until the answers of either study change."""
    # A digest, since names of questions may contain characters that a key must not.
    key = f"side-by-side-{hashlib.sha256(state_of(study, other, questions).encode()).hexdigest()}"
    shown: dict[str, Any] | None = cache.get(key)
    if shown is None:
        found = compared(study, other, questions)
        shown = {"found": None} if found is None else _shown(found)
        cache.set(key, shown, KEPT_SECONDS)
    return shown


def _shown(found: SideBySide) -> dict[str, Any]:
    rows = []
    if found.kappa is not None and found.alphas is not None:
        rows += [
            ("between", _value(found.kappa)),
            ("first", _value(found.alphas[0])),
            ("second", _value(found.alphas[1])),
        ]
    said = ("sentence", "agreement_sentence", "no_ratio", "noun", "n_shared", "n_first", "n_second", "n_retested")
    return {
        "found": {name: getattr(found, name) for name in said},
        "winners": [found.winners.first.sentence, found.winners.second.sentence] if found.winners else [],
        "has_means": found.has_means,
        "is_ranked": found.winners is not None,
        "agreement": rows,
        "normalised": figure(_or_none(found.normalised), digits=2),
        "correlation": figure(_or_none(found.correlation), digits=2),
        "shift": figure(_or_none(found.shift), signed=True, digits=2),
        "has_shift": found.shift == found.shift,
        "retest": [(one.statistic, _value(one)) for one in found.retest.estimates] if found.retest else [],
        "comparisons": [
            {
                "baseline": one.baseline,
                "refined": one.refined,
                "verdict": one.verdict,
                "figures": [_difference(each) for each in (one.first, one.second, one.pooled) if each is not None],
                "pooled": one.pooled is not None,
            }
            for one in found.comparisons
        ],
        "points": _points(found.points),
    }


def _value(estimate: Estimate) -> dict[str, str]:
    interval = next((one for one in estimate.intervals if one.is_defined), None)
    return {
        "value": figure(_or_none(estimate.value), digits=2),
        "interval": f"{figure(interval.low, digits=2)} … {figure(interval.high, digits=2)}" if interval else "",
        "covers": interval.covers if interval else "",
        "reason": estimate.reason,
    }


def _difference(comparison: Comparison) -> dict[str, str]:
    estimate = comparison.mean_diff
    wanted = (estimate.interval(covers) for covers in WIDEST_FIRST)
    interval = next((one for one in wanted if one is not None and one.is_defined), None)
    return {
        "value": figure(_or_none(estimate.value), signed=True, digits=2),
        "interval": f"{figure(interval.low, signed=True, digits=2)} … {figure(interval.high, signed=True, digits=2)}"
        if interval
        else "",
        "n": f"{comparison.n:,}",
    }


def _points(points: Sequence[tuple[float, float]]) -> dict[str, Any] | None:
    if len(points) < 2:
        return None
    ends = [end for point in points for end in point]
    low, high = min(ends), max(ends)
    width = (high - low) or 1.0

    def at(value: float) -> float:
        return round((SIDE - EDGE - 8) * (value - low) / width, 1)

    return {
        "points": [{"x": EDGE + at(first), "y": SIDE - EDGE - at(second)} for first, second in points],
        "low": figure(low, digits=1),
        "high": figure(high, digits=1),
    }


def _or_none(value: float) -> float | None:
    return value if value == value else None
