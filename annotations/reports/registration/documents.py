"""A registered plan as a document for a registry: OSF's form of a preregistration, and AsPredicted's nine questions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from annotations.reports.numbers import counted
from annotations.reports.paper.markdown import literal as plain_markdown
from annotations.reports.paper.typesetting import literal, pdf
from annotations.reports.registration.plan import Plan

NOT_STATED = "Not stated."
SHOWN = {
    "image": "one image with its prompt",
    "pair": "two images of one prompt side by side",
    "prompt": "all images of a prompt together",
}
ORDERS = {"shuffled": "in an order shuffled for each rater", "fixed": "in one order for all raters"}


@dataclass(frozen=True)
class Registered:
    """A plan and the registration that freezes it. made_at: ISO 8601, before the first answer."""

    plan: Plan
    number: int
    made_at: str
    digest: str
    deviations: Sequence[str] = ()


Answers = Mapping[str, Callable[[Plan], str]]


def _intent(key: str) -> Callable[[Plan], str]:
    return lambda plan: plan.intentions.get(key, "").strip()


def _together(*parts: Callable[[Plan], str]) -> Callable[[Plan], str]:
    return lambda plan: "\n\n".join(text for part in parts if (text := part(plan)))


def _questions(plan: Plan) -> str:
    lines = []
    for question in plan.questions:
        levels = "; ".join(f"{value} {label}".strip() for value, label in question.levels)
        unable = " “Unable to answer” is offered and is not a value." if question.allows_unable else ""
        lines.append(f"“{question.question}” Answers: {levels}.{unable}")
    return "\n\n".join(lines)


def _design(plan: Plan) -> str:
    most = f", each rater at most {plan.items_per_rater:,} items" if plan.items_per_rater else ""
    methods = f" Methods: {', '.join(plan.methods)}." if plan.methods else ""
    return (
        f"Raters see {SHOWN.get(plan.item_kind, plan.item_kind)}. {counted(plan.n_items, 'item')} from "
        f"{counted(plan.n_prompts, 'prompt')}, {counted(plan.raters_per_item, 'rater')} per item{most}.{methods}"
        + (f" Further raters of disputed items: {plan.further_raters}." if plan.further_raters else "")
        + (f" Further prompts: {plan.further_prompts}." if plan.further_prompts else "")
    )


def _blinding(_plan: Plan) -> str:
    return (
        "Raters see no method's name, no metric's score and no other rater's answer; images are re-encoded under "
        "random addresses, and sides are drawn for each rater."
    )


def _randomisation(plan: Plan) -> str:
    return (
        f"Items are given out {ORDERS.get(plan.order, plan.order)}; methods and prompts are balanced along the order. "
        f"Seed {plan.seed}."
    )


def _size(plan: Plan) -> str:
    return (
        f"{counted(plan.n_items, 'item')} × {counted(plan.raters_per_item, 'rater')} = "
        f"{counted(plan.n_ratings, 'answered card')}. The items are fixed: SHA-256 {plan.items_digest}."
    )


def _comparisons(plan: Plan) -> str:
    if not plan.comparisons:
        return ""
    listed = "; ".join(f"{refined} with {baseline}" for baseline, refined in plan.comparisons)
    return f"Methods compared on the same prompts: {listed}. Other comparisons are exploratory."


def _rules(plan: Plan) -> str:
    rules = [f"Rule for excluding raters: {plan.exclusion_rule}"] if plan.exclusion_rule else []
    rules += [
        f"{name.replace('_', ' ').capitalize()}: {value}."
        for name, value in sorted(plan.rater_rules.items())
        if value not in (None, "", [], 0, False)
    ]
    return "\n\n".join(rules)


def _procedure(plan: Plan) -> str:
    texts = {"Instructions": plan.instructions, "Consent": plan.consent}
    said = [f"{name}: {' '.join(text.split())}" for name, text in texts.items() if text]
    said += [f"Image “{name}” in these texts: SHA-256 {sha256}." for name, sha256 in plan.text_images]
    return "\n\n".join(said)


def _software(plan: Plan) -> str:
    return f"Collected and analysed with evalsite {plan.code_version}." if plan.code_version else ""


OSF: Answers = {
    "Title": lambda plan: plan.title,
    "Hypotheses": _intent("hypotheses"),
    "Study type": lambda _plan: "Images made by several methods are rated by people: methods are within prompts.",
    "Blinding": _blinding,
    "Study design": _together(_design, _intent("conditions")),
    "Randomization": _randomisation,
    "Existing data": _intent("prior_data"),
    "Data collection procedures": _procedure,
    "Sample size": _size,
    "Sample size rationale": _intent("sample_reason"),
    "Stopping rule": _intent("stopping"),
    "Manipulated variables": lambda plan: f"Method: {', '.join(plan.methods)}." if plan.methods else "",
    "Measured variables": _questions,
    "Statistical models": _together(_intent("primary"), _comparisons, _intent("analysis")),
    "Inference criteria": _intent("inference"),
    "Data exclusion": _rules,
    "Missing data": _intent("missing"),
    "Exploratory analysis": _intent("exploratory"),
    "Other": _together(_intent("other"), _software),
}
"""Headings of OSF's preregistration form, in its order."""
ASPREDICTED: Answers = {
    "1) Have any data been collected for this study already?": _together(
        lambda _plan: "No answer had been given when this was registered.", _intent("prior_data")
    ),
    "2) What is the main question being asked or hypothesis being tested?": _intent("hypotheses"),
    "3) Key dependent variable(s), and how they are measured": _questions,
    "4) Conditions": _together(_design, _intent("conditions"), _randomisation),
    "5) Analyses for the main question": _together(
        _intent("primary"), _comparisons, _intent("analysis"), _intent("inference")
    ),
    "6) Outliers, and rules for excluding observations": _together(_rules, _intent("missing")),
    "7) How many observations, or what determines the sample size": _together(
        _size, _intent("sample_reason"), _intent("stopping")
    ),
    "8) Anything else (exploratory analyses, further variables)": _together(_intent("exploratory"), _intent("other")),
    "9) Name of the study": lambda plan: plan.title,
}
"""AsPredicted's questions in our words."""
REGISTRIES: Mapping[str, tuple[str, Answers]] = {
    "osf": ("OSF preregistration", OSF),
    "aspredicted": ("AsPredicted", ASPREDICTED),
}


