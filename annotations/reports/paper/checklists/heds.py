"""HEDS 3.0 (Belz and Thomson 2024) as the JSON that its own form loads. Only what the study knows is filled in.

The form's file has one entry per field or option: {"data": {CRITERION: value}, "control": {}, "number": "3.1.1"}, where
CRITERION is "" except in section 4, which is answered once per quality criterion; a chosen option is true.
"""

from collections.abc import Mapping
from typing import Any

from annotations.reports.documents.study import RATED, ReportedQuestion, StudyDocument
from annotations.reports.numbers import figure
from annotations.reports.paper.checklists.items import Facts, agreement_words, values
from annotations.reports.study.sections.report import headline_agreement

_SYSTEM, _SAMPLE = "heds-system", "heds-sample_evaluators_design"
_DESIGN, _CRITERION = f"{_SAMPLE}-experimental_design", "heds-criteria-criterion"
_ELICITATION = f"{_CRITERION}-response_elicitation"
MATCH_QUESTIONS = frozenset(
    {
        "Does the image match the prompt?",
        "How faithfully does the image follow every part of the prompt, above all who does what with what?",
        "Is the action depicted?",
        "Which image matches the prompt better?",
        "Put the images in order, the one that matches the prompt best first.",
        "Which image matches the prompt best, and which worst?",
    }
)
"""Our own questions on whether an image shows what its prompt says: correctness of content, given the input."""
CRITERION_FIELDS, OTHER_FIELDS = 21, 41
"""How many fields the form has: per criterion, and besides those."""


def heds(document: StudyDocument) -> dict[str, Any]:
    """The form's file. Every answer is a fact about the study; fields that only the researchers can answer stay
    blank."""
    facts, sheet = Facts(document), _Sheet()
    _general(facts, sheet)
    names = [dimension.name for dimension in document.dimensions]
    sheet.entries[_CRITERION] = {
        "data": {},
        "control": {name: place == 0 for place, name in enumerate(names)},
        "text": {},
    }
    for dimension in document.dimensions:
        _criterion(facts, dimension, sheet)
    return sheet.entries


def n_filled(file: Mapping[str, Any]) -> int:
    """How many fields are filled: options of one question count once, and a criterion's name does not count."""
    return len({(entry["number"], key) for entry in file.values() if entry.get("number") for key in entry["data"]})


class _Sheet:
    def __init__(self) -> None:
        self.entries: dict[str, Any] = {}

    def text(self, place: str, number: str, value: str, criterion: str = "") -> None:
        if value:
            entry = self.entries.setdefault(place, {"data": {}, "control": {}, "number": number})
            entry["data"][criterion] = value

    def option(self, place: str, number: str, option: int, criterion: str = "", *, words: str = "") -> None:
        """One option of a question is chosen; `words` explains it if the form asks for an explanation."""
        entry = self.entries.setdefault(f"{place}-{option}", {"data": {}, "control": {}, "text": {}, "number": number})
        entry["data"][criterion] = True
        if words:
            other = self.entries.setdefault(f"{place}-other_text", {"data": {}, "control": {}})
            other["data"][criterion] = words


