"""spaCy's noun chunks, as T2I-CompBench's code asks BLIP about them."""

from typing import Any

import pytest

from generation.engines.metrics import blip_vqa
from generation.engines.metrics.noun_chunks import NounChunks, missing
from generation.recipes.contract import ScoreRequest, Unusable
from generation.recipes.engine_spec import Surroundings
from tests.engines.pictures import png

CPU = Surroundings(device="cpu")
MOUSE = "A mouse using a miniature rolling pin to flatten dough."


@pytest.fixture(scope="module")
def chunks() -> NounChunks:
    return NounChunks()


def test_the_model_is_here_for_these_tests() -> None:
    assert missing() == []


def test_chunks_are_asked_as_the_published_code_asks_them(chunks: NounChunks) -> None:
    assert chunks.questions(MOUSE) == ("A mouse?", "a miniature rolling pin?", "dough?")
    assert chunks.questions("") == ()


def test_places_are_left_out_a_repeated_chunk_is_asked_again_and_there_are_at_most_eight(chunks: NounChunks) -> None:
    assert chunks.questions("a cat on the left of a cat") == ("a cat?", "a cat?")
    many = ", ".join(f"a {animal}" for animal in ["cat", "dog", "fox", "hen", "cow", "pig", "rat", "owl", "elk", "ant"])
    assert len(chunks.questions(many)) == 8


def test_a_score_says_where_its_questions_come_from_and_has_a_version_of_its_own() -> None:
    metrics = {phrases: blip_vqa.load({"model": "tiny", "phrases": phrases}, CPU) for phrases in ("rules", "spacy")}
    found = {name: metric.score([ScoreRequest(png(1), MOUSE)])[0].facts for name, metric in metrics.items()}
    assert found["spacy"]["from"] == "noun chunks by spaCy"
    assert found["spacy"]["questions"] == ["A mouse?", "a miniature rolling pin?", "dough?"]
    assert found["rules"]["from"] == "noun phrases"
    assert metrics["rules"].version != metrics["spacy"].version
    assert "en_core_web_sm 3.8" in metrics["spacy"].identity["phrases"]["model"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [({"questions": "all"}, "'questions'"), ({"phrases": "nltk"}, "'phrases'"), ({"phrases": None}, "'phrases'")],
)
def test_other_ways_to_ask_are_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(Unusable, match=problem):
        blip_vqa.missing({"model": "tiny", **options}, CPU)