def answers(plan: Plan, registry: str) -> list[tuple[str, str]]:
    """(heading, text) in the registry's order; "" if the plan does not say."""
    return [(heading, made(plan)) for heading, made in REGISTRIES[registry][1].items()]


def registration_markdown(registered: Registered, registry: str) -> str:
    parts = [f"# {plain_markdown(registered.plan.title)}", *map(plain_markdown, _lead(registered, registry))]
    for heading, text in answers(registered.plan, registry):
        parts.append(f"## {plain_markdown(heading)}")
        parts += [plain_markdown(line) for line in (text or NOT_STATED).split("\n\n")]
    if registered.deviations:
        parts.append("## Deviations so far")
        parts.append("\n".join(f"- {plain_markdown(line)}" for line in registered.deviations))
    return "\n\n".join(parts) + "\n"


def registration_pdf(registered: Registered, registry: str) -> bytes:
    lines = [
        f"#set document(title: {literal(registered.plan.title)})",
        '#set page(paper: "a4", margin: (x: 22mm, y: 20mm), numbering: "1 / 1")',
        '#set text(font: "Libertinus Serif", size: 10.5pt, lang: "en", region: "GB")',
        "#show heading: set block(above: 1.4em, below: 0.7em, sticky: true)",
        f"#text(size: 18pt, weight: 700, {literal(registered.plan.title)})\n",
        *(f"#{literal(line)}\n" for line in _lead(registered, registry)),
    ]
    for heading, text in answers(registered.plan, registry):
        lines.append(f"= #{literal(heading)}")
        lines += [f"#{literal(line)}\n" for line in (text or NOT_STATED).split("\n\n")]
    if registered.deviations:
        lines.append("= Deviations so far")
        lines += [f"- #{literal(line)}" for line in registered.deviations]
    return pdf("\n".join(lines), {}, registered.made_at)


def _lead(registered: Registered, registry: str) -> list[str]:
    again = f" It is registration number {registered.number} of this study." if registered.number > 1 else ""
    return [
        f"{REGISTRIES[registry][0]}. Frozen {registered.made_at}, before the first answer.{again}",
        f"SHA-256 of the frozen plan: {registered.digest}",
    ]