def _general(facts: Facts, sheet: _Sheet) -> None:
    document, design = facts.document, facts.design
    title = f"{document.title} ({document.key})"
    sheet.text("heds-paper_and_resources-paper-experiment_identification", "1.1.2", title)
    sheet.option(f"{_SYSTEM}-input_types", "2.1", 9, words="Text prompts for image generation.")
    sheet.option(f"{_SYSTEM}-output_types", "2.2", 11)
    sheet.option(f"{_SYSTEM}-tasks", "2.3", 20, words="Text-to-image generation.")
    sheet.option(f"{_SYSTEM}-output_languages", "2.5", 1, words="The outputs are images.")
    sheet.text(f"{_SAMPLE}-sample-number_of_system_outputs", "3.1.1", _outputs(facts))
    _power(facts, sheet)
    n_raters = max((dimension.n_raters for dimension in document.dimensions), default=0)
    sheet.text(f"{_SAMPLE}-evaluators-number_of_evaluators", "3.2.1", str(n_raters))
    sheet.text(f"{_SAMPLE}-evaluators-recruitment_method", "3.2.3", facts.answer("recruitment"))
    sheet.text(f"{_SAMPLE}-evaluators-characteristics", "3.2.5", facts.answer("characteristics"))
    if paper := facts.answer("paper"):
        sheet.option("heds-paper_and_resources-paper-link", "1.1.1", 1, words=paper)
    if resources := facts.answer("resources"):
        sheet.option("heds-paper_and_resources-resources-links", "1.2", 1, words=resources)
    author = "heds-paper_and_resources-names_and_affiliations-contact_author"
    sheet.text(f"{author}-name", "1.3.2.1", facts.answer("contact"))
    sheet.text(f"{_DESIGN}-what_evaluators_see-link", "3.3.4.1", facts.answer("interface"))
    _evaluators(facts, sheet)
    if registration := document.registration:
        plan = f"Frozen on {registration.made_at} before the first answer; SHA-256 {registration.digest}."
        sheet.option(f"{_DESIGN}-preregistered", "3.3.1", 1, words=plan)
    _quality(facts, sheet)
    sheet.text("heds-ethics-review_body", "5.1", facts.answer("ethics"))
    if special := facts.answer("special_data"):
        is_none = special.casefold().startswith(("no ", "none", "no.", "no,")) or special.casefold() == "no"
        sheet.option("heds-ethics-special_category_data", "5.3", 1 if is_none else 2, words="" if is_none else special)
    sheet.text("heds-ethics-impact_assessments", "5.4", facts.answer("harm"))
    if design is None or design.imported_share == 1:
        return
    trained = (
        f"Written instructions: {' '.join(design.instructions.split())}"
        if design.instructions
        else ("No training and no written instructions beyond the question.")
    )
    sheet.text(f"{_SAMPLE}-evaluators-training_practice", "3.2.4", trained)
    collected = f"A web site (evalsite {document.made.code_version}), by keyboard, mouse or touch."
    sheet.text(f"{_DESIGN}-collection_method", "3.3.2", collected)
    shown = {"image": "One image with its prompt", "pair": "Two images side by side with their prompt"}
    seen = shown.get(design.item_kind, "All images of a prompt together, with the prompt")
    about = f"{seen}, and the worded answers. {facts.blinding}"
    sheet.text(f"{_DESIGN}-what_evaluators_see-description", "3.3.4.2", about)
    sheet.option(f"{_DESIGN}-evaluator_freedom", "3.3.5", 2)
    flag = "Evaluators can flag an item with a comment."
    sheet.option(f"{_DESIGN}-evaluators_can_ask_questions", "3.3.6", 4, words=flag)
    place = "The site does not control the evaluators' device, screen, light and surroundings."
    sheet.text(f"{_DESIGN}-evaluators_place_of_choosing", "3.3.8", place)
    kinds = document.raters_by_kind
    if kinds.get("person"):
        sheet.option("heds-ethics-personal_data", "5.2", 2, words="Names of raters with their answers and times.")
    elif set(kinds) == {"simulated"}:
        sheet.option("heds-ethics-personal_data", "5.2", 1)


def _outputs(facts: Facts) -> str:
    """How many outputs of each system somebody rated, in words where the questions or the systems differ."""
    found: dict[str, int] = {}
    for dimension in facts.dimensions:
        for mean in dimension.means:
            found[mean.method] = max(found.get(mean.method, 0), mean.n_units)
    methods = facts.document.single_methods
    counts = {method: found[method] for method in methods if method in found}
    if not counts or len(counts) < len(methods):
        return f"{facts.document.n_items} in all"
    if len(set(counts.values())) == 1:
        return str(next(iter(counts.values())))
    return "; ".join(f"{method}: {n}" for method, n in counts.items())


