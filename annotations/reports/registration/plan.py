"""The plan of a study: the questions, the images, the raters, the rules, and the analysis."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class PlannedQuestion:
    """levels: (value, label), the lowest first."""

    name: str
    question: str
    kind: str
    about: str
    levels: tuple[tuple[str, str], ...]
    allows_unable: bool


@dataclass(frozen=True)
class Plan:
    """What is fixed before the first answer.

    items_digest  SHA-256 over the key of each item in order and the digests of its images
    comparisons   (baseline, refined) methods whose difference is the analysis; others are exploratory
    rater_rules   checks, caps, screening and rules for excluding raters, by their name in the settings
    further_raters  the rule for further raters of disputed items in words; "" for none
    further_prompts  the rule for further prompts of a close comparison in words; "" for none
    text_images   (name, SHA-256 of the pixels' file) of the images in the texts that raters read
    intentions    facts that only the researchers know, by the keys of INTENTIONS
    """

    title: str
    item_kind: str
    pairing: str
    methods: tuple[str, ...]
    n_items: int
    n_prompts: int
    items_digest: str
    raters_per_item: int
    items_per_rater: int | None
    order: str
    seed: int
    instructions: str
    consent: str
    exclusion_rule: str
    questions: tuple[PlannedQuestion, ...]
    comparisons: tuple[tuple[str, str], ...]
    rater_rules: Mapping[str, Any] = field(default_factory=dict)
    intentions: Mapping[str, str] = field(default_factory=dict)
    code_version: str = ""
    further_raters: str = ""
    text_images: tuple[tuple[str, str], ...] = ()
    further_prompts: str = ""

    @property
    def n_ratings(self) -> int:
        """Cards that are planned to be answered, without those of further raters."""
        return self.n_items * self.raters_per_item

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Plan":
        """The plan as it was stored; a field that was added later has its default."""
        known = {each.name for each in fields(cls)}
        values = {name: value for name, value in found.items() if name in known}
        return cls(
            **{
                **values,
                "methods": tuple(values["methods"]),
                "comparisons": tuple((first, second) for first, second in values["comparisons"]),
                "text_images": tuple((name, sha256) for name, sha256 in values.get("text_images", ())),
                "questions": tuple(
                    PlannedQuestion(**{**one, "levels": tuple((value, label) for value, label in one["levels"])})
                    for one in values["questions"]
                ),
            }
        )


@dataclass(frozen=True)
class Intention:
    """A fact that a registry asks for and only the researchers know. `osf` and `aspredicted`: the heading it goes
    under."""

    key: str
    asks: str
    help: str = ""


INTENTIONS: Sequence[Intention] = (
    Intention("hypotheses", "Hypotheses", "What you expect, and in which direction."),
    Intention("primary", "The answer that decides", "Which question and which comparison answer the hypothesis."),
    Intention("conditions", "Methods compared", "What differs between the methods, and what is the same."),
    Intention("prior_data", "Data that exist already", "Pilots, earlier ratings of the images, and who saw them."),
    Intention("sample_reason", "Reason for the sample size", "A power analysis, a pilot, or the budget."),
    Intention("stopping", "When collecting ends", "What happens when raters leave; whether you look before the end."),
    Intention("analysis", "Analysis", "The statistic, what its interval covers, and how several tests are corrected."),
    Intention("inference", "When a hypothesis counts as supported", "For example: the 95% interval is above 0."),
    Intention("missing", "Missing answers", "How “unable to answer” and unfinished raters are treated."),
    Intention("exploratory", "Exploratory analyses", "What you will look at without a hypothesis."),
    Intention("other", "Anything else"),
)


def registration_file(plan: Plan, *, made_at: str, number: int) -> bytes:
    """The file whose SHA-256 is the registration's digest: equal plans at one moment give equal bytes.

    made_at: ISO 8601
    """
    content = {"registered_at": made_at, "number": number, "plan": plan.to_json()}
    return (json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()


def digest_of(plan: Plan, *, made_at: str, number: int) -> str:
    return hashlib.sha256(registration_file(plan, made_at=made_at, number=number)).hexdigest()
