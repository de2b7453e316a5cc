"""The answer to every question of a study in one sentence."""

from collections.abc import Sequence
from math import exp

from annotations.reports.documents.comparisons import ReportedComparison, ReportedModel
from annotations.reports.documents.estimates import ReportedEstimate, ReportedInterval
from annotations.reports.documents.study import RATED, ReportedMean, ReportedQuestion, StudyDocument
from annotations.reports.estimates import interval_over
from annotations.reports.numbers import counted, decimal, p_value, ratio, scale_value, share, span
from annotations.reports.study.sections.answered import answered
from annotations.reports.study.sections.comparisons import tests_over_prompts

WIDEST_FIRST = ("prompts and raters", "prompts", "raters")
"""Intervals in the order in which a summary prefers them: the first covers other prompts and other raters."""

_SIGNIFICANT = 0.05
MOST_COMPARED = 3
MOST_NAMED = 5
_LARGEST_LOG = 700.0
"""Of larger ones there is no exponential."""
_LEVEL = 1e-9
"""Means that differ by less are equal but for rounding."""


def summary(document: StudyDocument) -> list[str]:
    """One sentence for each question, in the order of the questions."""
    dimensions = document.dimensions
    return [_lead(one, alone=len(dimensions) == 1) + _answer(one, document) for one in dimensions]


def _lead(dimension: ReportedQuestion, *, alone: bool) -> str:
    """The question in front of its answer, if there are several questions."""
    asked = dimension.asked
    return "" if alone else f"{asked} " if asked.endswith(("?", ".", "!")) else f"{asked}: "


def _answer(dimension: ReportedQuestion, document: StudyDocument) -> str:
    if preferences := dimension.preferences:
        return str(preferences.sentence)
    compared = [comparison for comparison in dimension.comparisons if comparison.n]
    if compared:
        said = "; ".join(map(_comparison, compared[:MOST_COMPARED]))
        said = said.replace("the ratings", "The ratings", 1) if said.startswith("the ratings") else said
        more = len(compared) - MOST_COMPARED
        return f"{said}; {counted(more, 'further comparison')} below." if more > 0 else f"{said}."
    if dimension.model and dimension.model.pairs:
        return _of_model(dimension, dimension.model)
    if len(dimension.means) > 1:
        return _best(dimension, document.sampled)
    if dimension.means:
        mean = dimension.means[0]
        within = _within(mean, WIDEST_FIRST, signed=False, sampled=document.sampled)
        return f"The mean rating is {_mean(mean.value)} on {_scale(dimension)} ({within})."
    return _shares(dimension) if dimension.form == RATED else _without_winner(dimension, document)


def _without_winner(dimension: ReportedQuestion, document: StudyDocument) -> str:
    """Of votes and rankings that this report does not count by method, how many there are.

    How often each answer was given shows no method: sides and places are not methods', and of three images one is
    always the best.
    """
    if not dimension.n_ratings:
        return "Nobody could answer."
    said = answered(dimension, document)
    if len(document.single_methods) < 2:
        return f"{said[0].upper()}{said[1:]}; they name no winner, since fewer than two methods are known."
    return (
        f"{said[0].upper()}{said[1:]}; the report of the study's results page says which method wins. It is not "
        "computed here, since the rows do not hold the order in which images were shown."
    )


def _comparison(comparison: ReportedComparison) -> str:
    """One comparison. Without an interval, as where the difference is the same on all prompts, exact tests decide."""
    diff, p = comparison.mean_diff, comparison.permutation.p
    interval = first_defined(diff, WIDEST_FIRST)
    bounds = interval.bounds if interval else None
    refined, baseline = comparison.refined, comparison.baseline
    within = _within(diff, WIDEST_FIRST, signed=True)
    if not bounds and (tests := tests_over_prompts(comparison)):
        within += f"; {tests}"
    if interval and (of_interval := _p_over(comparison, interval.covers)) is not None:
        within += f", {p_value(of_interval)}"
    tally = f"better on {comparison.wins:,} of {counted(comparison.n, 'prompt')}, worse on {comparison.losses:,}"
    is_apart = bounds[0] > 0 or bounds[1] < 0 if bounds else p is not None and p < _SIGNIFICANT
    if diff.value is not None and is_apart:
        word = "higher" if diff.value > 0 else "lower"
        by = decimal(abs(diff.value))
        return f"{refined} is rated {by} {word} than {baseline} ({within}; {tally})"
    difference = f"{_mean(diff.value, signed=True)} ({within}; {tally})"
    if diff.value is None or (diff.value and not bounds):
        return f"{refined} against {baseline} is undecided: the mean difference is {difference}"
    return f"the ratings do not distinguish {refined} from {baseline}: mean difference {difference}"


def _p_over(comparison: ReportedComparison, covers: str) -> float | None:
    """The p of no difference that belongs to the interval over this population, and agrees with it."""
    return {
        "prompts and raters": comparison.both.p,
        "prompts": comparison.t.p,
        "raters": comparison.raters_p,
    }.get(covers)


