"""Decomposing a prompt by a language model, after DetailScribe's first step.

The paper gives the idea: who touches what, with which part. The request and its example are in this project's words.
"""

from generation.recipes.asking import Senseless, StrictAnswer, ask_for
from generation.recipes.contract import ChatAnswer, ChatEngine, ChatRequest
from generation.recipes.decomposition.decomposition import (
    BadDecomposition,
    Decomposition,
    Entity,
    Relation,
    find_or_add,
    looks_like_id,
)
from generation.recipes.english import grammar as english

SYSTEM = """\
You break a prompt for a text-to-image model down into a small graph of what its picture must show.

Entities: every thing, body part, tool and place that the prompt names or that its action cannot do without: if a \
hedgehog paints a pumpkin with a brush, then also the paw that holds the brush. Name each by a short noun phrase \
without an article, no entity twice; a group of like things is one entity ("two birds"). Under attributes list, each \
by itself, what can be seen of it and is said in the prompt: colour, size, number, material, pose.

Relations: every contact, position and action between two entities that can be seen in one still picture and pointed \
at, each so small that it is there or not: "paw holds brush", "brush paints pumpkin", "pumpkin rests on ground". \
Give subject and object as ids of entities. Where something is done without an object ("bird flies"), leave the object \
an empty string. Put into the question what somebody who sees only the picture would be asked, so that "yes" is right: \
"Does the paw hold the pumpkin?" Put into the text the relation as a short statement.

Add nothing that the prompt neither says nor needs: no mood, no sound, no purpose, nothing before or after the moment \
shown. Use ids e1, e2, … for entities and r1, r2, … for relations."""


class EntitySaid(StrictAnswer):
    id: str
    text: str
    attributes: list[str]


class RelationSaid(StrictAnswer):
    id: str
    subject: str
    predicate: str
    object: str
    question: str
    text: str


class DecompositionSaid(StrictAnswer):
    """A decomposition as a model says it: not yet checked for sense."""

    entities: list[EntitySaid]
    relations: list[RelationSaid]


def decompose(chat: ChatEngine, prompt: str) -> tuple[Decomposition, ChatAnswer[DecompositionSaid]]:
    """The decomposition of a prompt, with ids e1 …, r1 … of our own.

    Raises BadAnswer when the model's answer makes no sense twice, and what the engine raises.
    """
    request = ChatRequest(SYSTEM, f"Prompt: {prompt}", DecompositionSaid)
    return ask_for(chat, request, tidied)


def tidied(said: DecompositionSaid) -> Decomposition:
    """What the model meant, where that is clear: repetitions dropped, ends named by words found or added as entities.

    Raises Senseless where it is not: no entity, two different entities under one id that a relation uses, a relation
    to an id that does not exist or without a predicate.
    """
    entities, meant, ambiguous = _entities(said)
    if not entities:
        raise Senseless("It names no entity.")
    relations: list[Relation] = []
    known: set[tuple[str, str, str | None]] = set()
    for row in said.relations:
        ends: list[str] = []
        for role, name in (("subject", row.subject), ("object", row.object)):
            key = _key(name)
            if key in ambiguous:
                raise Senseless(f'The {role} "{name}" of relation "{row.id}" is the id of two different entities.')
            if key not in meant and looks_like_id(key):
                raise Senseless(f'The {role} "{name}" of relation "{row.id}" is the id of no entity.')
            ends.append(meant.get(key) or find_or_add(english.one_line(name), entities))
        subject, predicate, target = ends[0], english.one_line(row.predicate), ends[1] or None
        if not subject or not predicate:
            raise Senseless(f'Relation "{row.id}" has no {"predicate" if subject else "subject"}.')
        if (subject, predicate.lower(), target) in known:
            continue
        known.add((subject, predicate.lower(), target))
        text, question = english.one_line(row.text), english.one_line(row.question)
        relations.append(Relation(f"r{len(relations) + 1}", subject, predicate, target, question, text))
    try:
        return Decomposition(tuple(entities), tuple(relations))
    except BadDecomposition as problem:
        raise Senseless(str(problem)) from problem


def _entities(said: DecompositionSaid) -> tuple[list[Entity], dict[str, str], set[str]]:
    """Entities under our own ids; the model's id → our id; the model's ids that mean two entities."""
    entities: list[Entity] = []
    by_text: dict[str, str] = {}
    meant: dict[str, str] = {}
    ambiguous: set[str] = set()
    for row in said.entities:
        text = english.bare(row.text)
        if not text:
            continue
        our_id = by_text.get(text.lower())
        if our_id is None:
            our_id = by_text[text.lower()] = f"e{len(entities) + 1}"
            entities.append(Entity(our_id, text, _each_once(row.attributes)))
        key = _key(row.id)
        if not key:
            continue
        if meant.setdefault(key, our_id) != our_id:
            ambiguous.add(key)
    return entities, meant, ambiguous


def _each_once(attributes: list[str]) -> tuple[str, ...]:
    tidy = (english.one_line(attribute).rstrip(".,;") for attribute in attributes)
    return tuple(dict.fromkeys(attribute for attribute in tidy if attribute))


def _key(model_id: str) -> str:
    return english.one_line(model_id).lower()
