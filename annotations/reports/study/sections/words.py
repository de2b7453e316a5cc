"""Readable names of statistics, and an estimate in words."""

from math import inf

from annotations.reports.documents.estimates import ReportedEstimate, ReportedInterval
from annotations.reports.estimates import interval_over, leading
from annotations.reports.numbers import figure, interval

_KNOWN = {
    "krippendorff_alpha": "Krippendorff's α,",
    "fleiss_kappa": "Fleiss' κ",
    "conger_kappa": "Conger's κ",
    "gwet_ac1": "Gwet's AC1",
    "gwet_ac2": "Gwet's AC2,",
    "brennan_prediger": "Brennan–Prediger",
    "kendall_w": "Kendall's W",
    "kendall_tau_b": "Kendall's τ-b",
    "kendall_tau_c": "Kendall's τ-c",
    "pearson": "Pearson's r",
    "spearman": "Spearman's ρ",
    "icc_a_1": "ICC(A,1)",
    "icc_c_1": "ICC(C,1)",
    "icc_1_1": "ICC(1,1)",
    "icc_a_k": "ICC(A,k)",
    "icc_c_k": "ICC(C,k)",
    "icc_1_k": "ICC(1,k)",
}


def words(statistic: str) -> str:
    """The readable form of a statistic's name in files."""
    for name in sorted(_KNOWN, key=len, reverse=True):
        if statistic.startswith(name):
            return f"{_KNOWN[name]} {statistic[len(name) :].strip('_').replace('_', ' ')}".strip().rstrip(",")
    return statistic.replace("_", " ")


def spelled(estimate: ReportedEstimate, *, signed: bool = False) -> str:
    """The value with its leading interval."""
    found = leading(estimate)
    text = figure(estimate.value, signed=signed)
    return f"{text} {interval(found.low, found.high)}" if found else text


def drawn_ends(found: ReportedInterval | None) -> tuple[float | None, float | None]:
    """The ends of an interval for a chart; an end that was cut is infinite, so that an arrow is drawn."""
    if found is None or found.low is None:
        return None, None
    return (
        -inf if found.cut_low else found.low,
        inf if found.cut_high else found.high,
    )


def drawn_over(estimate: ReportedEstimate, covers: str) -> tuple[float | None, float | None]:
    """The same for the interval over one population."""
    return drawn_ends(interval_over(estimate, covers))