def _of_model(dimension: ReportedQuestion, model: ReportedModel) -> str:
    """Which of many methods is rated highest, by how much, and which of the others it is not distinguished from."""
    best, *others = model.methods
    alike = [one.method for one in others if set(one.letters) & set(best.letters)]
    parts = (
        _means_of(dimension, best.method, others[0].method),
        _odds_against(model, best.method, others[0].method),
        "all pairs in one model" + ("" if model.has_simultaneous_p else ", Holm's correction, 5%"),
        "" if "raters" in model.covers else "whether this holds for other raters is not known",
    )
    basis = "; ".join(filter(None, parts))
    if not alike and len(others) == 1:
        return f"{best.method} is rated higher than {others[0].method} ({basis})."
    if not alike:
        return f"Of {len(model.methods)} methods, {best.method} is rated higher than each of the others ({basis})."
    if len(alike) == len(others) == 1:
        return f"The ratings do not distinguish {best.method}, which is rated higher, from {alike[0]} ({basis})."
    if len(alike) == len(others):
        them = "either of the other two methods" if len(others) == 2 else f"any of the {len(others)} other methods"
        return f"The ratings do not distinguish {best.method}, which is rated highest, from {them} ({basis})."
    highest = f"Of {len(model.methods)} methods, {best.method} is rated highest"
    return f"{highest}, but is not distinguished from {_listed(alike, 'others')} ({basis})."


def _means_of(dimension: ReportedQuestion, best: str, second: str) -> str:
    """The mean of the best method, and that of the next one."""
    means = {mean.method: mean.value for mean in dimension.means if mean.value is not None}
    if not {best, second} <= means.keys():
        return ""
    return f"mean {decimal(means[best])}, next {second} with {decimal(means[second])}"


def _odds_against(model: ReportedModel, best: str, second: str) -> str:
    """The odds ratio of a higher rating than the next method's, with its interval and p; empty where it has none."""
    pair = next((one for one in model.pairs if {one.first, one.second} == {best, second}), None)
    found = interval_over(pair.log_odds, model.covers) if pair else None
    if pair is None or found is None or found.bounds is None or pair.log_odds.value is None:
        return f"intervals over {model.covers}"
    odds, low, high = pair.log_odds.value, *found.bounds
    if pair.first != best:
        odds, low, high = -odds, -high, -low
    kind, p = "95% interval", pair.p_holm
    if model.has_simultaneous_p:
        kind, p = "simultaneous 95% interval", pair.p_simultaneous
    of_odds, of_low, of_high = (ratio(exp(min(each, _LARGEST_LOG))) for each in (odds, low, high))
    said = f"odds ratio against {second} {of_odds}, {kind} over {model.covers} {of_low} to {of_high}"
    return f"{said}, {p_value(p)}" if p is not None else said


def _best(dimension: ReportedQuestion, sampled: str) -> str:
    ranked = sorted((mean for mean in dimension.means if mean.value is not None), key=lambda mean: -(mean.value or 0.0))
    if not ranked:
        return "No method has a mean rating."
    values = [mean.value or 0.0 for mean in ranked]
    first = [mean for mean, value in zip(ranked, values, strict=True) if values[0] - value < _LEVEL]
    last = [mean for mean, value in zip(ranked, values, strict=True) if value - values[-1] < _LEVEL]
    if len(first) == len(ranked):
        who = _listed([mean.method for mean in first], "methods")
        has = "has the" if len(first) == 1 else "have the same"
        return f"{who} {has} mean rating, {decimal(values[0])} on {_scale(dimension)}."
    # As many decimals as tell the highest mean from the lowest.
    digits = next((n for n in (2, 3, 4) if decimal(values[0], digits=n) != decimal(values[-1], digits=n)), 5)

    def end(means: Sequence[ReportedMean], which: str) -> str:
        of_one = f" ({_within(means[0], WIDEST_FIRST, signed=False, sampled=sampled)})" if len(means) == 1 else ""
        scale = f" on {_scale(dimension)}" if means is first else ""
        who = _listed([mean.method for mean in means], "methods")
        return f"{who} {which}, {decimal(means[0].value or 0.0, digits=digits)}{scale}{of_one}"

    if len(ranked) == 2:
        return (
            f"{end(first, 'has the higher mean rating')}, and {end(last, 'the lower')}; without a paired comparison "
            "this does not show that they differ."
        )
    has = "has" if len(first) == 1 else "have"
    return (
        f"Of {counted(len(ranked), 'method')}, {end(first, f'{has} the highest mean rating')}, "
        f"and {end(last, 'the lowest')}; without a paired comparison these do not show which differ."
    )


def _mean(value: float | None, *, signed: bool = False) -> str:
    return "–" if value is None else decimal(value, signed=signed)


def _listed(names: Sequence[str], noun: str) -> str:
    """The names, or how many there are."""
    if len(names) > MOST_NAMED:
        return f"{len(names)} {noun}"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _shares(dimension: ReportedQuestion) -> str:
    counts = dimension.histogram
    total = sum(counts)
    if not total:
        return "Nobody could answer."
    labels = dimension.level_names
    at = max(range(len(counts)), key=counts.__getitem__)
    return (
        f"The most frequent answer is “{labels[at]}”, {share(counts[at] / total)} of {counted(total, 'answer')} by "
        f"{counted(dimension.n_raters, 'rater')} about {counted(dimension.n_units, 'item')}."
    )


def _scale(dimension: ReportedQuestion) -> str:
    return f"a scale from {scale_value(dimension.values[0])} to {scale_value(dimension.values[-1])}"


def first_defined(estimate: ReportedEstimate, covers: tuple[str, ...]) -> ReportedInterval | None:
    for population in covers:
        found = interval_over(estimate, population)
        if found and found.bounds:
            return found
    return None


def _within(estimate: ReportedEstimate, covers: tuple[str, ...], *, signed: bool, sampled: str = "prompts") -> str:
    """The interval in words, or why there is none. sampled: see `StudyDocument`."""
    found = first_defined(estimate, covers)
    if found is not None and found.bounds:
        return f"95% interval over {found.covers.replace('prompts', sampled)} {span(*found.bounds, signed=signed)}"
    reasons = [one.reason for one in estimate.intervals if one.reason]
    return f"no interval: {reasons[0]}" if reasons else "no interval"
