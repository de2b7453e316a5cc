"""Ready-made experiments: each can be carried out as it says, and says what it does."""

import re
from pathlib import Path

import pytest

from generation.engines.sd3.loading import read_options
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.experiments import EXPERIMENTS, questions_critic
from generation.recipes.matrix.matrix import BadMatrix, Matrix
from generation.recipes.matrix.plan import PromptFacts, plan

CHAT = EngineSpec("chat", {"endpoint": "lab", "model": "m"})
FOX = PromptFacts(digest="fox")


def matrix_of(key: str) -> Matrix:
    return EXPERIMENTS[key].matrix(language=CHAT, critic=CHAT)


@pytest.mark.parametrize("key", list(EXPERIMENTS))
def test_every_experiment_can_be_planned_and_stored(key: str) -> None:
    matrix = matrix_of(key)
    assert Matrix.from_json(matrix.as_json()) == matrix
    steps = plan(FOX, matrix)
    labels = {step.method.label for step in steps if step.method}
    assert {method.label for method in matrix.methods} <= labels


def test_the_papers_comparison_has_the_papers_numbers() -> None:
    matrix = matrix_of("detailscribe")
    assert [method.label for method in matrix.methods] == ["baseline", "DetailScribe T−2"]
    assert matrix.seeds == (2628670643,)
    assert (matrix.drawing.n_steps, matrix.drawing.guidance) == (28, 4.5)
    assert EXPERIMENTS["detailscribe"].category == "functional"


def test_act2i_has_its_own_numbers() -> None:
    matrix = matrix_of("act2i")
    assert [method.words for method in matrix.methods] == ["prompt", "spatial", "temporal", "emotional"]
    assert matrix.seeds == (42, 43, 44, 45)
    assert (matrix.drawing.n_steps, matrix.drawing.guidance) == (40, 3.5)


def test_rounds_share_what_they_have_in_common() -> None:
    steps = plan(FOX, matrix_of("rounds"))
    # One baseline, then one image a round: the first three rounds of the four are the other methods' images.
    assert [step.round for step in steps if step.kind == "draw"] == [0, 1, 2, 3, 4]
    assert len([step for step in steps if step.kind == "critique"]) == 4


def test_the_released_code_is_named_for_what_it_is_and_is_in_no_other_experiment() -> None:
    labels = [method.label for method in matrix_of("released-code").methods]
    assert [label for label in labels if "best of four" in label]
    assert [method.refinement.k for method in matrix_of("released-code").methods[1:5] if method.refinement] == [
        *(0, 1, 2, 4)
    ]
    others = [one for one in EXPERIMENTS.values() if one.key != "released-code"]
    assert not [one.key for one in others if "best-of-four" in one.methods]


def test_the_small_one_needs_neither_weights_nor_a_language_model() -> None:
    matrix = EXPERIMENTS["tiny"].matrix()
    assert matrix.engines["critic"] == questions_critic(is_tiny=True)
    everything = [*matrix.engines.values(), *matrix.metrics.values(), EngineSpec.from_json(_answerer(matrix))]
    assert {spec.options.get("model", "tiny") for spec in everything} == {"tiny"}
    assert not [spec for spec in everything if spec.engine in ("chat", "judge", "openai-images")]


def test_one_that_needs_a_critic_says_so_without_one() -> None:
    with pytest.raises(BadMatrix, match='engine for "critic"'):
        EXPERIMENTS["detailscribe"].matrix(language=CHAT)


def _answerer(matrix: Matrix) -> dict[str, object]:
    answerer = matrix.engines["critic"].options["answerer"]
    assert isinstance(answerer, dict)
    return answerer


def test_act2i_is_drawn_as_its_code_draws_it() -> None:
    read = read_options(EXPERIMENTS["act2i"].image.options)
    assert (read.t5_length, read.dtype) == (256, "fp16")


def test_the_page_about_running_lists_every_experiment() -> None:
    page = (Path(__file__).parents[3] / "docs" / "generation" / "running.md").read_text()
    table = page.partition("## Experiments ready to start\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE)) == set(EXPERIMENTS)
