"""A critic without a language model: it asks the decomposition's questions, and every no is a claim."""

import math

from generation.recipes.contract import Answerer, BadAnswer
from generation.recipes.critique.outcome import ClaimFound, CritiqueOutcome, Severity, outcome_of
from generation.recipes.critique.refined_prompt import refined_prompt
from generation.recipes.decomposition.decomposition import Asked, Decomposition

MAJOR_BELOW = 0.2
"""Probability of yes below which an error counts as major."""


def critique_by_questions(
    answerer: Answerer, image: bytes, prompt: str, decomposition: Decomposition, threshold: float = 0.5
) -> CritiqueOutcome:
    """Claims for the questions whose probability of yes is below `threshold`, those answered no most surely first.

    A claim's confidence is 1 − P(yes). The refined prompt says what should hold. Such a critic sees only what is
    missing of what the prompt names: never an extra thing, and anatomy only where the decomposition asks for it.
    Raises ValueError for a threshold outside 0 … 1, and BadAnswer for answers that are not probabilities.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"The threshold is {threshold}; it lies between 0 and 1.")
    asked = decomposition.asked()
    probabilities = list(answerer.probabilities(image, [one.question for one in asked]))
    if len(probabilities) != len(asked):
        raise BadAnswer(f"{len(asked)} questions were asked, {len(probabilities)} answers came.")
    if any(math.isnan(p) or not 0 <= p <= 1 for p in probabilities):
        raise BadAnswer("An answer is not a probability between 0 and 1.", "Check the weights and the number format.")
    wrong = [(p, one) for p, one in zip(probabilities, asked, strict=True) if p < threshold]
    wrong.sort(key=lambda row: row[0])
    claims = tuple(_claim(rank, p, one) for rank, (p, one) in enumerate(wrong, start=1))
    return outcome_of(claims, refined_prompt(prompt, [one.statement for _, one in wrong]))


def _claim(rank: int, p_yes: float, one: Asked) -> ClaimFound:
    severity: Severity = "major" if p_yes < MAJOR_BELOW else "minor"
    text = f'The image does not show this: "{one.statement}"'
    return ClaimFound(rank, text, one.kind, one.about, severity, 1 - p_yes)
