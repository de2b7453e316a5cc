"""What differs between the registered plan and the study as it is: settings, sample, exclusions, analysis."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from annotations.reports.numbers import counted
from annotations.reports.registration.plan import Plan, PlannedQuestion

MOST_CHARACTERS = 160
SETTINGS: Mapping[str, str] = {
    "item_kind": "What is shown at once",
    "pairing": "Which images meet",
    "n_items": "Number of items",
    "n_prompts": "Number of prompts",
    "raters_per_item": "Raters per item",
    "further_raters": "Further raters of disputed items",
    "further_prompts": "Further prompts of a close comparison",
    "items_per_rater": "Most items per rater",
    "order": "Order of items",
    "seed": "Seed of the order",
    "instructions": "Instructions",
    "text_images": "Images in the instructions",
    "consent": "Consent text",
    "exclusion_rule": "Rule for excluding raters",
}
"""Fields of the plan that are compared as they are, in words."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of the study.

    n_answered   cards answered by raters who count, without those of further raters
    excluded     reasons for which raters were excluded, one entry per rater
    comparisons  (baseline, refined) that the report has
    n_before     answers dated before the registration
    is_stopped_by_rule  the registered rule assigned no further prompts, so fewer cards than the maximum are as planned
    """

    n_answered: int
    excluded: Sequence[str] = ()
    comparisons: Sequence[tuple[str, str]] = ()
    n_before: int = 0
    is_closed: bool = False
    is_stopped_by_rule: bool = False


def deviations(registered: Plan, now: Plan, outcome: Outcome) -> list[str]:
    """One sentence for each difference, beginning with what was planned; none if everything is as registered.

    Intentions are texts, which cannot be checked: the caller shows them next to this list.
    """
    return [
        *_settings(registered, now),
        *_questions(registered, now),
        *_sample(registered, now, outcome),
        *_exclusions(registered, outcome),
        *_analysis(registered, outcome),
    ]


def _settings(registered: Plan, now: Plan) -> Iterator[str]:
    for name, words in SETTINGS.items():
        planned, found = getattr(registered, name), getattr(now, name)
        if planned != found:
            yield f"{words}: registered {_said(planned)}; now {_said(found)}."
    if registered.n_items == now.n_items and registered.items_digest != now.items_digest and now.items_digest:
        yield "Items: as many as registered, but not the same images."
    left = [method for method in registered.methods if method not in now.methods]
    added = [method for method in now.methods if method not in registered.methods]
    if left:
        yield f"Methods left out: {', '.join(left)}."
    if added:
        yield f"Methods added: {', '.join(added)}."
    for name in sorted({*registered.rater_rules, *now.rater_rules}):
        planned, found = registered.rater_rules.get(name), now.rater_rules.get(name)
        if planned != found:
            yield f"Rule for raters, {name.replace('_', ' ')}: registered {_said(planned)}; now {_said(found)}."


def _questions(registered: Plan, now: Plan) -> Iterator[str]:
    planned = {question.name: question for question in registered.questions}
    found = {question.name: question for question in now.questions}
    for name, question in planned.items():
        if name not in found:
            yield f"Question left out: “{question.question}”."
        elif found[name] != question:
            yield from _question(question, found[name])
    for name, question in found.items():
        if name not in planned:
            yield f"Question added: “{question.question}”."


def _question(planned: PlannedQuestion, found: PlannedQuestion) -> Iterator[str]:
    if planned.question != found.question:
        yield f"Question “{planned.name}”: registered “{planned.question}”; now “{found.question}”."
    if (planned.levels, planned.kind) != (found.levels, found.kind):
        before, after = (", ".join(" ".join(level) for level in one.levels) for one in (planned, found))
        yield f"Answers to “{planned.question}”: registered {_said(before)}; now {_said(after)}."
    if (planned.about, planned.allows_unable) != (found.about, found.allows_unable):
        yield f"Question “{planned.question}”: what it is about, or whether “unable to answer” is offered, was changed."


def _sample(registered: Plan, now: Plan, outcome: Outcome) -> Iterator[str]:
    if outcome.n_before:
        yield f"{counted(outcome.n_before, 'answer')} dated before the registration."
    wanted = registered.n_ratings
    if outcome.n_answered < wanted and outcome.is_closed and not outcome.is_stopped_by_rule:
        yield f"Sample: {counted(wanted, 'card')} were planned; the study was closed after {outcome.n_answered:,}."
    elif outcome.n_answered > wanted and now.n_ratings == wanted:
        yield f"Sample: {counted(wanted, 'card')} were planned; {outcome.n_answered:,} were answered."


def _exclusions(registered: Plan, outcome: Outcome) -> Iterator[str]:
    if not outcome.excluded:
        return
    reasons = "; ".join(dict.fromkeys(outcome.excluded))
    n = counted(len(outcome.excluded), "rater")
    if registered.exclusion_rule or registered.rater_rules.get("rules"):
        yield f"{n} excluded ({reasons}): check each against the registered rule."
    else:
        yield f"{n} excluded ({reasons}) without a registered rule."


def _analysis(registered: Plan, outcome: Outcome) -> Iterator[str]:
    planned, found = set(registered.comparisons), set(outcome.comparisons)
    if not planned and len(registered.methods) == 2:
        # There is no choice of what to compare.
        found = {pair for pair in found if set(pair) != set(registered.methods)}
    for baseline, refined in sorted(found - planned):
        yield f"Comparison of {refined} with {baseline}: not registered, so exploratory."
    for baseline, refined in sorted(planned - found):
        yield f"Comparison of {refined} with {baseline}: registered, but not in the report."


def _said(value: object) -> str:
    if value is None or value in ("", ()):
        return "nothing"
    if isinstance(value, tuple):
        value = ", ".join(" ".join(map(str, one)) for one in value)
    text = " ".join(str(value).split())
    text = text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"
    return f"“{text}”" if isinstance(value, str) else text
