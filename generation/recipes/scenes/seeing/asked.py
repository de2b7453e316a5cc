"""Reads what texts of the closed world ask for: prompts, the parts of a decomposition, and single questions.

Tolerant: words that it does not know are passed over, and what it cannot read is not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from generation.recipes.scenes.scene import COLOURS, COUNT_WORDS, SHAPES, Entity, Relation, Scene

NOTHING_KNOWN = "The prompt names no coloured figure, and this engine knows nothing else."
NOTHING_KNOWN_CURE = f"Choose another engine for it, or a prompt about figures: {', '.join(SHAPES)}."
_COUNTS = {word: number for number, word in COUNT_WORDS.items()}
_THING = re.compile(
    rf"(?:\b(?P<count>{'|'.join(_COUNTS)})\s+)?"
    r"(?:(?P<size>small|large)\s+)?"
    rf"(?:(?P<colour>{'|'.join(COLOURS)})\s+)?"
    rf"\b(?P<shape>{'|'.join(SHAPES)})(?:es|s)?\b",
    re.IGNORECASE,
)
_PREDICATES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (predicate, re.compile(words, re.IGNORECASE))
    for predicate, words in (
        ("holds hands with", r"\bh[eo]ld(s|ing)? hands\b"),
        ("in a ring around", r"\bring around\b"),
        ("in a row below", r"\brow below\b"),
        ("in a row above", r"\brow above\b"),
        ("in an arch over", r"\barch over\b"),
        ("on top of", r"\bon top of\b"),
        ("left of", r"\bleft of\b"),
        ("right of", r"\bright of\b"),
        ("balances", r"\bbalanc(e|es|ing)\b"),
        ("wears", r"\bwear(s|ing)?\b"),
        ("pulls", r"\bpull(s|ing)?\b"),
        ("lifts", r"\blift(s|ing)?\b"),
        ("looks at", r"\blook(s|ing)? at\b"),
        ("waves to", r"\bwav(e|es|ing) to\b"),
        ("holds", r"\bhold(s|ing)?\b"),
        ("above", r"\babove\b"),
        ("below", r"\bbelow\b"),
    )
)
_PART = re.compile(r"^(?P<id>[er]\d+):\s*(?P<text>.+?)(?:\s*\(.*\))?$", re.MULTILINE)


def things_in(text: str) -> tuple[Entity, ...]:
    """The things that a text names, in its order, with ids e1 …; a colour that it leaves open is empty.

    What is named again ("the star") is the same thing. Small things are taken for things without a face.
    """
    found: list[Entity] = []
    for match in _THING.finditer(text):
        shape, colour = match["shape"].lower(), (match["colour"] or "").lower()
        if any(entity.shape == shape and (not colour or entity.colour == colour) for entity in found):
            continue
        found.append(_entity(match, f"e{len(found) + 1}"))
    return tuple(found)


def _entity(match: re.Match[str], entity_id: str) -> Entity:
    size, count = (match["size"] or "medium").lower(), _COUNTS.get((match["count"] or "").lower(), 1)
    return Entity(
        entity_id,
        (match["colour"] or "").lower(),
        match["shape"].lower(),
        size,
        count,
        is_body=size != "small" and count == 1,
    )


def predicate_in(text: str) -> str:
    """The relation that a sentence or question is about; empty where it has none."""
    return next((predicate for predicate, words in _PREDICATES if words.search(text)), "")


def scene_of_prompt(prompt: str) -> Scene:
    """The things that a prompt asks for, without their relations: those take a decomposition."""
    return Scene("asked", things_in(prompt), ())


def scene_of_parts(lines: str) -> Scene:
    """The scene of a decomposition's parts, one line each ("e1: red star", "r1: the red star is above the blue heart").

    Ids are kept. Parts that are not things of the world (a head, a string) and their relations are left out.
    """
    entities: list[Entity] = []
    relations: list[Relation] = []
    for part in _PART.finditer(lines):
        things = list(_THING.finditer(part["text"]))
        if part["id"].startswith("e"):
            if things and not part["text"].endswith(("head", "belly", "hand")):
                entities.append(_entity(things[0], part["id"]))
        elif (predicate := predicate_in(part["text"])) and len(things) >= 2:
            ends = [_meant(thing["shape"].lower(), entities) for thing in things[:2]]
            if ends[0] and ends[1]:
                relations.append(Relation(part["id"], ends[0], predicate, ends[1]))
    return Scene("asked", tuple(entities), tuple(relations))


def _meant(shape: str, entities: Sequence[Entity]) -> str:
    return next((entity.id for entity in entities if entity.shape == shape), "")
