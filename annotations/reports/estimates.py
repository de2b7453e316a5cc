"""An estimate as stored in a document, and the parts of it that tables, charts and sentences show."""

from dataclasses import asdict
from math import isfinite

from annotations.reports.documents.estimates import ReportedEstimate, ReportedInterval
from annotations.stats.estimate import Estimate, Interval

WILSON = "Wilson score"
"""How the method of a Wilson interval begins."""


def number(value: float) -> float | None:
    """A float fit for JSON."""
    return float(value) if isfinite(value) else None


def estimate(one: Estimate) -> ReportedEstimate:
    return ReportedEstimate(
        statistic=one.statistic,
        value=number(one.value),
        method=one.method,
        n=dict(one.n),
        reason=one.reason,
        notes=tuple(one.notes),
        seed=one.seed,
        intervals=tuple(map(_interval, one.intervals)),
    )


def _interval(one: Interval) -> ReportedInterval:
    return ReportedInterval(**asdict(one) | {"low": number(one.low), "high": number(one.high)})


def interval_over(estimate: ReportedEstimate, covers: str) -> ReportedInterval | None:
    """The first interval over this population, defined or not."""
    return next((interval for interval in estimate.intervals if interval.covers == covers), None)


def ends(estimate: ReportedEstimate, covers: str) -> tuple[float | None, float | None]:
    """The ends of the first interval over this population; empty cells if there is no such interval."""
    interval = interval_over(estimate, covers)
    return (interval.low, interval.high) if interval else (None, None)


def leading(estimate: ReportedEstimate) -> ReportedInterval | None:
    """The interval that a table shows if it has room for only one: the first that is defined."""
    defined = (interval for interval in estimate.intervals if interval.low is not None)
    return next(defined, None)


def leading_ends(estimate: ReportedEstimate) -> tuple[float | None, float | None]:
    """The ends of the leading interval; empty cells if there is none."""
    found = leading(estimate)
    return (found.low, found.high) if found else (None, None)


def wilson_and_cluster(estimate: ReportedEstimate) -> tuple[ReportedInterval | None, ReportedInterval | None]:
    """For a share: Wilson's interval, which takes its parts as independent, and the first interval over whole
    clusters."""
    wilson = [interval for interval in estimate.intervals if interval.method.startswith(WILSON)]
    cluster = [interval for interval in estimate.intervals if not interval.method.startswith(WILSON)]
    return next(iter(wilson), None), next(iter(cluster), None)


def n_of(estimate: ReportedEstimate) -> int | None:
    """How many units, prompts or methods the figure is over."""
    n = estimate.n
    statistic = estimate.statistic
    if "method_level" in statistic and "methods" in n:
        return int(n["methods"])
    for kind in ("units", "prompts", "raters"):
        if kind in n:
            return int(n[kind])
    return None


def items_of(estimate: ReportedEstimate) -> int | None:
    """How many items a share or count is of, not the clusters that they come in; None if there is no count.

    By name, since a stored document keeps the order of its keys in some databases only.
    """
    return next((estimate.n[name] for name in _ITEMS if name in estimate.n), None)


_ITEMS = ("units", "claims", "judgements", "answers", "defects", "elements", "errors", "images")


def note_of(estimate: ReportedEstimate) -> str:
    """Why there is no figure or no interval, or what is unusual about one.

    Of several intervals over the same population only the first counts, since tables show that one.
    """
    notes = [estimate.reason] if estimate.reason else []
    notes += estimate.notes
    shown: dict[str, ReportedInterval] = {}
    for interval in estimate.intervals:
        shown.setdefault(interval.covers, interval)
    for covers, interval in shown.items():
        if interval.reason:
            notes.append(f"no interval over {covers}: {interval.reason}")
        elif interval.n_undefined:
            notes.append(f"{interval.n_undefined} undefined resamples over {covers}")
        if interval.cut_low or interval.cut_high:
            notes.append(f"the interval over {covers} is cut at the end of what is possible")
    return "; ".join(dict.fromkeys(notes))
