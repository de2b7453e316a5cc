"""Decompositions: what they ask, how they are stored and read, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.queries.audits.work import elements_of
from generation.recipes.decomposition.decomposition import BadDecomposition, Decomposition, Entity, Relation
from generation.recipes.english.grammar import one_line
from generation.recipes.scenes.grammar import write_prompts
from generation.recipes.scenes.scene import CATEGORIES
from tests.factories import make_prompt

SQUIRREL = Decomposition(
    (
        Entity("e1", "hedgehog"),
        Entity("e2", "tiny brush", ("tiny",)),
        Entity("e3", "two pumpkins"),
        Entity("e4", "paw"),
    ),
    (Relation("r1", "e4", "holds", "e2"), Relation("r2", "e3", "on", "e1"), Relation("r3", "e1", "sits", None)),
)


def test_each_part_is_asked_so_that_yes_is_right() -> None:
    assert SQUIRREL.questions() == (
        "Is there a hedgehog in the image?",
        "Is there a brush in the image?",
        "Is the brush tiny?",
        "Are there two pumpkins in the image?",
        "Is there a paw in the image?",
        "Does the paw hold the tiny brush?",
        "Are the two pumpkins on the hedgehog?",
        "Does the hedgehog sit?",
    )


def test_a_question_knows_its_part_and_what_a_yes_says() -> None:
    told = [(asked.about, asked.kind, asked.statement) for asked in SQUIRREL.asked()]
    assert told[1:3] == [
        ("e2", "missing", "There is a brush."),
        ("e2", "attribute", "The brush is tiny."),
    ]
    assert told[5] == ("r1", "relation", "The paw holds the tiny brush.")


def test_the_same_question_is_asked_once() -> None:
    twice = Decomposition((Entity("e1", "fox"), Entity("e2", "a Fox")))
    assert len(twice.questions()) == 1


def test_a_given_question_is_asked_as_it_is() -> None:
    graph = Decomposition((Entity("e1", "fox"),), (Relation("r1", "e1", "flies", None, "Is the fox up in the air?"),))
    assert graph.questions()[-1] == "Is the fox up in the air?"


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_demo_s_decompositions_are_read(category: str) -> None:
    for prompt in write_prompts(3, category, 8):
        stored = prompt.decomposition()
        graph = Decomposition.from_json(stored)
        assert [entity.text for entity in graph.entities] == [row["name"] for row in stored["entities"]]
        assert graph.questions()[-len(stored["relations"]) :] == tuple(row["question"] for row in stored["relations"])


@pytest.mark.django_db
def test_the_audit_page_shows_a_stored_decomposition() -> None:
    prompt = make_prompt("A hedgehog.", metadata={"decomposition": SQUIRREL.as_json()})
    elements = elements_of(prompt, None)
    assert [(element.id, element.kind, element.text) for element in elements][3:6] == [
        ("e4", "entity", "paw"),
        ("r1", "relation", "the paw holds the tiny brush"),
        ("r2", "relation", "the two pumpkins are on the hedgehog"),
    ]


def test_plain_texts_and_words_for_ids_are_read() -> None:
    graph = Decomposition.from_json(
        {
            "entities": ["a fox", {"name": "pot"}],
            "relations": ["the fox is happy", {"subject": "The Fox", "relation": "stirs", "object": "stew"}],
        }
    )
    assert graph.entities == (Entity("e1", "a fox"), Entity("e2", "pot"), Entity("e3", "stew"))
    assert graph.relations[1] == Relation("r2", "e1", "stirs", "e3")
    assert graph.questions()[-2:] == ("Does the image show this: the fox is happy?", "Does the fox stir the stew?")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({}, "empty"),
        ([], "object with the lists"),
        ({"entities": "fox"}, '"entities" is not a list'),
        ({"entities": [3]}, "Entity 1 is neither"),
        ({"entities": [{"id": "e1"}]}, r'Entity 1 \("e1"\) has no text'),
        ({"entities": [{"text": "fox", "attributes": "red"}]}, 'Entity 1: "attributes" is not a list'),
        ({"entities": [{"text": "fox", "attributes": [""]}]}, "empty attribute"),
        ({"entities": [{"id": "a", "text": "fox"}, {"id": "a", "text": "pot"}]}, 'Entity "a": the id is used twice'),
        ({"entities": [{"id": "r1", "text": "fox"}], "relations": ["x"]}, 'Relation "r1": the id is used twice'),
        ({"entities": [{"id": "a" * 61, "text": "fox"}]}, "1 to 60 characters"),
        (
            {"entities": ["fox"], "relations": [{"subject": "e1", "relation": "stirs", "object": "e9"}]},
            r'Relation 1 \("r1"\): its object "e9" is not an entity \(entities: e1\)',
        ),
        ({"entities": ["fox"], "relations": [{"relation": "stirs"}]}, 'its subject "" is not an entity'),
        ({"entities": ["fox"], "relations": [{"subject": "fox"}]}, r'Relation 1 \("r1"\) has no predicate'),
        (
            {"entities": ["fox"], "relations": [{"subject": "fox", "relation": word} for word in ("Sits", "sits")]},
            r'Relation 2 \("r2"\) says the same as "r1"',
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_part_named(data: Any, complaint: str) -> None:
    with pytest.raises(BadDecomposition, match=complaint):
        Decomposition.from_json(data)


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).map(one_line)
words = words.filter(bool)


@st.composite
def decompositions(draw: st.DrawFn) -> Decomposition:
    n = draw(st.integers(1, 4))
    entities = [Entity(f"e{i}", draw(words), tuple(draw(st.lists(words, max_size=2)))) for i in range(n)]
    ids = [entity.id for entity in entities]
    ends = st.tuples(st.sampled_from(ids), words, st.none() | st.sampled_from(ids))
    told = draw(st.lists(ends, max_size=4, unique_by=lambda row: (row[0], row[1].lower(), row[2])))
    relations = [Relation(f"r{i}", *row, draw(words), draw(words)) for i, row in enumerate(told)]
    return Decomposition(tuple(entities), tuple(relations))


@given(decompositions())
def test_what_is_stored_is_read_again(graph: Decomposition) -> None:
    assert Decomposition.from_json(graph.as_json()) == graph


@given(decompositions())
def test_every_part_has_a_question_and_none_is_asked_twice(graph: Decomposition) -> None:
    asked = [question.lower() for question in graph.questions()]
    assert len(set(asked)) == len(asked)
    assert {one.about for one in graph.asked()} <= {part.id for part in (*graph.entities, *graph.relations)}


def test_made_questions_and_texts_stay_the_same_when_stored() -> None:
    again = Decomposition.from_json(SQUIRREL.as_json())
    assert again.as_json() == SQUIRREL.as_json()
    assert again.questions() == SQUIRREL.questions()