def _power(facts: Facts, sheet: _Sheet) -> None:
    """What a study of this size finds, where methods were compared. The analysis is of the answers themselves."""
    found = [
        f"{one.refined} against {one.baseline}, “{dimension.asked}”: {figure(one.both.detectable, digits=2)}"
        for dimension in facts.dimensions
        for one in dimension.comparisons
        if one.both.detectable is not None
    ]
    if not found:
        return
    place = f"{_SAMPLE}-sample-statistical_power"
    method = (
        "After the fact, from the variances over prompts and raters in these answers: the smallest true difference of "
        "mean ratings that a study of this size finds in 80% of cases, at a level of 5%."
    )
    sheet.text(f"{place}-method", "3.1.3.1", method)
    sheet.text(f"{place}-value", "3.1.3.2", f"A power of 80% for a difference of: {'; '.join(found)}.")
    code = f"evalsite {facts.document.made.code_version}, annotations/stats/comparison; figures in comparisons.csv."
    sheet.text(f"{place}-script", "3.1.3.3", code)


def _evaluators(facts: Facts, sheet: _Sheet) -> None:
    """Payment and acquaintance, if the researchers' notes begin plainly; neither applies to programs."""
    place = f"{_SAMPLE}-evaluators-evaluators"
    asked = (
        ("expertise", "3.2.2.1", 3),
        ("payment", "3.2.2.2", 4),
        ("known_to_authors", "3.2.2.3", 3),
        ("are_authors", "3.2.2.4", 3),
    )
    if set(facts.document.raters_by_kind) == {"simulated"}:
        for name, number, option in asked:
            sheet.option(f"{place}-{name}", number, option, words="No person took part: a program drew the answers.")
        return
    payment = facts.answer("payment").casefold()
    if payment.startswith(("not paid", "unpaid", "no pay", "none", "nothing", "raters were not paid")):
        sheet.option(f"{place}-payment", "3.2.2.2", 3)
    elif any(character.isdigit() for character in payment):
        sheet.option(f"{place}-payment", "3.2.2.2", 1)
    if facts.answer("relation").casefold().startswith(("none", "no ", "no.", "nobody")):
        sheet.option(f"{place}-known_to_authors", "3.2.2.3", 2)


def _quality(facts: Facts, sheet: _Sheet) -> None:
    place, number = f"{_DESIGN}-quality_assurance-method", "3.3.3.1"
    has_gold = any(dimension.n_gold for dimension in facts.dimensions)
    is_compared = any(dimension.raters for dimension in facts.dimensions)
    if has_gold or is_compared:
        sheet.option(place, number, 2)
    if facts.document.excluded_raters:
        sheet.option(place, number, 4)
    said = [
        "Items with a known right answer were among the others." if has_gold else "",
        "After the evaluation every rater was compared with the others by a program: agreement, severity, runs of "
        "equal answers, repeats, pace (raters.csv)."
        if is_compared
        else "",
        facts.exclusions,
    ]
    if has_gold or is_compared or facts.document.excluded_raters:
        words = " ".join(part.strip() for part in said if part)
        sheet.text(f"{_DESIGN}-quality_assurance-description", "3.3.3.2", words)


