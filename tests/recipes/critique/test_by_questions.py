"""The critic that only asks yes-or-no questions."""

from collections.abc import Sequence

import pytest

from generation.recipes.contract import BadAnswer, Json
from generation.recipes.critique.by_questions import critique_by_questions
from generation.recipes.critique.outcome import CritiqueOutcome
from generation.recipes.decomposition.decomposition import Decomposition, Entity, Relation

PROMPT = "A small star holds a heart"
GRAPH = Decomposition(
    (Entity("e1", "small star", ("small",)), Entity("e2", "heart")), (Relation("r1", "e1", "holds", "e2"),)
)


class Answers:
    def __init__(self, *probabilities: float) -> None:
        self.given = list(probabilities)
        self.questions: list[str] = []

    @property
    def identity(self) -> Json:
        return {}

    def probabilities(self, image: bytes, questions: Sequence[str]) -> list[float]:
        self.questions = list(questions)
        return self.given


def looked_at(*probabilities: float, threshold: float = 0.5) -> CritiqueOutcome:
    return critique_by_questions(Answers(*probabilities), b"png", PROMPT, GRAPH, threshold)


def test_every_no_is_a_claim_the_surest_first() -> None:
    outcome = looked_at(0.9, 0.4, 0.5, 0.1)
    assert [(c.rank, c.about, c.kind, c.severity) for c in outcome.claims] == [
        (1, "r1", "relation", "major"),
        (2, "e1", "attribute", "minor"),
    ]
    assert [c.confidence for c in outcome.claims] == [pytest.approx(0.9), pytest.approx(0.6)]
    assert outcome.claims[0].text == 'The image does not show this: "The small star holds the heart."'
    assert outcome.refined_prompt == f"{PROMPT}. The small star holds the heart. The star is small."


def test_it_asks_the_decomposition_s_questions() -> None:
    answers = Answers(1, 1, 1, 1)
    outcome = critique_by_questions(answers, b"png", PROMPT, GRAPH)
    assert tuple(answers.questions) == GRAPH.questions()
    assert (outcome.claims, outcome.refined_prompt) == ((), PROMPT)


def test_the_threshold_decides() -> None:
    assert len(looked_at(0.3, 0.3, 0.3, 0.3, threshold=0.3).claims) == 0
    assert len(looked_at(0.3, 0.3, 0.3, 0.3, threshold=0.31).claims) == 4
    with pytest.raises(ValueError, match="between 0 and 1"):
        looked_at(1, 1, 1, 1, threshold=50)


@pytest.mark.parametrize("given", [(0.5,), (0.5, 0.5, 0.5, float("nan")), (0.5, 0.5, 0.5, 1.2)])
def test_answers_that_are_not_probabilities_are_refused(given: tuple[float, ...]) -> None:
    with pytest.raises(BadAnswer):
        looked_at(*given)
