"""The critics of the closed world as engines: they answer the site's own requests, and one of them never looks."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from generation.engines.registry import load, missing
from generation.recipes.contract import BadAnswer, ChatEngine, ChatRequest, EngineError, Unusable
from generation.recipes.critique.by_model import critique, refine_plainly
from generation.recipes.critique.judge import judge
from generation.recipes.decomposition.decomposition import Decomposition
from generation.recipes.engine_spec import EngineSpec, Surroundings
from generation.recipes.scenes.drawing import paint
from generation.recipes.scenes.errors import SceneError, shown
from generation.recipes.scenes.grammar import write_prompts
from generation.recipes.scenes.scene import ScenePrompt
from generation.recipes.scenes.seeing.eyes import look
from generation.recipes.scenes.variation import settle_places

HERE = Surroundings(device="cpu")
PROMPT = write_prompts(0, "functional relation", 1)[0]  # An orange circle below a purple triangle, holding a … heart.
GRAPH = Decomposition.from_json(PROMPT.decomposition())


def critic(**options: object) -> ChatEngine:
    engine: ChatEngine = load(EngineSpec("scenes-critic", options), HERE)
    return engine


def drawn(prompt: ScenePrompt, *errors: SceneError) -> bytes:
    scene = shown(prompt.scene, errors)
    file = BytesIO()
    paint(scene, settle_places(scene), 64, oversampling=4).save(file, "PNG")
    return file.getvalue()


def test_it_finds_nothing_wrong_in_a_right_picture() -> None:
    outcome, answer = critique(critic(), drawn(PROMPT), PROMPT.text, GRAPH)
    assert outcome.claims == ()
    assert outcome.refined_prompt == PROMPT.text
    assert answer.calls[0].outcome == "ok"


def test_it_names_what_is_wrong_where_and_what_should_hold() -> None:
    image = drawn(PROMPT, SceneError("wrong_colour", "major", "e1", "green"))
    outcome, _ = critique(critic(), image, PROMPT.text, GRAPH)
    (claim,) = outcome.claims
    assert claim.text.startswith("The circle is green instead of orange (at the ")
    assert (claim.about, claim.kind, claim.severity) == ("e1", "attribute", "major")
    assert claim.confidence is not None
    assert claim.confidence > 0.5
    assert outcome.refined_prompt == f"{PROMPT.text} The circle is clearly orange."


def test_without_a_decomposition_it_does_not_know_of_relations() -> None:
    image = drawn(PROMPT, SceneError("wrong_relation", "major", "r1", "above"))
    with_parts, _ = critique(critic(), image, PROMPT.text, GRAPH)
    without, _ = critique(critic(), image, PROMPT.text, None)
    assert [claim.about for claim in with_parts.claims] == ["r1"]
    assert without.claims == ()


def test_asked_plainly_it_answers_in_prose() -> None:
    image = drawn(PROMPT, SceneError("missing_entity", "major", "e3", ""))
    outcome, _ = refine_plainly(critic(), image, PROMPT.text)
    assert [claim.text for claim in outcome.claims] == ["The pink heart is missing."]
    assert outcome.refined_prompt == f"{PROMPT.text} A small pink heart can be seen."


def test_the_refined_prompt_is_no_longer_than_the_small_model_reads() -> None:
    errors = [
        SceneError("wrong_colour", "major", "e1", "green"),
        SceneError("wrong_shape", "major", "e2", "square"),
        SceneError("wrong_colour", "minor", "e3", "blue"),
        SceneError("wrong_relation", "major", "r1", "above"),
    ]
    outcome, _ = critique(critic(), drawn(PROMPT, *errors), PROMPT.text, GRAPH)
    assert len(outcome.claims) >= 3
    assert len(outcome.refined_prompt.split()) <= 38


def test_the_blind_critic_says_the_same_of_every_picture() -> None:
    right, _ = critique(critic(looks=False), drawn(PROMPT), PROMPT.text, GRAPH)
    other, _ = critique(critic(looks=False), drawn(write_prompts(3, "compositional", 1)[0]), PROMPT.text, GRAPH)
    assert right.claims == other.claims != ()


def test_planted_claims_replace_what_it_saw() -> None:
    image = drawn(PROMPT, SceneError("wrong_colour", "major", "e1", "green"))
    outcome, _ = critique(critic(planted=1.0), image, PROMPT.text, GRAPH)
    assert outcome.claims
    assert all(claim.about != "e1" for claim in outcome.claims)
    again, _ = critique(critic(planted=1.0), image, PROMPT.text, GRAPH)
    assert again == outcome


def test_each_setting_is_a_critic_of_its_own() -> None:
    names = {str(critic(**options).identity["model"]) for options in ({}, {"looks": False}, {"planted": 0.5})}
    assert names == {"looking critic", "blind critic", "looking critic, 50% planted"}


def test_it_does_nothing_else() -> None:
    with pytest.raises(BadAnswer):
        judge(critic(), drawn(PROMPT), PROMPT.text)


@pytest.mark.parametrize("options", [{"planted": 1.5}, {"looks": "maybe"}, {"model": "tiny"}])
def test_bad_options_are_named(options: dict[str, object]) -> None:
    with pytest.raises(Unusable, match=next(iter(options))):
        missing(EngineSpec("scenes-critic", options), HERE)


@pytest.mark.parametrize("options", [{}, {"looks": False}])
@pytest.mark.parametrize("text", ["A robot waters a cactus.", "Ein roter Stern über einem blauen Herz."])
def test_of_another_world_it_says_so_and_not_that_nothing_is_wrong(text: str, options: dict[str, object]) -> None:
    graph = Decomposition.from_json({"entities": ["a squirrel"], "relations": []})
    for parts in (graph, None):
        with pytest.raises(EngineError, match="names no coloured figure") as refused:
            critique(critic(**options), drawn(PROMPT), text, parts)
        assert "about figures: circle" in refused.value.cure
    with pytest.raises(EngineError, match="names no coloured figure"):
        refine_plainly(critic(**options), drawn(PROMPT), text)


def test_in_a_picture_that_is_not_square_it_sees_the_same() -> None:
    """Ground on one side, so that every figure keeps its outline and its place in the picture's own shares."""
    right = Image.open(BytesIO(drawn(PROMPT)))
    for size in ((128, 64), (64, 128)):
        wide = Image.new("RGB", size, right.getpixel((0, 0)))
        wide.paste(right, (size[0] - 64, size[1] - 64))
        file = BytesIO()
        wide.save(file, "PNG")
        outcome, _ = critique(critic(), file.getvalue(), PROMPT.text, None)
        assert outcome.claims == ()
        seen = look(np.asarray(wide))
        assert len(seen) == len(look(np.asarray(right)))
        assert all(0 <= side <= 1 for one in seen for side in one.box)


def test_its_calls_cost_nothing() -> None:
    _, answer = critique(critic(), drawn(PROMPT), PROMPT.text, GRAPH)
    assert [call.cost for call in answer.calls] == [0.0]


def test_a_request_without_an_image_is_refused() -> None:
    from generation.recipes.critique.by_model import CritiqueSaid

    with pytest.raises(BadAnswer):
        critic().ask(ChatRequest("", f"Prompt: {PROMPT.text}", CritiqueSaid))
