"""Decomposing by a language model: what is repaired, what is asked again, what is refused."""

import pytest

from generation.recipes.contract import BadAnswer, Json, TryAgain
from generation.recipes.decomposition.by_model import decompose
from generation.recipes.decomposition.decomposition import Entity, Relation
from tests.recipes.scripted import Scripted

PROMPT = "A hedgehog painting a design on a pumpkin using a brush."


def entity(model_id: str, text: str, *attributes: str) -> Json:
    return {"id": model_id, "text": text, "attributes": list(attributes)}


def relation(subject: str, predicate: str, target: str = "", question: str = "", text: str = "") -> Json:
    return {
        "id": "x", "subject": subject, "predicate": predicate, "object": target, "question": question, "text": text
    }  # fmt: skip


def answer(entities: list[Json], relations: list[Json]) -> Json:
    return {"entities": entities, "relations": relations}


def test_the_parts_get_our_own_ids() -> None:
    chat = Scripted(
        answer(
            [entity("paw1", "a paw"), entity("AC", "the pumpkin", "brown", "brown")],
            [relation("paw1", "holds", "ac", "Does the paw hold the pumpkin?", "paw holds pumpkin")],
        )
    )
    graph, answered = decompose(chat, PROMPT)
    assert graph.entities == (Entity("e1", "paw"), Entity("e2", "pumpkin", ("brown",)))
    assert graph.relations == (
        Relation("r1", "e1", "holds", "e2", "Does the paw hold the pumpkin?", "paw holds pumpkin"),
    )  # fmt: skip
    assert PROMPT in chat.requests[0].user
    assert len(answered.calls) == 1


def test_repetitions_fall_away_and_words_name_or_make_entities() -> None:
    chat = Scripted(
        answer(
            [entity("e1", "hedgehog"), entity("e2", "Hedgehog"), entity("e3", " "), entity("e4", "brush")],
            [relation("e2", "paints", "a design"), relation("e1", "paints", "design"), relation("the brush", "moves")],
        )
    )
    graph, _ = decompose(chat, PROMPT)
    assert [part.text for part in graph.entities] == ["hedgehog", "brush", "design"]
    assert [(r.subject, r.object) for r in graph.relations] == [("e1", "e3"), ("e2", None)]


@pytest.mark.parametrize(
    ("nonsense", "complaint"),
    [
        (answer([], []), "names no entity"),
        (answer([entity("e1", "fox")], [relation("e1", "holds", "e7")]), '"e7" of relation "x" is the id of no entity'),
        (
            answer([entity("a", "fox"), entity("b", "pot")], [relation("e1", "is in", "b")]),
            '"e1" of relation "x" is the id of no entity',  # the model's ids count, not those that we give
        ),
        (
            answer([entity("e1", "fox"), entity("e1", "pot")], [relation("e1", "stands")]),
            "the id of two different entities",
        ),
        (answer([entity("e1", "fox")], [relation("e1", " ")]), "has no predicate"),
        (answer([entity("e1", "fox")], [relation("", "stands")]), "has no subject"),
    ],
)
def test_nonsense_is_asked_again_with_the_complaint_and_then_refused(nonsense: Json, complaint: str) -> None:
    good = answer([entity("e1", "fox")], [])
    chat = Scripted(nonsense, good)
    graph, answered = decompose(chat, PROMPT)
    assert graph.entities == (Entity("e1", "fox"),)
    assert complaint in chat.requests[1].user
    assert [call.n_tokens_in for call in answered.calls] == [1, 2]
    with pytest.raises(BadAnswer, match=complaint) as refused:
        decompose(Scripted(nonsense, nonsense), PROMPT)
    assert len(refused.value.calls) == 2


def test_no_call_is_lost_when_asking_again_fails() -> None:
    with pytest.raises(TryAgain) as failed:
        decompose(Scripted(answer([], []), TryAgain("The server does not answer.", retry_after_s=3)), PROMPT)
    assert len(failed.value.calls) == 1
    assert failed.value.retry_after_s == 3
