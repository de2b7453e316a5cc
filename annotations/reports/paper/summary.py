"""The answer to every question of a study in one sentence."""

from annotations.reports.documents.comparisons import ReportedComparison, ReportedModel
from annotations.reports.documents.estimates import ReportedEstimate, ReportedInterval
from annotations.reports.documents.study import RATED, ReportedQuestion, StudyDocument
from annotations.reports.estimates import interval_over
from annotations.reports.numbers import counted, figure, scale_value, share, span
from annotations.reports.study.sections.answered import answered
from annotations.reports.study.sections.comparisons import tests_over_prompts

WIDEST_FIRST = ("prompts and raters", "prompts", "raters")
"""Intervals in the order in which a summary prefers them: the first covers other prompts and other raters."""

_SIGNIFICANT = 0.05
MOST_COMPARED = 3
MOST_NAMED = 5


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
        return f"The mean rating is {figure(mean.value, digits=2)} on {_scale(dimension)} ({within})."
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
    tally = f"better on {comparison.wins:,} of {counted(comparison.n, 'prompt')}, worse on {comparison.losses:,}"
    is_apart = bounds[0] > 0 or bounds[1] < 0 if bounds else p is not None and p < _SIGNIFICANT
    if diff.value is not None and is_apart:
        word = "higher" if diff.value > 0 else "lower"
        by = figure(abs(diff.value), digits=2)
        return f"{refined} is rated {by} {word} than {baseline} ({within}; {tally})"
    difference = f"{figure(diff.value, signed=True, digits=2)} ({within}; {tally})"
    if diff.value is None or (diff.value and not bounds):
        return f"{refined} against {baseline} is undecided: the mean difference is {difference}"
    return f"the ratings do not distinguish {refined} from {baseline}: mean difference {difference}"


def _of_model(dimension: ReportedQuestion, model: ReportedModel) -> str:
    """Which of many methods is rated highest, by how much, and which of the others it is not distinguished from."""
    best, *others = model.methods
    alike = [one.method for one in others if set(one.letters) & set(best.letters)]
    basis = f"{_mean_against_next(dimension, best.method)}all pairs in one model, "
    if model.has_simultaneous_p:
        basis += f"simultaneous 95% intervals over {model.covers}"
    else:
        basis += f"intervals over {model.covers}, Holm's correction, 5%"
    if "raters" not in model.covers:
        basis += "; whether this holds for other raters is not known"
    if not alike:
        return f"Of {len(model.methods)} methods, {best.method} is rated higher than each other one ({basis})."
    if len(alike) == len(others):
        return (
            f"The ratings do not distinguish {best.method}, which is rated highest, from any of the "
            f"{len(others)} other methods ({basis})."
        )
    named = alike[0] if len(alike) == 1 else f"{', '.join(alike[:-1])} and {alike[-1]}"
    if len(alike) > MOST_NAMED:
        named = f"{len(alike)} others"
    highest = f"Of {len(model.methods)} methods, {best.method} is rated highest"
    return f"{highest}, but is not distinguished from {named} ({basis})."


def _mean_against_next(dimension: ReportedQuestion, best: str) -> str:
    """The mean of the best method, and the highest of the others."""
    means = {mean.method: mean.value for mean in dimension.means if mean.value is not None}
    if best not in means or len(means) < 2:
        return ""
    second = max((method for method in means if method != best), key=lambda method: means[method] or 0.0)
    return f"mean {figure(means[best], digits=2)}, next {second} with {figure(means[second], digits=2)}; "


def _best(dimension: ReportedQuestion, sampled: str) -> str:
    ranked = sorted((mean for mean in dimension.means if mean.value is not None), key=lambda mean: -(mean.value or 0.0))
    if not ranked:
        return "No method has a mean rating."
    first, last = ranked[0], ranked[-1]
    of_first, of_last = (_within(one, WIDEST_FIRST, signed=False, sampled=sampled) for one in (first, last))
    return (
        f"Of {counted(len(ranked), 'method')}, {first.method} has the highest mean rating, "
        f"{figure(first.value, digits=2)} on {_scale(dimension)} ({of_first}), "
        f"and {last.method} the lowest, {figure(last.value, digits=2)} "
        f"({of_last}); without a paired comparison these do not show which differ."
    )


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
