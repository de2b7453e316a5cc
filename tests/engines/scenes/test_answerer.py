"""Yes-or-no questions answered by looking: BLIP-VQA's questions about pictures of the closed world."""

import numpy as np
import pytest

from generation.engines.registry import load, missing
from generation.recipes.contract import EngineError, ScoreRequest, Unusable
from generation.recipes.critique.by_questions import critique_by_questions
from generation.recipes.decomposition.by_rules import decompose_by_rules
from generation.recipes.decomposition.decomposition import Decomposition
from generation.recipes.engine_spec import EngineSpec, Surroundings
from generation.recipes.scenes.errors import SceneError, quality
from generation.recipes.scenes.grammar import write_prompts
from generation.recipes.scenes.scene import CATEGORIES
from tests.engines.scenes.test_critic import PROMPT, drawn

LOOKING = load(EngineSpec("scenes-vqa"), Surroundings(device="cpu"))


@pytest.mark.parametrize(
    ("question", "is_true"),
    [
        ("Is there an orange circle in the image?", True),
        ("Is there a green circle in the image?", False),
        ("Is the circle orange?", True),
        ("Is the circle purple?", False),
        ("Is there a heart in the image?", True),
        ("Is there a star in the image?", False),
        ("Is the circle below the triangle?", True),
        ("Is the circle above the triangle?", False),
        ("Does the circle hold the heart in its hand?", True),
        ("Does the triangle hold the heart in its hand?", False),
        ("Is the orange circle holding the small pink heart?", True),
        ("a small pink heart?", True),
        ("Are there four hearts in the image?", False),
    ],
)
def test_answers(question: str, is_true: bool) -> None:
    (probability,) = LOOKING.probabilities(drawn(PROMPT), [question])
    assert 0 < probability < 1
    assert (probability > 0.5) is is_true


def test_what_it_does_not_understand_is_one_half() -> None:
    assert LOOKING.probabilities(drawn(PROMPT), ["Is it raining?", ""]) == [0.5, 0.5]


@pytest.mark.parametrize("questions", [(), ("Is there a robot?", "Is the cactus green?")])
def test_of_another_world_there_is_no_score(questions: tuple[str, ...]) -> None:
    with pytest.raises(EngineError, match="names no coloured figure"):
        LOOKING.score([ScoreRequest(drawn(PROMPT), "A robot waters a cactus.", questions)])


def test_right_pictures_score_higher_than_wrong_ones() -> None:
    """The decomposition's questions and the prompt's noun phrases alike."""
    rng = np.random.default_rng(0)
    for source in ("decomposition", "noun phrases"):
        better = []
        for prompt in [prompt for category in CATEGORIES for prompt in write_prompts(2, category, 8)]:
            graph = Decomposition.from_json(prompt.decomposition())
            questions = graph.questions() if source == "decomposition" else ()
            entity = prompt.scene.entities[int(rng.integers(2))]
            wrong = SceneError("missing_entity", "major", entity.id, "")
            assert quality([wrong]) < 0
            good, bad = LOOKING.score(
                [ScoreRequest(image, prompt.text, questions) for image in (drawn(prompt), drawn(prompt, wrong))]
            )
            better.append(good.value > bad.value)
        assert np.mean(better) > 0.9


def test_it_serves_as_the_answerer_of_a_critic_by_questions() -> None:
    image = drawn(PROMPT, SceneError("wrong_colour", "major", "e1", "green"))
    graph = decompose_by_rules(PROMPT.text)
    said = critique_by_questions(LOOKING, image, PROMPT.text, graph)
    assert "The circle is orange." in said.refined_prompt


def test_nothing_to_ask_is_an_error() -> None:
    with pytest.raises(EngineError):
        LOOKING.score([ScoreRequest(drawn(PROMPT), "")])


def test_it_has_no_options() -> None:
    with pytest.raises(Unusable, match="model"):
        missing(EngineSpec("scenes-vqa", {"model": "tiny"}), Surroundings())