def _criterion(facts: Facts, dimension: ReportedQuestion, sheet: _Sheet) -> None:
    name, kind = dimension.name, dimension.kind

    def text(part: str, number: str, value: str) -> None:
        sheet.text(f"{_ELICITATION}-{part}", number, value, name)

    sheet.option(f"{_CRITERION}-evaluation_mode-objective_or_subjective", "4.2.1", 2, name)
    is_relative = dimension.form != RATED
    sheet.option(f"{_CRITERION}-evaluation_mode-absolute_or_relative", "4.2.2", 2 if is_relative else 1, name)
    if dimension.question in MATCH_QUESTIONS:
        sheet.option(f"{_CRITERION}-criteria-quality_type", "4.1.1", 1, name)
        sheet.option(f"{_CRITERION}-criteria-output_aspect", "4.1.2", 2, name)
        sheet.option(f"{_CRITERION}-criteria-self_vs_external_frame", "4.1.3", 2, name)
    sheet.option(f"{_CRITERION}-evaluation_mode-intrinsic_or_extrinsic", "4.2.3", 1, name)
    text("qc_name-participant_criterion_name", "4.3.1.1", dimension.question or name)
    text("participant_criterion_definiiton", "4.3.2", _definition(dimension))
    text("size_of_scale", "4.3.3", str(len(dimension.values)))
    text("list_or_range", "4.3.4", values(dimension))
    if facts.design is not None and facts.design.imported_share < 1:
        sheet.option(f"{_ELICITATION}-scale_presented_as", "4.3.5", 3 if kind == "interval" else 1, name)
    text("task_description", "4.3.6", "N/A: there is a rating instrument.")
    text("verbatim_question", "4.3.7", _wording(dimension))
    form = 3 if dimension.form != RATED else 7 if kind == "nominal" else 2
    sheet.option(f"{_ELICITATION}-form_of_response", "4.3.8", form, name)
    is_ordered = bool(dimension.means)
    text("response_aggregation", "4.3.9", _AGGREGATION if is_ordered else "Counted by answer; none is aggregated.")
    text("effect_size_method", "4.3.10", _effects(dimension))
    text("inter_annotator-agreement", "4.3.11.1", f"{agreement_words(dimension)} Others are in agreement.csv.")
    value = headline_agreement(dimension)[0].value
    text("inter_annotator-agreement_score", "4.3.11.2", "undefined" if value is None else figure(value))
    _intra(dimension, text)


def _effects(dimension: ReportedQuestion) -> str:
    if dimension.preferences:
        return f"{_PREFERRED} {_STRENGTHS}" if dimension.preferences.strengths else _PREFERRED
    said = [_EFFECT] if any(comparison.n for comparison in dimension.comparisons) else []
    if dimension.model and dimension.model.pairs:
        tests = "simultaneous tests of" if dimension.model.has_simultaneous_p else "Holm's correction over"
        said.append(f"All methods in one model: {dimension.model.convention}; {tests} all pairs.")
    return " ".join(said) or "None: methods were not compared on this question."


def _wording(dimension: ReportedQuestion) -> str:
    """The question, unless an import had no words for it and used its name instead."""
    return dimension.question if dimension.question != dimension.name else ""


def _definition(dimension: ReportedQuestion) -> str:
    worded = " with its worded answers" if dimension.labels else ""
    return f"The question itself{worded}; no further definition." if _wording(dimension) else ""


def _intra(dimension: ReportedQuestion, text: Any) -> None:
    repeated = [one for rater in dimension.raters if (one := rater.self_consistency.value) is not None]
    if repeated:
        text("intra_annotator-intra_annotator_agreement", "4.3.12.1", "Share of repeated items answered alike.")
        text("intra_annotator-intra_annotator_agreement_score", "4.3.12.2", figure(sum(repeated) / len(repeated)))
    else:
        text("intra_annotator-intra_annotator_agreement", "4.3.12.1", "Not measured: no rater rated an item twice.")
        text("intra_annotator-intra_annotator_agreement_score", "4.3.12.2", "N/A")


_AGGREGATION = (
    "Mean over an image's raters, then over a prompt's images; no rating is standardised. “Unable to answer” is left "
    "out and counted."
)
_EFFECT = (
    "Mean difference over prompts with paired t intervals over prompts and over prompts and raters, rank-biserial "
    "correlation and probability of superiority; Wilcoxon's signed-rank test and a sign-flip permutation test."
)
_PREFERRED = "Win rate with intervals over prompts and over raters; tests of no preference (preferences.csv)."
_STRENGTHS = "Log worth of every method in a Bradley–Terry model (strengths.csv)."
